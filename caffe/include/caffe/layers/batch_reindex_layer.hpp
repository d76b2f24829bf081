#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Picks images by number: top[n] = bottom 0[bottom 1[n]]. Bottom 1 has one axis; its numbers may repeat, and gradients
// of repeated images add up. Throws Error in Forward for a number that is none of an image.
template <typename Dtype>
class BatchReindexLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "BatchReindex"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }
  // There is no gradient by an index; throws Error when one is asked for.
  bool AllowForceBackward(int bottom_index) const override { return bottom_index != 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe
