#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

template <typename Dtype>
struct ArgMaxGroups;

// Indices of the top_k largest values (argmax_param, default 1), the largest first, of equal values the later one;
// NaN ranks with -inf.
//   without axis   of each image: top (N, 1, top_k), with out_max_val (N, 2, top_k): indices, then values
//   with axis      along this axis, whose size becomes top_k: indices, or with out_max_val the values
// There is no gradient: throws Error when one is asked for.
template <typename Dtype>
class ArgMaxLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "ArgMax"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  bool out_max_val_ = false;
  int top_k_ = 1;
  bool has_axis_ = false;
  int axis_ = 0;

 private:
  // What is ranked, of values that are where x and y are.
  ArgMaxGroups<Dtype> Groups(const Blob<Dtype>& bottom, const Dtype* x, Dtype* y) const;
};

}  // namespace caffe
