#include "caffe/layers/spp_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
LayerParameter SPPLayer<Dtype>::GetPoolingParam(int pyramid_level, int bottom_h, int bottom_w,
                                                const SPPParameter& spp_param) {
  const int64_t bins = 1 << pyramid_level;
  LayerParameter param;
  param.set_phase(this->phase_);
  PoolingParameter* pooling = param.mutable_pooling_param();
  const int kernel_h = static_cast<int>((bottom_h + bins - 1) / bins);
  const int kernel_w = static_cast<int>((bottom_w + bins - 1) / bins);
  // What the bins reach beyond the image: half above, the rest (which needs no pad to be cut off) below.
  const int pad_h = static_cast<int>((kernel_h * bins - bottom_h + 1) / 2);
  const int pad_w = static_cast<int>((kernel_w * bins - bottom_w + 1) / 2);
  CAFFE_REQUIRE(pad_h < kernel_h && pad_w < kernel_w)
      << "spp_param: an image of " << bottom_h << "x" << bottom_w << " cannot be cut into " << bins << "x" << bins
      << " bins (pyramid_height " << pyramid_height_ << ")";
  pooling->set_kernel_h(kernel_h);
  pooling->set_kernel_w(kernel_w);
  pooling->set_stride_h(kernel_h);
  pooling->set_stride_w(kernel_w);
  pooling->set_pad_h(pad_h);
  pooling->set_pad_w(pad_w);
  switch (spp_param.pool()) {
    case SPPParameter_PoolMethod_MAX:
      pooling->set_pool(PoolingParameter_PoolMethod_MAX);
      break;
    case SPPParameter_PoolMethod_AVE:
      pooling->set_pool(PoolingParameter_PoolMethod_AVE);
      break;
    case SPPParameter_PoolMethod_STOCHASTIC:
      pooling->set_pool(PoolingParameter_PoolMethod_STOCHASTIC);
      break;
  }
  return param;
}

template <typename Dtype>
void SPPLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const SPPParameter& param = this->layer_param_.spp_param();
  // 2^14 bins a side are more than any image has rows.
  CAFFE_REQUIRE(param.pyramid_height() >= 1 && param.pyramid_height() <= 15)
      << "spp_param: pyramid_height is " << param.pyramid_height() << ", expected 1 to 15";
  pyramid_height_ = static_cast<int>(param.pyramid_height());
  pooling_layers_.clear();
}

template <typename Dtype>
void SPPLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() == 4)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected 4 axes (num, channels, height, width)";
  const bool same_image = bottom_h_ == bottom[0]->height() && bottom_w_ == bottom[0]->width();
  num_ = bottom[0]->num();
  channels_ = bottom[0]->channels();
  bottom_h_ = bottom[0]->height();
  bottom_w_ = bottom[0]->width();
  if (!same_image || pooling_layers_.empty()) {
    pooling_layers_.clear();
    pooling_inputs_.clear();
    pooling_outputs_.clear();
    for (int level = 0; level < pyramid_height_; ++level) {
      const LayerParameter param = GetPoolingParam(level, bottom_h_, bottom_w_, this->layer_param_.spp_param());
      pooling_layers_.push_back(std::make_shared<PoolingLayer<Dtype>>(param));
      pooling_inputs_.push_back(std::make_shared<Blob<Dtype>>(bottom[0]->shape()));
      pooling_outputs_.push_back(std::make_shared<Blob<Dtype>>());
      pooling_layers_[level]->SetUp({pooling_inputs_[level].get()}, {pooling_outputs_[level].get()});
    }
  }
  int bins = 0;
  for (int level = 0; level < pyramid_height_; ++level) {
    pooling_inputs_[level]->ReshapeLike(*bottom[0]);
    pooling_inputs_[level]->ShareData(*bottom[0]);
    pooling_layers_[level]->Reshape({pooling_inputs_[level].get()}, {pooling_outputs_[level].get()});
    bins += pooling_outputs_[level]->count(2);
  }
  if (pyramid_height_ == 1) {
    top[0]->ReshapeLike(*pooling_outputs_[0]);
  } else {
    const int64_t values = static_cast<int64_t>(channels_) * bins;
    CAFFE_REQUIRE(values <= INT_MAX) << "spp_param: " << channels_ << " channels of " << bins << " bins are too many";
    top[0]->Reshape({num_, static_cast<int>(values)});
  }
}

template <typename Dtype>
template <typename Where>
void SPPLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int top_size = top[0]->count(1);
  Dtype* y = Where::MutableData(top[0]);
  for (int level = 0; level < pyramid_height_; ++level) {
    Blob<Dtype>& output = *pooling_outputs_[level];
    pooling_layers_[level]->Forward({pooling_inputs_[level].get()}, {&output});
    const int size = output.count(1);
    Where::CopyRows(num_, size, Where::Data(&output), size, y, top_size);
    y += size;
  }
}

template <typename Dtype>
template <typename Where>
void SPPLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                 const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int top_size = top[0]->count(1), count = bottom[0]->count();
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::Set(count, Dtype(0), dx);
  for (int level = 0; level < pyramid_height_; ++level) {
    Blob<Dtype>& output = *pooling_outputs_[level];
    const int size = output.count(1);
    Where::CopyRows(num_, size, dy, top_size, Where::MutableDiff(&output), size);
    dy += size;
    pooling_layers_[level]->Backward({&output}, {true}, {pooling_inputs_[level].get()});
    const Dtype* of_level = Where::Diff(pooling_inputs_[level].get());
    Where::ForEach(count, [=] CAFFE_DEVICE(int i) { dx[i] += of_level[i]; });
  }
}

CPU_AND_GPU(SPPLayer);
INSTANTIATE_CLASS(SPPLayer);
REGISTER_LAYER_CLASS(SPP);

}  // namespace caffe
