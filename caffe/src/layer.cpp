#include "caffe/layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {
namespace {

template <typename Dtype>
map<std::type_index, GpuForm<Dtype>>& GpuForms() {
  static map<std::type_index, GpuForm<Dtype>> forms;
  return forms;
}

}  // namespace

template <typename Dtype>
const GpuForm<Dtype>* GpuForm<Dtype>::Find(const std::type_info& type) {
  const auto found = GpuForms<Dtype>().find(type);
  return found == GpuForms<Dtype>().end() ? nullptr : &found->second;
}

template <typename Dtype>
bool GpuForm<Dtype>::Add(const std::type_info& type, const GpuForm& form) {
  return GpuForms<Dtype>().emplace(type, form).second;
}

template <typename Dtype>
Layer<Dtype>::Layer(const LayerParameter& param) : layer_param_(param), phase_(param.phase()) {
  for (const BlobProto& proto : param.blobs()) {
    blobs_.push_back(std::make_shared<Blob<Dtype>>());
    blobs_.back()->FromProto(proto);
  }
}

template <typename Dtype>
void Layer<Dtype>::SetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CheckBlobCounts(bottom, top);
  LayerSetUp(bottom, top);
  Reshape(bottom, top);
  SetLossWeights(top);
}

template <typename Dtype>
Dtype Layer<Dtype>::Forward(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  Reshape(bottom, top);
  if (Caffe::mode() == Caffe::GPU) {
    Forward_gpu(bottom, top);
  } else {
    Forward_cpu(bottom, top);
  }
  Dtype total = 0;
  for (size_t i = 0; i < top.size(); ++i) {
    // The weight stands in every element of the diff (SetLossWeights).
    if (loss(static_cast<int>(i)) != 0) {
      total += caffe_cpu_dot(top[i]->count(), top[i]->cpu_data(), top[i]->cpu_diff());
    }
  }
  return total;
}

template <typename Dtype>
void Layer<Dtype>::Backward(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
  if (Caffe::mode() == Caffe::GPU) {
    Backward_gpu(top, propagate_down, bottom);
  } else {
    Backward_cpu(top, propagate_down, bottom);
  }
}

template <typename Dtype>
void Layer<Dtype>::Forward_gpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  GpuRuntime::Require();
  const GpuForm<Dtype>* form = GpuForm<Dtype>::Find(typeid(*this));
  form != nullptr ? form->forward(this, bottom, top) : Forward_cpu(bottom, top);
}

template <typename Dtype>
void Layer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                const vector<Blob<Dtype>*>& bottom) {
  GpuRuntime::Require();
  const GpuForm<Dtype>* form = GpuForm<Dtype>::Find(typeid(*this));
  form != nullptr ? form->backward(this, top, propagate_down, bottom) : Backward_cpu(top, propagate_down, bottom);
}

template <typename Dtype>
void Layer<Dtype>::ToProto(LayerParameter* param, bool write_diff) {
  *param = layer_param_;
  param->clear_blobs();
  for (const auto& blob : blobs_) blob->ToProto(param->add_blobs(), write_diff);
}

template <typename Dtype>
Dtype Layer<Dtype>::loss(int top_index) const {
  return top_index >= 0 && top_index < static_cast<int>(loss_.size()) ? loss_[top_index] : Dtype(0);
}

template <typename Dtype>
void Layer<Dtype>::set_loss(int top_index, Dtype value) {
  if (static_cast<int>(loss_.size()) <= top_index) loss_.resize(top_index + 1, Dtype(0));
  loss_[top_index] = value;
}

template <typename Dtype>
bool Layer<Dtype>::param_propagate_down(int param_id) const {
  return param_id >= 0 && param_id < static_cast<int>(param_propagate_down_.size()) && param_propagate_down_[param_id];
}

template <typename Dtype>
void Layer<Dtype>::set_param_propagate_down(int param_id, bool value) {
  if (static_cast<int>(param_propagate_down_.size()) <= param_id) param_propagate_down_.resize(param_id + 1, true);
  param_propagate_down_[param_id] = value;
}

template <typename Dtype>
void Layer<Dtype>::CheckBlobCounts(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const auto check = [](const char* what, int actual, int exact, int min, int max) {
    CAFFE_REQUIRE(exact < 0 || actual == exact) << "takes exactly " << exact << " " << what << " blobs, got " << actual;
    CAFFE_REQUIRE(min < 0 || actual >= min) << "takes at least " << min << " " << what << " blobs, got " << actual;
    CAFFE_REQUIRE(max < 0 || actual <= max) << "takes at most " << max << " " << what << " blobs, got " << actual;
  };
  const int bottoms = static_cast<int>(bottom.size());
  const int tops = static_cast<int>(top.size());
  check("bottom", bottoms, ExactNumBottomBlobs(), MinBottomBlobs(), MaxBottomBlobs());
  check("top", tops, ExactNumTopBlobs(), MinTopBlobs(), MaxTopBlobs());
  CAFFE_REQUIRE(!EqualNumBottomTopBlobs() || bottoms == tops)
      << "takes as many top as bottom blobs, got " << bottoms << " bottom and " << tops << " top blobs";
}

template <typename Dtype>
void Layer<Dtype>::SetLossWeights(const vector<Blob<Dtype>*>& top) {
  const int count = layer_param_.loss_weight_size();
  if (count == 0) return;
  CAFFE_REQUIRE(count == static_cast<int>(top.size()))
      << "has " << count << " loss weights for " << top.size() << " top blobs; there must be none or one for each";
  for (int i = 0; i < count; ++i) {
    const Dtype weight = layer_param_.loss_weight(i);
    if (weight == 0) continue;
    set_loss(i, weight);
    caffe_set(top[i]->count(), weight, top[i]->mutable_cpu_diff());
  }
}

INSTANTIATE_CLASS(Layer);
template struct GpuForm<float>;
template struct GpuForm<double>;

}  // namespace caffe
