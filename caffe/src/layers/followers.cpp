#include "followers.hpp"

#include <typeinfo>

namespace caffe {

template <typename Dtype>
bool Followers<Dtype>::Add(Layer<Dtype>* layer) {
  const std::type_info& type = typeid(*layer);  // a class derived from one of these may do something else
  if (relu != nullptr) return false;
  if (type == typeid(ReLULayer<Dtype>)) {
    relu = static_cast<ReLULayer<Dtype>*>(layer);
    return true;
  }
  if (scale != nullptr) return false;
  if (type == typeid(ScaleLayer<Dtype>)) {
    const LayerParameter& param = layer->layer_param();
    const bool of_channels =
        param.bottom_size() == 1 && param.scale_param().axis() == 1 && param.scale_param().num_axes() == 1;
    scale = of_channels ? static_cast<ScaleLayer<Dtype>*>(layer) : nullptr;
    return of_channels;
  }
  if (norm != nullptr || type != typeid(BatchNormLayer<Dtype>)) return false;
  auto* next = static_cast<BatchNormLayer<Dtype>*>(layer);
  norm = next->use_global_stats() ? next : nullptr;
  return norm != nullptr;
}

template struct Followers<float>;
template struct Followers<double>;

}  // namespace caffe
