#include "caffe/layers/scale_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void ScaleLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count(), scales = scale_dim_, inner = inner_dim_;
  const Dtype* x = Where::Data(bottom[0]);
  if (bottom[0] == top[0]) Where::Copy(count, x, Where::MutableData(&temp_));
  const Dtype* scale = Where::Data(bottom.size() > 1 ? bottom[1] : this->blobs_[0].get());
  const Dtype* bias = bias_term_ ? Where::Data(this->blobs_.back().get()) : nullptr;
  Dtype* y = Where::MutableData(top[0]);
  Where::ForEach(count, [=] CAFFE_DEVICE(int i) {
    const int d = i / inner % scales;
    y[i] = x[i] * scale[d] + (bias ? bias[d] : 0);
  });
}

template <typename Dtype>
template <typename Where>
void ScaleLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  const bool own_scale = bottom.size() == 1;
  Blob<Dtype>* scale = own_scale ? this->blobs_[0].get() : bottom[1];
  const Dtype *dy = Where::Diff(top[0]), *x = Where::Data(bottom[0] == top[0] ? &temp_ : bottom[0]);
  const int scales = scale_dim_, inner = inner_dim_, columns = outer_dim_ * inner_dim_;
  if (own_scale ? this->param_propagate_down_[0] : propagate_down[1]) {
    Dtype* scale_diff = Where::MutableDiff(scale);
    Where::template ReduceRows<SumOfRow>(
        scales, columns,
        [=] CAFFE_DEVICE(int d, int column) {
          const int i = (column / inner * scales + d) * inner + column % inner;
          return static_cast<double>(dy[i] * x[i]);
        },
        [=] CAFFE_DEVICE(int d, double dot) {
          scale_diff[d] = static_cast<Dtype>(dot + (own_scale ? scale_diff[d] : 0));
        });
  }
  if (bias_term_ && this->param_propagate_down_.back()) {
    Dtype* bias_diff = Where::MutableDiff(this->blobs_.back().get());
    Where::template ReduceRows<SumOfRow>(
        scales, columns,
        [=] CAFFE_DEVICE(int d, int column) {
          return static_cast<double>(dy[(column / inner * scales + d) * inner + column % inner]);
        },
        [=] CAFFE_DEVICE(int d, double sum) { bias_diff[d] += static_cast<Dtype>(sum); });
  }
  if (propagate_down[0]) {
    const Dtype* factor = Where::Data(scale);
    Dtype* dx = Where::MutableDiff(bottom[0]);
    Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * factor[i / inner % scales]; });
  }
}

REGISTER_GPU_FORM(ScaleLayer);

}  // namespace caffe
