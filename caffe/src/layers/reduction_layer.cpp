#include "caffe/layers/reduction_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void ReductionLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  op_ = this->layer_param_.reduction_param().operation();
}

template <typename Dtype>
void ReductionLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "Reduction cannot run in place: give bottom and top different names";
  const ReductionParameter& param = this->layer_param_.reduction_param();
  axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
  const vector<int>& shape = bottom[0]->shape();
  top[0]->Reshape(vector<int>(shape.begin(), shape.begin() + axis_));
  num_ = bottom[0]->count(0, axis_);
  dim_ = bottom[0]->count(axis_);
  coeff_ = param.coeff();
  if (op_ == ReductionParameter_ReductionOp_MEAN) {
    coeff_ /= std::max(dim_, 1);
  }
}

template <typename Dtype>
template <typename Where>
void ReductionLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *x = Where::Data(bottom[0]), coeff = coeff_;
  Dtype* y = Where::MutableData(top[0]);
  const int dim = dim_;
  const bool magnitudes = op_ == ReductionParameter_ReductionOp_ASUM;
  const bool squares = op_ == ReductionParameter_ReductionOp_SUMSQ;
  Where::template ReduceRows<SumOfRow>(
      num_, dim,
      [=] CAFFE_DEVICE(int n, int i) {
        const double value = x[static_cast<int64_t>(n) * dim + i];
        return squares ? value * value : magnitudes ? std::abs(value) : value;
      },
      [=] CAFFE_DEVICE(int n, double sum) { y[n] = static_cast<Dtype>(coeff * sum); });
}

template <typename Dtype>
template <typename Where>
void ReductionLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype *x = Where::Data(bottom[0]), *dy = Where::Diff(top[0]), coeff = coeff_;
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const int dim = dim_;
  const bool magnitudes = op_ == ReductionParameter_ReductionOp_ASUM;
  const bool squares = op_ == ReductionParameter_ReductionOp_SUMSQ;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const Dtype slope = coeff * dy[i / dim];
    dx[i] = squares ? 2 * slope * x[i] : magnitudes ? slope * caffe_sign(x[i]) : slope;
  });
}

CPU_AND_GPU(ReductionLayer);
INSTANTIATE_CLASS(ReductionLayer);
REGISTER_LAYER_CLASS(Reduction);

}  // namespace caffe
