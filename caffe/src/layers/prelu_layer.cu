#include "caffe/layers/prelu_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void PReLULayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  if (bottom[0] == top[0]) Where::Copy(count, Where::Data(bottom[0]), Where::MutableData(&bottom_memory_));
  const Dtype *x = Where::Data(bottom[0]), *slopes = Where::Data(this->blobs_[0].get());
  Dtype* y = Where::MutableData(top[0]);
  const int channels = channel_shared_ ? 1 : bottom[0]->shape(1), positions = bottom[0]->count(2);
  Where::ForEach(count, [=] CAFFE_DEVICE(int i) { y[i] = x[i] > 0 ? x[i] : slopes[i / positions % channels] * x[i]; });
}

template <typename Dtype>
template <typename Where>
void PReLULayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  const Dtype* x = Where::Data(bottom[0] == top[0] ? &bottom_memory_ : bottom[0]);
  const Dtype *dy = Where::Diff(top[0]), *slopes = Where::Data(this->blobs_[0].get());
  const int count = bottom[0]->count();
  const int channels = channel_shared_ ? 1 : bottom[0]->shape(1);
  const int positions = channel_shared_ ? bottom[0]->count(1) : bottom[0]->count(2);
  // The slopes first: in place the bottom's gradient overwrites the top's.
  if (this->param_propagate_down_[0]) {
    Dtype* slope_diff = Where::MutableDiff(this->blobs_[0].get());
    Where::template ReduceRows<SumOfRow>(
        channels, bottom[0]->shape(0) * positions,
        [=] CAFFE_DEVICE(int c, int column) {
          const int i = (column / positions * channels + c) * positions + column % positions;
          return x[i] > 0 ? 0.0 : static_cast<double>(dy[i] * x[i]);
        },
        [=] CAFFE_DEVICE(int c, double sum) { slope_diff[c] += static_cast<Dtype>(sum); });
  }
  if (!propagate_down[0]) return;
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(count,
                 [=] CAFFE_DEVICE(int i) { dx[i] = x[i] > 0 ? dy[i] : slopes[i / positions % channels] * dy[i]; });
}

REGISTER_GPU_FORM(PReLULayer);

}  // namespace caffe
