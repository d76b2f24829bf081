#include "caffe/layers/pooling_layer.hpp"

#include <algorithm>
#include <type_traits>

#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"
#include "onednn_windows.hpp"
#include "pooling_windows.hpp"

namespace caffe {
namespace {

// How far the last window reaches beyond the image, along one axis.
int BeyondImage(int pooled, int stride, int kernel, int size, int pad) {
  return (pooled - 1) * stride + kernel - size - pad;
}

}  // namespace

template <typename Dtype>
void PoolingLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const PoolingParameter& param = this->layer_param_.pooling_param();
  global_pooling_ = param.global_pooling();
  round_mode_ = param.round_mode();
  const bool kernel_hw = param.has_kernel_h() || param.has_kernel_w();
  if (global_pooling_) {
    CAFFE_REQUIRE(!param.has_kernel_size() && !kernel_hw) << "global_pooling takes the whole image: give no kernel";
  } else {
    CAFFE_REQUIRE(param.has_kernel_size() != kernel_hw)
        << "pooling_param needs either kernel_size or kernel_h and kernel_w";
    CAFFE_REQUIRE(!kernel_hw || (param.has_kernel_h() && param.has_kernel_w()))
        << "kernel_h and kernel_w must be given together";
    kernel_h_ = kernel_hw ? param.kernel_h() : param.kernel_size();
    kernel_w_ = kernel_hw ? param.kernel_w() : param.kernel_size();
    CAFFE_REQUIRE(kernel_h_ > 0 && kernel_w_ > 0) << "the pooling kernel must be at least 1x1";
    CAFFE_REQUIRE(kernel_h_ <= INT_MAX / kernel_w_)
        << "a pooling kernel of " << kernel_h_ << "x" << kernel_w_ << " is too large";
  }
  const bool pad_hw = param.has_pad_h() || param.has_pad_w();
  const bool stride_hw = param.has_stride_h() || param.has_stride_w();
  CAFFE_REQUIRE(!(param.has_pad() && pad_hw)) << "give either pad or pad_h and pad_w";
  CAFFE_REQUIRE(!(param.has_stride() && stride_hw)) << "give either stride or stride_h and stride_w";
  CAFFE_REQUIRE(param.has_stride_h() == param.has_stride_w()) << "stride_h and stride_w must be given together";
  pad_h_ = pad_hw ? param.pad_h() : param.pad();
  pad_w_ = pad_hw ? param.pad_w() : param.pad();
  stride_h_ = stride_hw ? param.stride_h() : param.stride();
  stride_w_ = stride_hw ? param.stride_w() : param.stride();
  CAFFE_REQUIRE(stride_h_ > 0 && stride_w_ > 0) << "stride must be at least 1";
  CAFFE_REQUIRE(pad_h_ >= 0 && pad_w_ >= 0) << "a pad of more than " << INT_MAX << " is too large";
  const bool padded = pad_h_ != 0 || pad_w_ != 0;
  if (global_pooling_) {
    CAFFE_REQUIRE(!padded && stride_h_ == 1 && stride_w_ == 1) << "global_pooling needs pad 0 and stride 1";
  } else if (padded) {
    CAFFE_REQUIRE(param.pool() != PoolingParameter_PoolMethod_STOCHASTIC) << "STOCHASTIC pooling takes no pad";
    CAFFE_REQUIRE(pad_h_ < kernel_h_ && pad_w_ < kernel_w_) << "pad must be smaller than the kernel";
  }
}

template <typename Dtype>
int PoolingLayer<Dtype>::PooledSize(int size, int kernel, int stride, int pad) const {
  // A window's ends are ints, wherever it starts.
  CAFFE_REQUIRE(size + 2LL * pad + kernel <= INT_MAX)
      << "a pooling kernel of " << kernel << " with pad " << pad << " is too large for an axis of " << size;
  const int64_t free = size + 2LL * pad - kernel;
  // Rounded up, one window may be larger than the padded image, by less than a stride.
  const int round_up = round_mode_ == PoolingParameter_RoundMode_CEIL ? stride - 1 : 0;
  if (free + round_up < 0) {
    return 0;
  }
  const int outputs = static_cast<int>((free + round_up) / stride) + 1;
  return static_cast<int64_t>(outputs - 1) * stride >= size + pad ? outputs - 1 : outputs;
}

template <typename Dtype>
void PoolingLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() == 4)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected 4 axes (num, channels, height, width)";
  channels_ = bottom[0]->channels();
  height_ = bottom[0]->height();
  width_ = bottom[0]->width();
  if (global_pooling_) {
    kernel_h_ = height_;
    kernel_w_ = width_;
  }
  pooled_height_ = PooledSize(height_, kernel_h_, stride_h_, pad_h_);
  pooled_width_ = PooledSize(width_, kernel_w_, stride_w_, pad_w_);
  CAFFE_REQUIRE(pooled_height_ > 0 && pooled_width_ > 0)
      << "kernel " << kernel_h_ << "x" << kernel_w_ << " with pad " << pad_h_ << "x" << pad_w_
      << " does not fit bottom of shape " << bottom[0]->shape_string();
  for (Blob<Dtype>* blob : top) {
    blob->Reshape(bottom[0]->num(), channels_, pooled_height_, pooled_width_);
  }
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method != PoolingParameter_PoolMethod_AVE && top.size() == 1) {
    max_idx_.Reshape(top[0]->shape());
  }
  if (method == PoolingParameter_PoolMethod_STOCHASTIC) {
    rand_idx_.ReshapeLike(*top[0]);
  }
}

template <typename Dtype>
PoolingGeometry PoolingLayer<Dtype>::Geometry() const {
  return {height_, width_, pooled_height_, pooled_width_, kernel_h_, kernel_w_, stride_h_, stride_w_, pad_h_, pad_w_};
}

template <typename Dtype>
template <typename Body>
void PoolingLayer<Dtype>::ForEachWindow(int planes, Body body) const {
  const int64_t window = static_cast<int64_t>(kernel_h_) * kernel_w_;
  const PoolingGeometry geometry = Geometry();
  ForEachTask(planes, pooled_height_ * pooled_width_ * window, [&](int plane) {
    int output = plane * pooled_height_ * pooled_width_;
    for (int ph = 0; ph < pooled_height_; ++ph) {
      for (int pw = 0; pw < pooled_width_; ++pw, ++output) {
        body(plane * height_ * width_, output, geometry.WindowAt(ph, pw));
      }
    }
  });
}

template <typename Dtype>
template <typename Index>
void PoolingLayer<Dtype>::ForwardMax(const Dtype* bottom, int planes, Dtype* top, Index* index) const {
  ForEachWindow(planes, [&](int plane, int output, const PoolingWindow& window) {
    const Dtype* image = bottom + plane;
    const int best = LargestOfWindow(window, width_, image);
    top[output] = image[best];
    index[output] = static_cast<Index>(best);
  });
}

template <typename Dtype>
template <typename Index>
void PoolingLayer<Dtype>::BackwardIndexed(const Dtype* top_diff, const Index* index, int planes,
                                          Dtype* bottom_diff) const {
  const int outputs = pooled_height_ * pooled_width_;
  ForEachTask(planes, outputs, [&](int plane) {
    Dtype* image_diff = bottom_diff + plane * height_ * width_;
    for (int output = plane * outputs; output < (plane + 1) * outputs; ++output) {
      image_diff[static_cast<int>(index[output])] += top_diff[output];
    }
  });
}

template <typename Dtype>
void PoolingLayer<Dtype>::ForwardAverage(const Dtype* bottom, int planes, Dtype* top) const {
  ForEachWindow(planes, [&](int plane, int output, const PoolingWindow& window) {
    top[output] = SumOfWindow(window, width_, bottom + plane) / window.padded_size;
  });
}

template <typename Dtype>
void PoolingLayer<Dtype>::BackwardAverage(const Dtype* top_diff, int planes, Dtype* bottom_diff) const {
  ForEachWindow(planes, [&](int plane, int output, const PoolingWindow& window) {
    const Dtype share = top_diff[output] / window.padded_size;
    for (int h = window.h_begin; h < window.h_end; ++h) {
      Dtype* row = bottom_diff + plane + h * width_;
      for (int w = window.w_begin; w < window.w_end; ++w) {
        row[w] += share;
      }
    }
  });
}

template <typename Dtype>
void PoolingLayer<Dtype>::ForwardSample(const Dtype* bottom, int planes, Dtype* top, int* index) {
  caffe_rng_uniform<Dtype>(rand_idx_.count(), 0, 1, rand_idx_.mutable_cpu_data());
  const Dtype* random = rand_idx_.cpu_data();
  ForEachWindow(planes, [&](int plane, int output, const PoolingWindow& window) {
    const Dtype* image = bottom + plane;
    const int chosen = DrawnOfWindow(window, width_, image, random[output]);
    top[output] = image[chosen];
    index[output] = chosen;
  });
}

template <typename Dtype>
void PoolingLayer<Dtype>::ForwardExpectation(const Dtype* bottom, int planes, Dtype* top) const {
  ForEachWindow(planes, [&](int plane, int output, const PoolingWindow& window) {
    top[output] = ExpectationOfWindow(window, width_, bottom + plane);
  });
}

template <typename Dtype>
void PoolingLayer<Dtype>::BackwardExpectation(const Dtype* bottom, const Dtype* top, const Dtype* top_diff, int planes,
                                              Dtype* bottom_diff) const {
  // y = S2 / S1, dy/dx = (2 x - y) / S1.
  ForEachWindow(planes, [&](int plane, int output, const PoolingWindow& window) {
    const Dtype sum = SumOfWindow(window, width_, bottom + plane);
    const Dtype scale = sum > 0 ? top_diff[output] / sum : 0;
    for (int h = window.h_begin; h < window.h_end; ++h) {
      for (int w = window.w_begin; w < window.w_end; ++w) {
        const int i = plane + h * width_ + w;
        bottom_diff[i] += scale * (2 * bottom[i] - top[output]);
      }
    }
  });
}

template <typename Dtype>
bool PoolingLayer<Dtype>::AveragesWholeWindows() const {
  return BeyondImage(pooled_height_, stride_h_, kernel_h_, height_, pad_h_) <= pad_h_ &&
         BeyondImage(pooled_width_, stride_w_, kernel_w_, width_, pad_w_) <= pad_w_;
}

template <typename Dtype>
bool PoolingLayer<Dtype>::ForwardOnednn(const Blob<Dtype>& bottom, const vector<Blob<Dtype>*>& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    const bool max = this->layer_param_.pooling_param().pool() == PoolingParameter_PoolMethod_MAX;
    // Averages divide by what a window covers of the padded image; oneDNN's by the whole window.
    if (max ? top.size() == 1 : AveragesWholeWindows()) {
      onednn::Pooling::Shape shape{};
      shape.algorithm = max ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_include_padding;
      shape.source = onednn::ToDims(bottom.shape());
      shape.result = onednn::ToDims(top[0]->shape());
      shape.kernel = {kernel_h_, kernel_w_};
      shape.strides = {stride_h_, stride_w_};
      shape.pads = {pad_h_, pad_w_};
      shape.pads_after = {std::max(BeyondImage(pooled_height_, stride_h_, kernel_h_, height_, pad_h_), 0),
                          std::max(BeyondImage(pooled_width_, stride_w_, kernel_w_, width_, pad_w_), 0)};
      if (!onednn_) onednn_ = std::make_shared<onednn::Pooling>();
      return onednn_->Forward(shape, this->phase_ == TRAIN, bottom.data().get(), top[0]->data().get());
    }
    onednn_.reset();  // Backward asks whose the last Forward was
  }
  return false;
}

template <typename Dtype>
void PoolingLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method != PoolingParameter_PoolMethod_STOCHASTIC && ForwardOnednn(*bottom[0], top)) return;
  const Dtype* bottom_data = bottom[0]->cpu_data();
  Dtype* top_data = top[0]->mutable_cpu_data();
  const int planes = bottom[0]->num() * channels_;
  switch (method) {
    case PoolingParameter_PoolMethod_MAX:
      if (top.size() > 1) {
        ForwardMax(bottom_data, planes, top_data, top[1]->mutable_cpu_data());
      } else {
        ForwardMax(bottom_data, planes, top_data, max_idx_.mutable_cpu_data());
      }
      break;
    case PoolingParameter_PoolMethod_AVE:
      ForwardAverage(bottom_data, planes, top_data);
      break;
    case PoolingParameter_PoolMethod_STOCHASTIC:
      if (this->phase_ == TRAIN) {
        ForwardSample(bottom_data, planes, top_data, max_idx_.mutable_cpu_data());
      } else {
        ForwardExpectation(bottom_data, planes, top_data);
      }
      break;
  }
}

template <typename Dtype>
void PoolingLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  if constexpr (std::is_same_v<Dtype, float>) {
    if (onednn_ && onednn_->ran()) {
      onednn_->Backward(bottom[0]->data().get(), top[0]->diff().get(), bottom[0]->diff().get());
      return;
    }
  }
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  caffe_set(bottom[0]->count(), Dtype(0), bottom_diff);
  const int planes = bottom[0]->num() * channels_;
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method == PoolingParameter_PoolMethod_AVE) {
    BackwardAverage(top_diff, planes, bottom_diff);
  } else if (method == PoolingParameter_PoolMethod_STOCHASTIC && this->phase_ != TRAIN) {
    BackwardExpectation(bottom[0]->cpu_data(), top[0]->cpu_data(), top_diff, planes, bottom_diff);
  } else if (top.size() > 1) {
    BackwardIndexed(top_diff, top[1]->cpu_data(), planes, bottom_diff);
  } else {
    BackwardIndexed(top_diff, max_idx_.cpu_data(), planes, bottom_diff);
  }
}

INSTANTIATE_CLASS(PoolingLayer);
REGISTER_LAYER_CLASS(Pooling);

}  // namespace caffe
