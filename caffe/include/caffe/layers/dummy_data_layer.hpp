// Blobs that a filler fills.
#pragma once

#include <vector>

#include "caffe/filler.hpp"
#include "caffe/layer.hpp"

namespace caffe {

// Any number of tops. dummy_data_param gives one shape for all or one for each (or num, channels, height and width in
// the same way), and no filler (zeros), one for all or one for each. Constants are filled once, the rest at every
// Forward.
template <typename Dtype>
class DummyDataLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;

  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  // No bottom gives the tops their shape.
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {}
  const char* type() const override { return "DummyData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override {}

  vector<shared_ptr<Filler<Dtype>>> fillers_;  // one for each top
  vector<bool> refill_;
};

}  // namespace caffe
