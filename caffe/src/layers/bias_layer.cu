#include "caffe/layers/bias_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void BiasLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *x = Where::Data(bottom[0]), *bias = Where::Data(bottom.size() > 1 ? bottom[1] : this->blobs_[0].get());
  Dtype* y = Where::MutableData(top[0]);
  const int biases = bias_dim_, inner = inner_dim_;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = x[i] + bias[i / inner % biases]; });
}

template <typename Dtype>
template <typename Where>
void BiasLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  const Dtype* dy = Where::Diff(top[0]);
  if (propagate_down[0] && bottom[0] != top[0]) {
    Where::Copy(bottom[0]->count(), dy, Where::MutableDiff(bottom[0]));
  }
  const bool own_bias = bottom.size() == 1;
  if (own_bias ? !this->param_propagate_down_[0] : !propagate_down[1]) return;
  Dtype* bias_diff = Where::MutableDiff(own_bias ? this->blobs_[0].get() : bottom[1]);
  const int biases = bias_dim_, inner = inner_dim_;
  Where::template ReduceRows<SumOfRow>(
      biases, outer_dim_ * inner_dim_,
      [=] CAFFE_DEVICE(int d, int column) {
        return static_cast<double>(dy[(column / inner * biases + d) * inner + column % inner]);
      },
      [=] CAFFE_DEVICE(int d, double sum) { bias_diff[d] = static_cast<Dtype>(sum + (own_bias ? bias_diff[d] : 0)); });
}

REGISTER_GPU_FORM(BiasLayer);

}  // namespace caffe
