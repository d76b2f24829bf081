#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// A table look-up: the row of the weights that the bottom's value names, plus the bias. What InnerProduct would give
// for one-hot vectors, without making them. Throws Error in Forward for a value that is no whole number in [0,
// input_dim). Parameters (embed_param): num_output, input_dim, bias_term (true), weight_filler, bias_filler.
// blobs()[0]: weights (input_dim, num_output); blobs()[1]: bias (num_output). top is (bottom's axes, num_output).
template <typename Dtype>
class EmbedLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Embed"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }
  // There is no gradient by an index; throws Error when one is asked for.
  bool AllowForceBackward(int bottom_index) const override { return false; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int M_ = 0;  // indices
  int K_ = 0;  // input_dim
  int N_ = 0;  // num_output
  bool bias_term_ = true;
};

}  // namespace caffe
