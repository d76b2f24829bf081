#pragma once

#include <vector>

#include "caffe/layer.hpp"
#include "caffe/layers/pooling_layer.hpp"

namespace caffe {

// Spatial pyramid pooling (He et al. 2014): (N, C, H, W) images of any size become vectors of one length. Level l = 0,
// 1,
// ... pyramid_height - 1 cuts the image into 2^l x 2^l bins and pools each; the top is (N, C * (4^pyramid_height - 1) /
// 3), level by level, in each channel by channel. With pyramid_height 1 it is (N, C, 1, 1). A bin is ceil(H / 2^l) rows
// high, neighbours do not overlap, and where bins reach beyond the image the rows are shared out as padding above and
// below. Parameters (spp_param): pyramid_height; pool (MAX, AVE, STOCHASTIC).
template <typename Dtype>
class SPPLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SPP"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  // A Pooling layer for one level. Throws Error for an image that is too small for it.
  virtual LayerParameter GetPoolingParam(int pyramid_level, int bottom_h, int bottom_w, const SPPParameter& spp_param);

  int pyramid_height_ = 1;
  int num_ = 0, channels_ = 0, bottom_h_ = 0, bottom_w_ = 0;
  vector<shared_ptr<PoolingLayer<Dtype>>> pooling_layers_;
  vector<shared_ptr<Blob<Dtype>>> pooling_outputs_;

 private:
  // The bottom once for every level, each with a gradient of its own.
  vector<shared_ptr<Blob<Dtype>>> pooling_inputs_;
};

}  // namespace caffe
