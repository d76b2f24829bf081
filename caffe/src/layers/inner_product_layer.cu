#include "caffe/layers/inner_product_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void InnerProductLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *x = Where::Data(bottom[0]), *weights = Where::Data(this->blobs_[0].get());
  Dtype* y = Where::MutableData(top[0]);
  Where::template Gemm<Dtype>(CblasNoTrans, transpose_ ? CblasNoTrans : CblasTrans, M_, N_, K_, 1, x, weights, 0, y);
  if (bias_term_) {
    const Dtype* bias = Where::Data(this->blobs_[1].get());
    const int outputs = N_;
    Where::ForEach(top[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] += bias[i % outputs]; });
  }
}

template <typename Dtype>
template <typename Where>
void InnerProductLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                          const vector<Blob<Dtype>*>& bottom) {
  const Dtype *x = Where::Data(bottom[0]), *dy = Where::Diff(top[0]);
  if (this->param_propagate_down_[0]) {
    Dtype* weight_diff = Where::MutableDiff(this->blobs_[0].get());
    if (transpose_) {
      Where::template Gemm<Dtype>(CblasTrans, CblasNoTrans, K_, N_, M_, 1, x, dy, 1, weight_diff);
    } else {
      Where::template Gemm<Dtype>(CblasTrans, CblasNoTrans, N_, K_, M_, 1, dy, x, 1, weight_diff);
    }
  }
  if (bias_term_ && this->param_propagate_down_[1]) {
    Dtype* bias_diff = Where::MutableDiff(this->blobs_[1].get());
    const int rows = M_, outputs = N_;
    Where::ForEach(outputs, [=] CAFFE_DEVICE(int n) {
      Dtype sum = 0;
      for (int m = 0; m < rows; ++m) sum += dy[static_cast<int64_t>(m) * outputs + n];
      bias_diff[n] += sum;
    });
  }
  if (propagate_down[0]) {
    Where::template Gemm<Dtype>(CblasNoTrans, transpose_ ? CblasTrans : CblasNoTrans, M_, K_, N_, 1, dy,
                                Where::Data(this->blobs_[0].get()), 0, Where::MutableDiff(bottom[0]));
  }
}

REGISTER_GPU_FORM(InnerProductLayer);
// For the crossbar layer, which is compiled elsewhere.
template void InnerProductLayer<float>::BackwardOn<OnGpu>(const vector<Blob<float>*>&, const vector<bool>&,
                                                          const vector<Blob<float>*>&);
template void InnerProductLayer<double>::BackwardOn<OnGpu>(const vector<Blob<double>*>&, const vector<bool>&,
                                                           const vector<Blob<double>*>&);

}  // namespace caffe
