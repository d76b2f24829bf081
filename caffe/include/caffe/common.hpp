// What every header of the engine stands on: names taken from std, the macros a layer is written with, and the
// thread-local state of the library (mode, random numbers, solvers).
#pragma once

#include <gflags/gflags.h>
#include <glog/logging.h>

#include <climits>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "caffe/error.hpp"
#include "caffe/util/device_alternate.hpp"

#define DISABLE_COPY_AND_ASSIGN(classname) \
 private:                                  \
  classname(const classname&) = delete;    \
  classname& operator=(const classname&) = delete

// Layers are instantiated for float and double in their own source file, and the bodies of their GPU members, where
// there are any, in their own .cu file. The GPU's pass over a source file (caffe/util/where.hpp) instantiates nothing.
#ifdef CAFFE_GPU_PASS
#define INSTANTIATE_CLASS(classname) static_assert(true)
#else
#define INSTANTIATE_CLASS(classname) \
  template class classname<float>;   \
  template class classname<double>
#endif
#define INSTANTIATE_LAYER_GPU_FORWARD(classname)                                                  \
  template void classname<float>::Forward_gpu(const std::vector<::caffe::Blob<float>*>& bottom,   \
                                              const std::vector<::caffe::Blob<float>*>& top);     \
  template void classname<double>::Forward_gpu(const std::vector<::caffe::Blob<double>*>& bottom, \
                                               const std::vector<::caffe::Blob<double>*>& top)
#define INSTANTIATE_LAYER_GPU_BACKWARD(classname)                                                 \
  template void classname<float>::Backward_gpu(const std::vector<::caffe::Blob<float>*>& top,     \
                                               const std::vector<bool>& propagate_down,           \
                                               const std::vector<::caffe::Blob<float>*>& bottom); \
  template void classname<double>::Backward_gpu(const std::vector<::caffe::Blob<double>*>& top,   \
                                                const std::vector<bool>& propagate_down,          \
                                                const std::vector<::caffe::Blob<double>*>& bottom)
#define INSTANTIATE_LAYER_GPU_FUNCS(classname) \
  INSTANTIATE_LAYER_GPU_FORWARD(classname);    \
  INSTANTIATE_LAYER_GPU_BACKWARD(classname)

#define STRINGIFY(text) #text
#define AS_STRING(macro) STRINGIFY(macro)

#define NOT_IMPLEMENTED LOG(FATAL) << "this operation does not exist for this layer"

namespace caffe {

using std::fstream;
using std::ios;
using std::isinf;
using std::isnan;
using std::iterator;
using std::make_pair;
using std::map;
using std::ostringstream;
using std::pair;
using std::set;
using std::shared_ptr;
using std::string;
using std::stringstream;
using std::vector;

// Version printed by `caffe --version` and held by caffe.__version__ in Python: the interface this engine speaks.
constexpr const char* kCaffeVersion = "1.0.0";

// Starts logging and parses the command line flags. Call once, first thing in main().
void GlobalInit(int* pargc, char*** pargv);

// The state of the library in this thread.
class Caffe {
 public:
  enum Brew { CPU, GPU };

  // A Mersenne twister (mt19937). Copies go on with the same generator.
  class RNG {
   public:
    // Seeded by the system.
    RNG();
    explicit RNG(unsigned int seed);
    // The std::mt19937; caffe/util/rng.hpp has it typed.
    void* generator() { return generator_.get(); }

   private:
    shared_ptr<std::mt19937> generator_;
  };

  static Caffe& Get();
  static Brew mode() { return Get().mode_; }
  // In a build without CUDA, GPU is remembered and the first computation throws Error.
  static void set_mode(Brew mode) { Get().mode_ = mode; }

  // Random numbers of fillers, Dropout, shuffling and the transformer. set_random_seed makes them repeat; without it
  // each thread draws its own seed from the system.
  static void set_random_seed(unsigned int seed);
  static RNG& rng_stream() { return Get().rng_stream_; }
  static std::mt19937& rng() { return *static_cast<std::mt19937*>(rng_stream().generator()); }

  // The GPU that this thread works on; what it is, into the log; whether it can be used; the first that can, from
  // start_id on. Without CUDA there is none: SetDevice and DeviceQuery throw Error, CheckDevice is false, FindDevice
  // is -1.
  static void SetDevice(int device_id);
  static void DeviceQuery();
  static bool CheckDevice(int device_id);
  static int FindDevice(int start_id = 0);

  // Which of several solvers, each in a thread of its own, this thread belongs to.
  static int solver_count() { return Get().solver_count_; }
  static void set_solver_count(int value) { Get().solver_count_ = value; }
  static int solver_rank() { return Get().solver_rank_; }
  static void set_solver_rank(int value) { Get().solver_rank_ = value; }
  static bool multiprocess() { return Get().multiprocess_; }
  static void set_multiprocess(bool value) { Get().multiprocess_ = value; }
  // Of several, one writes the log.
  static bool root_solver() { return solver_rank() == 0; }

 private:
  Caffe() = default;
  Brew mode_ = CPU;
  RNG rng_stream_;
  int solver_count_ = 1;
  int solver_rank_ = 0;
  bool multiprocess_ = false;

  DISABLE_COPY_AND_ASSIGN(Caffe);
};

// A fresh seed for a generator: from Caffe::rng(), so it repeats under set_random_seed.
unsigned int caffe_rng_rand();

}  // namespace caffe
