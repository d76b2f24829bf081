#include "caffe/layers/reduction_layer.hpp"

#include <algorithm>

#include "caffe/util/parallel.hpp"

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
void ReductionLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* bottom_data = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  ForEachTask(num_, dim_, [&](int n) {
    const Dtype* x = bottom_data + static_cast<int64_t>(n) * dim_;
    double sum = 0;
    for (int i = 0; i < dim_; ++i) {
      switch (op_) {
        case ReductionParameter_ReductionOp_SUM:
        case ReductionParameter_ReductionOp_MEAN:
          sum += x[i];
          break;
        case ReductionParameter_ReductionOp_ASUM:
          sum += std::abs(x[i]);
          break;
        case ReductionParameter_ReductionOp_SUMSQ:
          sum += static_cast<double>(x[i]) * x[i];
          break;
      }
    }
    y[n] = static_cast<Dtype>(coeff_ * sum);
  });
}

template <typename Dtype>
void ReductionLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *bottom_data = bottom[0]->cpu_data(), *dy = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  ForEachTask(num_, dim_, [&](int n) {
    const Dtype* x = bottom_data + static_cast<int64_t>(n) * dim_;
    Dtype* dx = bottom_diff + static_cast<int64_t>(n) * dim_;
    const Dtype slope = coeff_ * dy[n];
    for (int i = 0; i < dim_; ++i) {
      switch (op_) {
        case ReductionParameter_ReductionOp_SUM:
        case ReductionParameter_ReductionOp_MEAN:
          dx[i] = slope;
          break;
        case ReductionParameter_ReductionOp_ASUM:
          dx[i] = slope * caffe_sign(x[i]);
          break;
        case ReductionParameter_ReductionOp_SUMSQ:
          dx[i] = 2 * slope * x[i];
          break;
      }
    }
  });
}

INSTANTIATE_CLASS(ReductionLayer);
REGISTER_LAYER_CLASS(Reduction);

}  // namespace caffe
