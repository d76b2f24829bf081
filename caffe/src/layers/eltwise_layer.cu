#include "caffe/layers/eltwise_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void EltwiseLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = top[0]->count();
  Dtype* y = Where::MutableData(top[0]);
  int* from = op_ == EltwiseParameter_EltwiseOp_MAX ? Where::MutableData(&max_idx_) : nullptr;
  for (int b = 1; b < static_cast<int>(bottom.size()); ++b) {
    const Dtype *left = b == 1 ? Where::Data(bottom[0]) : y, *right = Where::Data(bottom[b]);
    const Dtype left_coeff = b == 1 ? coeffs_[0] : 1, right_coeff = coeffs_[b];
    switch (op_) {
      case EltwiseParameter_EltwiseOp_PROD:
        Where::ForEach(count, [=] CAFFE_DEVICE(int i) { y[i] = left[i] * right[i]; });
        break;
      case EltwiseParameter_EltwiseOp_SUM:
        Where::ForEach(count, [=] CAFFE_DEVICE(int i) { y[i] = left_coeff * left[i] + right_coeff * right[i]; });
        break;
      case EltwiseParameter_EltwiseOp_MAX:
        Where::ForEach(count, [=] CAFFE_DEVICE(int i) {
          // Of the first two that are equal the second one counts, of others the earlier one.
          const bool larger = b == 1 ? !(left[i] > right[i]) : right[i] > left[i];
          from[i] = larger ? b : (b == 1 ? 0 : from[i]);
          y[i] = larger ? right[i] : left[i];
        });
        break;
    }
  }
}

template <typename Dtype>
template <typename Where>
void EltwiseLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  const int count = top[0]->count(), bottoms = static_cast<int>(bottom.size());
  const Dtype* dy = Where::Diff(top[0]);
  for (int b = 0; b < bottoms; ++b) {
    if (!propagate_down[b]) continue;
    Dtype* dx = Where::MutableDiff(bottom[b]);
    if (op_ == EltwiseParameter_EltwiseOp_SUM) {
      caffe_gpu_scale(count, coeffs_[b], dy, dx);
    } else if (op_ == EltwiseParameter_EltwiseOp_MAX) {
      const int* from = Where::Data(&max_idx_);
      Where::ForEach(count, [=] CAFFE_DEVICE(int i) { dx[i] = from[i] == b ? dy[i] : 0; });
    } else if (!stable_prod_grad_) {
      const Dtype *y = Where::Data(top[0]), *x = Where::Data(bottom[b]);
      Where::ForEach(count, [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * y[i] / x[i]; });
    } else {
      Where::Copy(count, dy, dx);
      for (int other = 0; other < bottoms; ++other) {
        if (other != b) caffe_gpu_mul(count, Where::Data(bottom[other]), dx, dx);
      }
    }
  }
}

REGISTER_GPU_FORM(EltwiseLayer);

}  // namespace caffe
