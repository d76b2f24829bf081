// Convolutions that do the work of the in-place layers behind them.
//
// BatchNorm (in TEST phase), Scale and ReLU that change the top of a convolution in place leave nothing of what was
// there before: after a pass over all of them, the blob holds the same whether they ran one by one or as one. So they
// run as one in such a pass, and one by one where the pass ends between them or someone is called between layers.
#include <algorithm>

#include "caffe/followers.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/net.hpp"
#include "caffe/util/in_layer.hpp"

namespace caffe {

template <typename Dtype>
void Net<Dtype>::PlanFusion() {
  const int count = static_cast<int>(layers_.size());
  fused_.assign(count, {});
  for (int i = 0; i < count; ++i) {
    const auto* convolution = dynamic_cast<ConvolutionLayer<Dtype>*>(layers_[i].get());
    if (convolution == nullptr || top_id_vecs_[i].size() != 1) continue;
    const vector<int> blob = top_id_vecs_[i];
    Followers<Dtype> followers;
    for (int j = i + 1; j < count; ++j) {
      const auto touches = [&](const vector<int>& ids) { return std::count(ids.begin(), ids.end(), blob[0]) > 0; };
      if (!touches(bottom_id_vecs_[j]) && !touches(top_id_vecs_[j])) continue;
      const bool has_loss = layers_[j]->loss(0) != 0 || convolution->loss(0) != 0;
      if (bottom_id_vecs_[j] != blob || top_id_vecs_[j] != blob || has_loss) break;
      if (!followers.Add(layers_[j].get())) break;
      fused_[i].push_back(j);
    }
  }
}

template <typename Dtype>
bool Net<Dtype>::MayFuse(int i, int end) const {
  return !fused_[i].empty() && fused_[i].back() <= end && !debug_info_ && before_forward_.empty() &&
         after_forward_.empty() && Caffe::mode() == Caffe::CPU;
}

template <typename Dtype>
bool Net<Dtype>::ForwardFused(int i) {
  Followers<Dtype> followers;
  for (const int follower : fused_[i]) followers.Add(layers_[follower].get());
  auto& convolution = static_cast<ConvolutionLayer<Dtype>&>(*layers_[i]);
  if (!convolution.ForwardWith(followers, bottom_vecs_[i], top_vecs_[i])) return false;
  // ReLU's Backward reads the top alone.
  if (followers.norm || followers.scale) ran_fused_.insert(i);
  return true;
}

template <typename Dtype>
void Net<Dtype>::RunFusedApart() {
  for (const int i : ran_fused_) {
    const auto run = [&](int layer) {
      InLayer(layers_[layer]->layer_param(), [&] { layers_[layer]->Forward(bottom_vecs_[layer], top_vecs_[layer]); });
    };
    // Layers that were not fused may have changed the blob in place since.
    const Blob<Dtype>& top = *top_vecs_[i][0];
    const auto* now = static_cast<const Dtype*>(top.data()->transient_data(false));
    const vector<Dtype> kept(now, now + top.count());
    run(i);
    for (const int follower : fused_[i]) run(follower);
    std::copy(kept.begin(), kept.end(), static_cast<Dtype*>(top.data()->transient_data(true)));
  }
  ran_fused_.clear();
}

template void Net<float>::PlanFusion();
template void Net<double>::PlanFusion();
template bool Net<float>::MayFuse(int, int) const;
template bool Net<double>::MayFuse(int, int) const;
template bool Net<float>::ForwardFused(int);
template bool Net<double>::ForwardFused(int);
template void Net<float>::RunFusedApart();
template void Net<double>::RunFusedApart();

}  // namespace caffe
