// One text for CPU and GPU. What a layer computes is written as member templates over where it runs:
//
//   template <typename Dtype>
//   template <typename Where>
//   void TanHLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
//     const Dtype* x = Where::Data(bottom[0]);
//     Dtype* y = Where::MutableData(top[0]);
//     Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = std::tanh(x[i]); });
//   }
//   CPU_AND_GPU(TanHLayer);
//
// The source file is compiled twice: as it is, for the CPU (OnCpu), and in builds with CUDA once more by nvcc with
// CAFFE_GPU_PASS, where the last line says that the layer has a form for the GPU (OnGpu, caffe/src/gpu/on_gpu.cuh) and
// everything else of the file is left out. A body for the GPU captures local variables, never `this` nor anything in
// the host's memory. Layers whose GPU takes another way than the CPU have the GPU's ForwardOn in a file x_layer.cu.
#pragma once

#include <algorithm>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

#if defined(__CUDACC__)
#define CAFFE_DEVICE __device__
#else
#define CAFFE_DEVICE
#endif

namespace caffe {

template <typename Dtype>
class Layer;

// What is found row by row: identity, and two partial results as one.
struct SumOfRow {
  CAFFE_DEVICE static double Identity() { return 0; }
  CAFFE_DEVICE static double Join(double a, double b) { return a + b; }
};
struct LargestOfRow {
  CAFFE_DEVICE static double Identity() { return -HUGE_VAL; }
  CAFFE_DEVICE static double Join(double a, double b) { return a > b ? a : b; }
};

struct OnCpu {
  template <typename T>
  static const T* Data(const Blob<T>* blob) {
    return blob->cpu_data();
  }
  template <typename T>
  static T* MutableData(Blob<T>* blob) {
    return blob->mutable_cpu_data();
  }
  template <typename T>
  static const T* Diff(const Blob<T>* blob) {
    return blob->cpu_diff();
  }
  template <typename T>
  static T* MutableDiff(Blob<T>* blob) {
    return blob->mutable_cpu_diff();
  }

  // body(i) for i in [0, count).
  template <typename Body>
  static void ForEach(int count, Body body) {
    ForEachElement(count, body);
  }
  // store(row, result of term(row, column) over all columns), in double.
  template <typename Operation, typename Term, typename Store>
  static void ReduceRows(int rows, int columns, Term term, Store store) {
    ForEachTask(rows, columns, [&](int row) {
      double result = Operation::Identity();
      if constexpr (std::is_same_v<Operation, SumOfRow>) {
        result = SumOf(columns, [&](int column) { return static_cast<double>(term(row, column)); });
      } else {
        for (int column = 0; column < columns; ++column) result = Operation::Join(result, term(row, column));
      }
      store(row, result);
    });
  }
  // The sum of term(i), in double.
  template <typename Term>
  static double Sum(int count, Term term) {
    return SumOf(count, [&](int i) { return static_cast<double>(term(i)); });
  }

  template <typename T>
  static void Gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, T alpha, const T* a, const T* b, T beta,
                   T* c) {
    caffe_cpu_gemm<T>(ta, tb, m, n, k, alpha, a, b, beta, c);
  }
  template <typename T>
  static void Gemv(CBLAS_TRANSPOSE ta, int m, int n, T alpha, const T* a, const T* x, T beta, T* y) {
    caffe_cpu_gemv<T>(ta, m, n, alpha, a, x, beta, y);
  }
  template <typename T>
  static void Copy(int n, const T* x, T* y) {
    caffe_copy(n, x, y);
  }
  // Rows of `columns` values that begin from_step and to_step values apart. In pieces, so that all threads have some of
  // a single long row.
  template <typename T>
  static void CopyRows(int rows, int columns, const T* from, int from_step, T* to, int to_step) {
    constexpr int kPiece = 1 << 14;
    const int pieces = (columns + kPiece - 1) / kPiece;
    ForEachTask(rows * pieces, std::min(columns, kPiece), [=](int task) {
      const int64_t row = task / pieces;
      const int first = task % pieces * kPiece;
      caffe_copy(std::min(columns - first, kPiece), from + row * from_step + first, to + row * to_step + first);
    });
  }
  template <typename T>
  static void Set(int n, T value, T* x) {
    caffe_set(n, value, x);
  }
  // 1 with probability p, else 0.
  template <typename T>
  static void Bernoulli(int n, T p, unsigned* r) {
    caffe_rng_bernoulli<T>(n, p, r);
  }
};
struct OnGpu;

// The GPU's form of a layer.
template <typename Dtype>
struct GpuForm {
  void (*forward)(Layer<Dtype>*, const vector<Blob<Dtype>*>&, const vector<Blob<Dtype>*>&);
  void (*backward)(Layer<Dtype>*, const vector<Blob<Dtype>*>&, const vector<bool>&, const vector<Blob<Dtype>*>&);

  // That of exactly this type; null: it has none.
  static const GpuForm* Find(const std::type_info& type);
  static bool Add(const std::type_info& type, const GpuForm& form);

  template <typename LayerType>
  static bool AddFormOf() {
    return Add(typeid(LayerType),
               {[](Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
                  static_cast<LayerType*>(layer)->template ForwardOn<OnGpu>(bottom, top);
                },
                [](Layer<Dtype>* layer, const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                   const vector<Blob<Dtype>*>& bottom) {
                  static_cast<LayerType*>(layer)->template BackwardOn<OnGpu>(top, propagate_down, bottom);
                }});
  }
};

// The GPU's form of a solver's step, of which the build may have none: set by the GPU's pass.
template <typename Class, typename... Arguments>
struct GpuStep {
  inline static void (*run)(Class*, Arguments...) = nullptr;
};

}  // namespace caffe

// In a source file that defines a solver's UpdateOn: ComputeUpdateValue.
//
// In a source file that defines ForwardOn and BackwardOn: for the GPU alone (x_layer.cu); for both, where it has a
// Forward_cpu of its own, which calls them or not; for both, where Forward_cpu does nothing else.
#define REGISTER_GPU_FORM(classname)                                                                   \
  static const bool g_gpu_form_f_##classname = ::caffe::GpuForm<float>::AddFormOf<classname<float>>(); \
  static const bool g_gpu_form_d_##classname = ::caffe::GpuForm<double>::AddFormOf<classname<double>>()
#ifdef CAFFE_GPU_PASS
#define GPU_TOO(classname) REGISTER_GPU_FORM(classname)
#define CPU_AND_GPU(classname) REGISTER_GPU_FORM(classname)
#define UPDATE_ON_CPU_AND_GPU(classname)                                                            \
  template <typename Dtype>                                                                         \
  bool AddStepOf##classname() {                                                                     \
    GpuStep<classname<Dtype>, int, Dtype>::run = [](classname<Dtype>* solver, int id, Dtype rate) { \
      solver->template UpdateOn<OnGpu>(id, rate);                                                   \
    };                                                                                              \
    return true;                                                                                    \
  }                                                                                                 \
  static const bool g_gpu_step_f_##classname = AddStepOf##classname<float>();                       \
  static const bool g_gpu_step_d_##classname = AddStepOf##classname<double>()
#else
#define UPDATE_ON_CPU_AND_GPU(classname)                                                 \
  template <typename Dtype>                                                              \
  void classname<Dtype>::ComputeUpdateValue(int param_id, Dtype rate) {                  \
    const auto on_gpu = GpuStep<classname, int, Dtype>::run;                             \
    const bool gpu = Caffe::mode() == Caffe::GPU && on_gpu != nullptr;                   \
    gpu ? on_gpu(this, param_id, rate) : this->template UpdateOn<OnCpu>(param_id, rate); \
  }                                                                                      \
  static_assert(true)
#define GPU_TOO(classname) static_assert(true)
#define CPU_AND_GPU(classname)                                                                              \
  template <typename Dtype>                                                                                 \
  void classname<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) { \
    this->template ForwardOn<OnCpu>(bottom, top);                                                           \
  }                                                                                                         \
  template <typename Dtype>                                                                                 \
  void classname<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,  \
                                      const vector<Blob<Dtype>*>& bottom) {                                 \
    this->template BackwardOn<OnCpu>(top, propagate_down, bottom);                                          \
  }                                                                                                         \
  static_assert(true)
#endif

// OnGpu itself.
#ifdef CAFFE_GPU_PASS
#include "on_gpu.cuh"
#endif
