// One blob for several readers.
#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Tops share the bottom's data; gradients are added up. Net inserts these layers itself.
template <typename Dtype>
class SplitLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;

  const char* type() const override { return "Split"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }

  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe
