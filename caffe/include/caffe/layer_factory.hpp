// The registry that makes layers by the name of their type.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
class Layer;

template <typename Dtype>
class LayerRegistry {
 public:
  typedef shared_ptr<Layer<Dtype>> (*Creator)(const LayerParameter&);
  typedef std::map<string, Creator> CreatorRegistry;

  static CreatorRegistry& Registry();
  // Throws Error for a type that is registered already.
  static void AddCreator(const string& type, Creator creator);
  // Throws Error for an unknown type, naming those known.
  static shared_ptr<Layer<Dtype>> CreateLayer(const LayerParameter& param);
  static vector<string> LayerTypeList();

 private:
  LayerRegistry() = delete;
};

template <typename Dtype>
class LayerRegisterer {
 public:
  LayerRegisterer(const string& type, shared_ptr<Layer<Dtype>> (*creator)(const LayerParameter&)) {
    LayerRegistry<Dtype>::AddCreator(type, creator);
  }
};

}  // namespace caffe

#define REGISTER_LAYER_CREATOR(type, creator)                                       \
  static ::caffe::LayerRegisterer<float> g_creator_f_##type(#type, creator<float>); \
  static ::caffe::LayerRegisterer<double> g_creator_d_##type(#type, creator<double>)

// Registers class <type>Layer under the name <type>.
#ifdef CAFFE_GPU_PASS
#define REGISTER_LAYER_CLASS(type) static_assert(true)
#else
#define REGISTER_LAYER_CLASS(type)                                                                         \
  template <typename Dtype>                                                                                \
  ::caffe::shared_ptr<::caffe::Layer<Dtype>> Creator_##type##Layer(const ::caffe::LayerParameter& param) { \
    return ::caffe::shared_ptr<::caffe::Layer<Dtype>>(new type##Layer<Dtype>(param));                      \
  }                                                                                                        \
  REGISTER_LAYER_CREATOR(type, Creator_##type##Layer)
#endif
