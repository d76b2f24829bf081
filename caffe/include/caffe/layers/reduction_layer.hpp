#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Reduces all axes from `axis` on (default 0) to one value, times `coeff` (1): SUM (default), ASUM the sum of
// magnitudes, SUMSQ the sum of squares, or MEAN (reduction_param, operation). The axes before stay.
template <typename Dtype>
class ReductionLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Reduction"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  ReductionParameter_ReductionOp op_ = ReductionParameter_ReductionOp_SUM;
  Dtype coeff_ = 1;
  int axis_ = 0;
  int num_ = 0;  // results
  int dim_ = 0;  // values of each
};

}  // namespace caffe
