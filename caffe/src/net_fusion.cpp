// Layers that do the work of the in-place layers behind them.
//
// BatchNorm (in TEST phase), Scale and ReLU that change the top of a convolution in place leave nothing of what was
// there before: after a pass over all of them, the blob holds the same whether they ran one by one or as one. So they
// run as one in such a pass, and one by one where the pass ends between them or someone is called between layers. A
// BatchNorm in TRAIN phase, Scale and ReLU that change a blob in place run as one too, in both directions.
#include <algorithm>
#include <typeinfo>

#include "caffe/followers.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/net.hpp"
#include "caffe/util/in_layer.hpp"

namespace caffe {
namespace {

template <typename Dtype>
bool NormalizesBatches(const Layer<Dtype>& layer) {
  return typeid(layer) == typeid(BatchNormLayer<Dtype>) &&
         !static_cast<const BatchNormLayer<Dtype>&>(layer).use_global_stats();
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::PlanFusion() {
  const int count = static_cast<int>(layers_.size());
  fused_.assign(count, {});
  for (int i = 0; i < count; ++i) {
    const Layer<Dtype>& leader = *layers_[i];
    const bool convolution = dynamic_cast<const ConvolutionLayer<Dtype>*>(&leader) != nullptr;
    const vector<int> blob = top_id_vecs_[i];
    // Not in place, the gradient of a norm's top stands beside that of its bottom.
    const bool norm = NormalizesBatches(leader) && bottom_id_vecs_[i] == blob;
    if ((!convolution && !norm) || blob.size() != 1) continue;
    Followers<Dtype> followers;
    followers.norm = norm ? static_cast<BatchNormLayer<Dtype>*>(layers_[i].get()) : nullptr;
    for (int j = i + 1; j < count; ++j) {
      const auto touches = [&](const vector<int>& ids) { return std::count(ids.begin(), ids.end(), blob[0]) > 0; };
      if (!touches(bottom_id_vecs_[j]) && !touches(top_id_vecs_[j])) continue;
      const bool has_loss = layers_[j]->loss(0) != 0 || leader.loss(0) != 0;
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
Followers<Dtype> Net<Dtype>::FollowersOf(int i) const {
  Followers<Dtype> followers;
  for (const int follower : fused_[i]) followers.Add(layers_[follower].get());
  return followers;
}

template <typename Dtype>
bool Net<Dtype>::ForwardFused(int i) {
  const Followers<Dtype> followers = FollowersOf(i);
  const bool norm = NormalizesBatches(*layers_[i]);
  const auto forward = [&](auto& layer) { return layer.ForwardWith(followers, bottom_vecs_[i], top_vecs_[i]); };
  if (!(norm ? forward(static_cast<BatchNormLayer<Dtype>&>(*layers_[i]))
             : forward(static_cast<ConvolutionLayer<Dtype>&>(*layers_[i])))) {
    return false;
  }
  // ReLU's Backward reads the top alone.
  if (norm || followers.norm || followers.scale) ran_fused_.insert(i);
  return true;
}

template <typename Dtype>
void Net<Dtype>::RunFusedApart(int start, int end) {
  const bool watched = debug_info_ || !before_backward_.empty() || !after_backward_.empty();
  for (auto it = ran_fused_.begin(); it != ran_fused_.end();) {
    const int i = *it;
    const bool norm = NormalizesBatches(*layers_[i]);
    if (norm && fused_[i].back() <= start && i >= end && bottom_need_backward_[i][0] && !watched &&
        Caffe::mode() == Caffe::CPU) {
      ++it;
      continue;
    }
    const auto run = [&](int layer) {
      InLayer(layers_[layer]->layer_param(), [&] { layers_[layer]->Forward(bottom_vecs_[layer], top_vecs_[layer]); });
    };
    // Layers that were not fused may have changed the blob in place since.
    const Blob<Dtype>& top = *top_vecs_[i][0];
    const auto* now = static_cast<const Dtype*>(top.data()->transient_data(false));
    const vector<Dtype> kept(now, now + top.count());
    if (norm) {
      static_cast<BatchNormLayer<Dtype>&>(*layers_[i]).Repeat(bottom_vecs_[i], top_vecs_[i]);
    } else {
      run(i);
    }
    for (const int follower : fused_[i]) run(follower);
    std::copy(kept.begin(), kept.end(), static_cast<Dtype*>(top.data()->transient_data(true)));
    it = ran_fused_.erase(it);
  }
}

template <typename Dtype>
bool Net<Dtype>::BackwardFused(int i) {
  for (const int leader : ran_fused_) {
    const vector<int>& followers = fused_[leader];
    if (std::count(followers.begin(), followers.end(), i) > 0) return true;
    if (i == leader) {
      static_cast<BatchNormLayer<Dtype>&>(*layers_[i]).BackwardWith(FollowersOf(i), top_vecs_[i], bottom_vecs_[i]);
      return true;
    }
  }
  return false;
}

template void Net<float>::PlanFusion();
template void Net<double>::PlanFusion();
template bool Net<float>::MayFuse(int, int) const;
template bool Net<double>::MayFuse(int, int) const;
template bool Net<float>::ForwardFused(int);
template bool Net<double>::ForwardFused(int);
template void Net<float>::RunFusedApart(int, int);
template void Net<double>::RunFusedApart(int, int);
template bool Net<float>::BackwardFused(int);
template bool Net<double>::BackwardFused(int);

}  // namespace caffe
