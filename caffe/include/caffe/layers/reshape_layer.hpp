#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Gives the bottom another shape; the values are shared, not copied. In reshape_param, `shape` replaces num_axes axes
// (default -1: all) from `axis` on (default 0; negative: counted behind the last axis, -1 appends): a dimension 0 is
// taken from the bottom's axis of that place, one dimension may be -1 and is computed.
template <typename Dtype>
class ReshapeLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Reshape"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe
