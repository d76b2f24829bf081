// The registry that makes solvers by the name of their type.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
class Solver;

template <typename Dtype>
class SolverRegistry {
 public:
  typedef Solver<Dtype>* (*Creator)(const SolverParameter&);
  typedef std::map<string, Creator> CreatorRegistry;

  static CreatorRegistry& Registry();
  // Throws Error for a type that is registered already.
  static void AddCreator(const string& type, Creator creator);
  // Throws Error for an unknown type, naming those known. The caller owns the result, as in Caffe.
  static Solver<Dtype>* CreateSolver(const SolverParameter& param);
  static vector<string> SolverTypeList();

 private:
  SolverRegistry() = delete;
};

template <typename Dtype>
class SolverRegisterer {
 public:
  SolverRegisterer(const string& type, Solver<Dtype>* (*creator)(const SolverParameter&)) {
    SolverRegistry<Dtype>::AddCreator(type, creator);
  }
};

}  // namespace caffe

#define REGISTER_SOLVER_CREATOR(type, creator)                                              \
  static ::caffe::SolverRegisterer<float> g_solver_creator_f_##type(#type, creator<float>); \
  static ::caffe::SolverRegisterer<double> g_solver_creator_d_##type(#type, creator<double>)

// Registers class <type>Solver under the name <type>.
#ifdef CAFFE_GPU_PASS
#define REGISTER_SOLVER_CLASS(type) static_assert(true)
#else
#define REGISTER_SOLVER_CLASS(type)                                                       \
  template <typename Dtype>                                                               \
  ::caffe::Solver<Dtype>* Creator_##type##Solver(const ::caffe::SolverParameter& param) { \
    return new type##Solver<Dtype>(param);                                                \
  }                                                                                       \
  REGISTER_SOLVER_CREATOR(type, Creator_##type##Solver)
#endif
