// What a Net with debug_info logs: where signals and gradients grow or die.
#include <cmath>

#include "caffe/net.hpp"

namespace caffe {
namespace {

template <typename Dtype>
Dtype MeanMagnitude(Dtype sum_of_magnitudes, int count) {
  return count > 0 ? sum_of_magnitudes / count : Dtype(0);
}
template <typename Dtype>
Dtype MeanData(const Blob<Dtype>& blob) {
  return MeanMagnitude(blob.asum_data(), blob.count());
}
template <typename Dtype>
Dtype MeanDiff(const Blob<Dtype>& blob) {
  return MeanMagnitude(blob.asum_diff(), blob.count());
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::InputDebugInfo() {
  for (size_t i = 0; i < net_input_blobs_.size(); ++i) {
    LOG(INFO) << "    [Forward] Input " << blob_names_[net_input_blob_indices_[i]]
              << " data: " << MeanData(*net_input_blobs_[i]);
  }
}

template <typename Dtype>
void Net<Dtype>::ForwardDebugInfo(int layer_id) {
  for (size_t i = 0; i < top_vecs_[layer_id].size(); ++i) {
    LOG(INFO) << "    [Forward] Layer " << layer_names_[layer_id] << ", top blob "
              << blob_names_[top_id_vecs_[layer_id][i]] << " data: " << MeanData(*top_vecs_[layer_id][i]);
  }
  for (size_t i = 0; i < layers_[layer_id]->blobs().size(); ++i) {
    LOG(INFO) << "    [Forward] Layer " << layer_names_[layer_id] << ", param blob "
              << param_display_names_[param_id_vecs_[layer_id][i]]
              << " data: " << MeanData(*layers_[layer_id]->blobs()[i]);
  }
}

template <typename Dtype>
void Net<Dtype>::BackwardDebugInfo(int layer_id) {
  for (size_t i = 0; i < bottom_vecs_[layer_id].size(); ++i) {
    if (!bottom_need_backward_[layer_id][i]) continue;
    LOG(INFO) << "    [Backward] Layer " << layer_names_[layer_id] << ", bottom blob "
              << blob_names_[bottom_id_vecs_[layer_id][i]] << " diff: " << MeanDiff(*bottom_vecs_[layer_id][i]);
  }
  for (size_t i = 0; i < layers_[layer_id]->blobs().size(); ++i) {
    if (!layers_[layer_id]->param_propagate_down(static_cast<int>(i))) continue;
    LOG(INFO) << "    [Backward] Layer " << layer_names_[layer_id] << ", param blob " << i
              << " diff: " << MeanDiff(*layers_[layer_id]->blobs()[i]);
  }
}

template <typename Dtype>
void Net<Dtype>::AllParamsDebugInfo() {
  Dtype asum_data = 0, asum_diff = 0, sumsq_data = 0, sumsq_diff = 0;
  for (const Blob<Dtype>* param : learnable_params_) {
    asum_data += param->asum_data();
    asum_diff += param->asum_diff();
    sumsq_data += param->sumsq_data();
    sumsq_diff += param->sumsq_diff();
  }
  LOG(INFO) << "    [Backward] All net params (data, diff): L1 norm = (" << asum_data << ", " << asum_diff
            << "); L2 norm = (" << std::sqrt(sumsq_data) << ", " << std::sqrt(sumsq_diff) << ")";
}

template <typename Dtype>
void Net<Dtype>::UpdateDebugInfo(int param_id) {
  const Blob<Dtype>& blob = *params_[param_id];
  const int layer_id = param_layer_indices_[param_id].first;
  const int owner = param_owners_[param_id];
  if (owner < 0) {
    LOG(INFO) << "    [Update] Layer " << layer_names_[layer_id] << ", param " << param_display_names_[param_id]
              << " data: " << MeanData(blob) << "; diff: " << MeanDiff(blob);
  } else {
    LOG(INFO) << "    [Update] Layer " << layer_names_[layer_id] << ", param blob " << param_display_names_[param_id]
              << " (owned by layer " << layer_names_[param_layer_indices_[owner].first] << ", param "
              << param_display_names_[owner] << ") diff: " << MeanDiff(blob);
  }
}

#define INSTANTIATE_NET_DEBUG(Dtype)                \
  template void Net<Dtype>::InputDebugInfo();       \
  template void Net<Dtype>::ForwardDebugInfo(int);  \
  template void Net<Dtype>::BackwardDebugInfo(int); \
  template void Net<Dtype>::AllParamsDebugInfo();   \
  template void Net<Dtype>::UpdateDebugInfo(int)
INSTANTIATE_NET_DEBUG(float);
INSTANTIATE_NET_DEBUG(double);

}  // namespace caffe
