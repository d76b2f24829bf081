#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Repeats the bottom `tiles` times along `axis` (default 1; tile_param).
template <typename Dtype>
class TileLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Tile"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int axis_ = 1;
  int tiles_ = 1;
  int outer_dim_ = 0;  // product of the axes before
  int inner_dim_ = 0;  // product of the axis and those behind
};

}  // namespace caffe
