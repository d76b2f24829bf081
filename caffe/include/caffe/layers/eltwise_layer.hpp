#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Joins bottoms of one shape element by element (eltwise_param, operation): SUM (default), each bottom times its
// `coeff` where given; PROD; MAX, whose gradient goes to the
// largest: of the first two bottoms, where they are equal, to the second, else to the earlier one. stable_prod_grad
// (true) computes the gradient of PROD from the other factors, which is right where a factor is 0; false divides the
// product by the factor, which is faster.
template <typename Dtype>
class EltwiseLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Eltwise"; }
  int MinBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  EltwiseParameter_EltwiseOp op_ = EltwiseParameter_EltwiseOp_SUM;
  vector<Dtype> coeffs_;
  Blob<int> max_idx_;  // the bottom that each maximum came from
  bool stable_prod_grad_ = true;

 private:
  void BackwardProduct(const Dtype* top_diff, const Dtype* top_data, int which,
                       const vector<Blob<Dtype>*>& bottom) const;
};

}  // namespace caffe
