#include "caffe/followers.hpp"

#include <cmath>
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

// y = s (x - mean) / deviation + t.
template <typename Dtype>
vector<typename Followers<Dtype>::ChannelMap> Followers<Dtype>::ChannelMaps(int channels) const {
  vector<ChannelMap> maps(channels);
  if (norm != nullptr) {
    const auto& stored = norm->blobs();
    const Dtype factor = stored[2]->cpu_data()[0];
    const double unit = factor == 0 ? 0 : 1.0 / factor;
    const double eps = norm->layer_param().batch_norm_param().eps();
    for (int c = 0; c < channels; ++c) {
      maps[c].gain = 1 / std::sqrt(stored[1]->cpu_data()[c] * unit + eps);
      maps[c].shift = -stored[0]->cpu_data()[c] * unit * maps[c].gain;
    }
  }
  if (scale != nullptr) {
    const auto& blobs = scale->blobs();
    for (int c = 0; c < channels; ++c) {
      maps[c].gain *= blobs[0]->cpu_data()[c];
      maps[c].shift = maps[c].shift * blobs[0]->cpu_data()[c] + (blobs.size() > 1 ? blobs[1]->cpu_data()[c] : 0);
    }
  }
  return maps;
}

template struct Followers<float>;
template struct Followers<double>;

}  // namespace caffe
