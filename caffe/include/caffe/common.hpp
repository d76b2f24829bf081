// What every header of the engine stands on: names taken from std, the macros a layer is written with, and the
// thread-local state of the library (mode, random numbers).
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

#define DISABLE_COPY_AND_ASSIGN(classname) \
 private:                                  \
  classname(const classname&) = delete;    \
  classname& operator=(const classname&) = delete

// Layers are instantiated for float and double in their own source file.
#define INSTANTIATE_CLASS(classname) \
  template class classname<float>;   \
  template class classname<double>

// A build without CUDA has no GPU bodies: these say so when they are called.
#define NO_GPU throw ::caffe::Error("this build has no GPU support: use CPU mode")
#define STUB_GPU(classname)                                                                                           \
  template <typename Dtype>                                                                                           \
  void classname<Dtype>::Forward_gpu(const std::vector<Blob<Dtype>*>& bottom, const std::vector<Blob<Dtype>*>& top) { \
    NO_GPU;                                                                                                           \
  }                                                                                                                   \
  template <typename Dtype>                                                                                           \
  void classname<Dtype>::Backward_gpu(const std::vector<Blob<Dtype>*>& top, const std::vector<bool>& propagate_down,  \
                                      const std::vector<Blob<Dtype>*>& bottom) {                                      \
    NO_GPU;                                                                                                           \
  }

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

  static Caffe& Get();
  static Brew mode() { return Get().mode_; }
  // GPU throws Error in a build without CUDA.
  static void set_mode(Brew mode);

  // Random numbers of fillers, Dropout, shuffling and the transformer. set_random_seed makes them repeat; without it
  // each thread draws its own seed from the system.
  static void set_random_seed(unsigned int seed);
  static std::mt19937& rng() { return Get().rng_; }

  // Data-parallel training has not more than one solver here: 1, 0, true, false.
  static int solver_count() { return 1; }
  static int solver_rank() { return 0; }
  static bool root_solver() { return true; }
  static bool multiprocess() { return false; }

 private:
  Caffe();
  Brew mode_ = CPU;
  std::mt19937 rng_;

  DISABLE_COPY_AND_ASSIGN(Caffe);
};

// A fresh seed for a generator: from Caffe::rng(), so it repeats under set_random_seed.
unsigned int caffe_rng_rand();

}  // namespace caffe
