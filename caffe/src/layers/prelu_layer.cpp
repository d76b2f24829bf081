#include "caffe/layers/prelu_layer.hpp"

#include "caffe/filler.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void PReLULayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() >= 2)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected two axes at least (num, channels)";
  const PReLUParameter& param = this->layer_param_.prelu_param();
  channel_shared_ = param.channel_shared();
  const vector<int> shape = channel_shared_ ? vector<int>() : vector<int>{bottom[0]->shape(1)};
  auto& blobs = this->blobs_;
  if (blobs.empty()) {
    FillerParameter filler = param.filler();
    if (!param.has_filler()) {
      filler.set_type("constant");
      filler.set_value(0.25);
    }
    blobs.push_back(std::make_shared<Blob<Dtype>>(shape));
    shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(filler))->Fill(blobs[0].get());
  }
  CAFFE_REQUIRE(blobs.size() == 1 && blobs[0]->count() == (channel_shared_ ? 1 : shape[0]))
      << "has " << blobs.size() << " parameter blobs, the first of shape " << blobs[0]->shape_string()
      << ", expected one of " << (channel_shared_ ? 1 : shape[0]) << " slopes";
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void PReLULayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() >= 2 && (channel_shared_ || bottom[0]->shape(1) == this->blobs_[0]->count()))
      << "bottom of shape " << bottom[0]->shape_string() << " for " << this->blobs_[0]->count() << " slopes";
  top[0]->ReshapeLike(*bottom[0]);
  if (bottom[0] == top[0]) {
    bottom_memory_.ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
void PReLULayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (bottom[0] == top[0]) {
    caffe_copy(bottom[0]->count(), bottom[0]->cpu_data(), bottom_memory_.mutable_cpu_data());
  }
  const Dtype *x = bottom[0]->cpu_data(), *slopes = this->blobs_[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const int channels = bottom[0]->shape(1), positions = bottom[0]->count(2);
  ForEachTask(bottom[0]->shape(0) * channels, positions, [&](int plane) {
    const Dtype slope = slopes[channel_shared_ ? 0 : plane % channels];
    for (int i = plane * positions; i < (plane + 1) * positions; ++i) {
      y[i] = x[i] > 0 ? x[i] : slope * x[i];
    }
  });
}

template <typename Dtype>
void PReLULayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  const Dtype* x = (bottom[0] == top[0] ? bottom_memory_ : *bottom[0]).cpu_data();
  const Dtype *dy = top[0]->cpu_diff(), *slopes = this->blobs_[0]->cpu_data();
  const int num = bottom[0]->shape(0), channels = bottom[0]->shape(1), positions = bottom[0]->count(2);
  // The slopes first: in place the bottom's gradient overwrites the top's.
  if (this->param_propagate_down_[0]) {
    Dtype* slope_diff = this->blobs_[0]->mutable_cpu_diff();
    vector<double> sums(channels, 0);
    ForEachTask(channels, num * positions, [&](int c) {
      for (int n = 0; n < num; ++n) {
        const int first = (n * channels + c) * positions;
        for (int i = first; i < first + positions; ++i) {
          sums[c] += x[i] > 0 ? 0 : dy[i] * x[i];
        }
      }
    });
    for (int c = 0; c < channels; ++c) {
      slope_diff[channel_shared_ ? 0 : c] += static_cast<Dtype>(sums[c]);
    }
  }
  if (!propagate_down[0]) {
    return;
  }
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  ForEachTask(num * channels, positions, [&](int plane) {
    const Dtype slope = slopes[channel_shared_ ? 0 : plane % channels];
    for (int i = plane * positions; i < (plane + 1) * positions; ++i) {
      dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
    }
  });
}

INSTANTIATE_CLASS(PReLULayer);
REGISTER_LAYER_CLASS(PReLU);

}  // namespace caffe
