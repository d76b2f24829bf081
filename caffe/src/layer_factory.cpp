#include "caffe/layer_factory.hpp"

#include "caffe/layer.hpp"

namespace caffe {

template <typename Dtype>
typename LayerRegistry<Dtype>::CreatorRegistry& LayerRegistry<Dtype>::Registry() {
  static CreatorRegistry registry;
  return registry;
}

template <typename Dtype>
void LayerRegistry<Dtype>::AddCreator(const string& type, Creator creator) {
  CAFFE_REQUIRE(Registry().emplace(type, creator).second) << "layer type " << type << " is registered twice";
}

template <typename Dtype>
shared_ptr<Layer<Dtype>> LayerRegistry<Dtype>::CreateLayer(const LayerParameter& param) {
  const auto found = Registry().find(param.type());
  if (found == Registry().end()) {
    ostringstream known;
    for (const string& type : LayerTypeList()) known << (known.tellp() > 0 ? ", " : "") << type;
    throw Error("Unknown layer type: " + param.type() + " (known types: " + known.str() + ")");
  }
  return found->second(param);
}

template <typename Dtype>
vector<string> LayerRegistry<Dtype>::LayerTypeList() {
  vector<string> types;
  for (const auto& entry : Registry()) types.push_back(entry.first);
  return types;
}

INSTANTIATE_CLASS(LayerRegistry);

}  // namespace caffe
