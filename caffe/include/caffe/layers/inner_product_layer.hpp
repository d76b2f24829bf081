#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// top = bottom * W^T + bias, the fully connected layer. The axes of the bottom from `axis` on (default 1) are the K
// inputs, those before it are the M rows; top is (rows' axes, num_output).
//
// Parameters (inner_product_param): num_output; axis; bias_term (true); transpose (false); weight_filler, bias_filler.
// blobs()[0]: weights (num_output, K), or (K, num_output) with `transpose`; blobs()[1]: bias (num_output).
template <typename Dtype>
class InnerProductLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "InnerProduct"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  // The two halves of LayerSetUp, for layers that keep other blobs: everything but blobs_, and blobs_.
  void SetUpGeometry(const vector<Blob<Dtype>*>& bottom);
  void SetUpBlobs();

  int M_ = 0;
  int K_ = 0;
  int N_ = 0;
  bool bias_term_ = true;
  bool transpose_ = false;
  Blob<Dtype> bias_multiplier_;  // M ones
};

}  // namespace caffe
