// DnnLibrary by cuDNN: in builds that find it. Products are those of float32 or double, not of TF32.
#include <cudnn.h>

#include <map>
#include <optional>
#include <utility>

#include "dnn_library.cuh"
#include "on_gpu.cuh"

namespace caffe {
namespace {

constexpr size_t kMostWorkspace = size_t{1} << 28;
// Shapes whose descriptors a thread keeps.
constexpr size_t kMostPlans = 1024;

void CheckDnn(cudnnStatus_t status) {
  if (status != CUDNN_STATUS_SUCCESS) throw Error(string("GPU: cuDNN: ") + cudnnGetErrorString(status));
}

cudnnHandle_t DnnHandle() {
  cudnnHandle_t& handle = gpu::OfDevice<cudnnHandle_t>();
  if (handle == nullptr) CheckDnn(cudnnCreate(&handle));
  return handle;
}

// What cuDNN makes and unmakes.
template <typename Descriptor, cudnnStatus_t (*Create)(Descriptor*), cudnnStatus_t (*Destroy)(Descriptor)>
class Owned {
 public:
  Owned() { CheckDnn(Create(&descriptor_)); }
  ~Owned() { Destroy(descriptor_); }
  Descriptor get() const { return descriptor_; }

 private:
  Descriptor descriptor_ = nullptr;

  DISABLE_COPY_AND_ASSIGN(Owned);
};
using DnnTensor = Owned<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using DnnFilter = Owned<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using DnnOperation =
    Owned<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;
using DnnWindows = Owned<cudnnPoolingDescriptor_t, cudnnCreatePoolingDescriptor, cudnnDestroyPoolingDescriptor>;

// How cuDNN would do one of the three; `algorithm` is what it asks for in the call.
template <typename Answer>
struct Way {
  decltype(Answer::algo) algorithm;
  size_t workspace;
};

// ask(most, &count, answers) gets ways from cuDNN, the fastest first.
template <typename Answer, typename Ask>
std::optional<Way<Answer>> BestWay(Ask ask) {
  constexpr int kMost = 16;
  Answer answers[kMost];
  int count = 0;
  if (ask(kMost, &count, answers) != CUDNN_STATUS_SUCCESS) return std::nullopt;
  for (int i = 0; i < count; ++i) {
    const Answer& answer = answers[i];
    const bool good = answer.status == CUDNN_STATUS_SUCCESS && answer.determinism == CUDNN_DETERMINISTIC;
    if (good && answer.memory <= kMostWorkspace) return Way<Answer>{answer.algo, answer.memory};
  }
  return std::nullopt;
}

// (outer, inner, sizes), in plain order.
vector<int> Dims(int outer, int inner, const vector<int>& sizes) {
  vector<int> dims = {outer, inner};
  dims.insert(dims.end(), sizes.begin(), sizes.end());
  return dims;
}
void Describe(const DnnTensor& tensor, cudnnDataType_t type, const vector<int>& dims) {
  vector<int> steps(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) steps[i - 1] = steps[i] * dims[i];
  CheckDnn(cudnnSetTensorNdDescriptor(tensor.get(), type, static_cast<int>(dims.size()), dims.data(), steps.data()));
}

// One shape on one device.
struct ConvolutionPlan {
  DnnTensor in, out;
  DnnFilter weights;
  DnnOperation operation;
  std::optional<Way<cudnnConvolutionFwdAlgoPerf_t>> forward;
  std::optional<Way<cudnnConvolutionBwdDataAlgoPerf_t>> back;
  std::optional<Way<cudnnConvolutionBwdFilterAlgoPerf_t>> gradient;

  ConvolutionPlan(const gpu::ConvolutionShape& shape, cudnnDataType_t type) {
    const int axes = static_cast<int>(shape.in.size());
    Describe(in, type, Dims(shape.images, shape.in_channels, shape.in));
    Describe(out, type, Dims(shape.images, shape.out_channels, shape.out));
    const vector<int> kernel = Dims(shape.out_channels, shape.in_channels / shape.groups, shape.kernel);
    CheckDnn(cudnnSetFilterNdDescriptor(weights.get(), type, CUDNN_TENSOR_NCHW, axes + 2, kernel.data()));
    CheckDnn(cudnnSetConvolutionNdDescriptor(operation.get(), axes, shape.pad.data(), shape.stride.data(),
                                             shape.dilation.data(), CUDNN_CROSS_CORRELATION, type));
    CheckDnn(cudnnSetConvolutionGroupCount(operation.get(), shape.groups));
    CheckDnn(cudnnSetConvolutionMathType(operation.get(), CUDNN_FMA_MATH));
    forward = BestWay<cudnnConvolutionFwdAlgoPerf_t>([&](int most, int* count, auto* answers) {
      return cudnnGetConvolutionForwardAlgorithm_v7(DnnHandle(), in.get(), weights.get(), operation.get(), out.get(),
                                                    most, count, answers);
    });
    back = BestWay<cudnnConvolutionBwdDataAlgoPerf_t>([&](int most, int* count, auto* answers) {
      return cudnnGetConvolutionBackwardDataAlgorithm_v7(DnnHandle(), weights.get(), out.get(), operation.get(),
                                                         in.get(), most, count, answers);
    });
    gradient = BestWay<cudnnConvolutionBwdFilterAlgoPerf_t>([&](int most, int* count, auto* answers) {
      return cudnnGetConvolutionBackwardFilterAlgorithm_v7(DnnHandle(), in.get(), out.get(), operation.get(),
                                                           weights.get(), most, count, answers);
    });
  }
};

struct WindowPlan {
  DnnTensor in, out;
  DnnWindows operation;

  WindowPlan(const gpu::WindowShape& shape, cudnnDataType_t type) {
    Describe(in, type, {shape.images, shape.channels, shape.in[0], shape.in[1]});
    Describe(out, type, {shape.images, shape.channels, shape.out[0], shape.out[1]});
    CheckDnn(cudnnSetPooling2dDescriptor(operation.get(), CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING,
                                         CUDNN_PROPAGATE_NAN, shape.kernel[0], shape.kernel[1], shape.pad[0],
                                         shape.pad[1], shape.stride[0], shape.stride[1]));
  }
};

// That of this shape, for this thread and its device.
template <typename Plan, typename Dtype, typename Shape>
const Plan& PlanOf(const Shape& shape) {
  auto& plans = gpu::OfDevice<std::map<std::pair<cudnnDataType_t, Shape>, Plan>>();
  const cudnnDataType_t type = sizeof(Dtype) == sizeof(float) ? CUDNN_DATA_FLOAT : CUDNN_DATA_DOUBLE;
  const auto found = plans.find({type, shape});
  if (found != plans.end()) return found->second;
  if (plans.size() >= kMostPlans) plans.clear();
  return plans.try_emplace({type, shape}, shape, type).first->second;
}

// False: it has no such windows.
bool DoneByDnn(cudnnStatus_t status) {
  if (status == CUDNN_STATUS_NOT_SUPPORTED) return false;
  CheckDnn(status);
  return true;
}

// Room for this thread's call.
void* Workspace(size_t bytes) {
  return bytes == 0 ? nullptr : gpu::Scratch<double>(static_cast<int>((bytes + sizeof(double) - 1) / sizeof(double)));
}

template <typename Dtype>
class Dnn : public gpu::DnnLibrary<Dtype> {
 public:
  bool Convolve(const gpu::ConvolutionShape& shape, const Dtype* in, const Dtype* weights, Dtype* out) override {
    const ConvolutionPlan& plan = PlanOf<ConvolutionPlan, Dtype>(shape);
    if (!plan.forward) return false;
    const auto [algorithm, bytes] = *plan.forward;
    CheckDnn(cudnnConvolutionForward(DnnHandle(), &kOne, plan.in.get(), in, plan.weights.get(), weights,
                                     plan.operation.get(), algorithm, Workspace(bytes), bytes, &kZero, plan.out.get(),
                                     out));
    return true;
  }
  bool ConvolveBack(const gpu::ConvolutionShape& shape, const Dtype* out, const Dtype* weights, Dtype* in) override {
    const ConvolutionPlan& plan = PlanOf<ConvolutionPlan, Dtype>(shape);
    if (!plan.back) return false;
    const auto [algorithm, bytes] = *plan.back;
    CheckDnn(cudnnConvolutionBackwardData(DnnHandle(), &kOne, plan.weights.get(), weights, plan.out.get(), out,
                                          plan.operation.get(), algorithm, Workspace(bytes), bytes, &kZero,
                                          plan.in.get(), in));
    return true;
  }
  bool AddWeightGradient(const gpu::ConvolutionShape& shape, const Dtype* in, const Dtype* out,
                         Dtype* weights) override {
    const ConvolutionPlan& plan = PlanOf<ConvolutionPlan, Dtype>(shape);
    if (!plan.gradient) return false;
    const auto [algorithm, bytes] = *plan.gradient;
    CheckDnn(cudnnConvolutionBackwardFilter(DnnHandle(), &kOne, plan.in.get(), in, plan.out.get(), out,
                                            plan.operation.get(), algorithm, Workspace(bytes), bytes, &kOne,
                                            plan.weights.get(), weights));
    return true;
  }
  bool Average(const gpu::WindowShape& shape, const Dtype* x, Dtype* y) override {
    const WindowPlan& plan = PlanOf<WindowPlan, Dtype>(shape);
    return DoneByDnn(
        cudnnPoolingForward(DnnHandle(), plan.operation.get(), &kOne, plan.in.get(), x, &kZero, plan.out.get(), y));
  }
  bool AverageBack(const gpu::WindowShape& shape, const Dtype* x, const Dtype* y, const Dtype* dy, Dtype* dx) override {
    const WindowPlan& plan = PlanOf<WindowPlan, Dtype>(shape);
    return DoneByDnn(cudnnPoolingBackward(DnnHandle(), plan.operation.get(), &kOne, plan.out.get(), y, plan.out.get(),
                                          dy, plan.in.get(), x, &kZero, plan.in.get(), dx));
  }

 private:
  static constexpr Dtype kOne = 1, kZero = 0;
};

template <typename Dtype>
bool AddDnn() {
  gpu::DnnLibrary<Dtype>::of_build = new Dnn<Dtype>;  // not destroyed
  return true;
}
[[maybe_unused]] const bool g_has_dnn = AddDnn<float>() && AddDnn<double>();

}  // namespace
}  // namespace caffe
