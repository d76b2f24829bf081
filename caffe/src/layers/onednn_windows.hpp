// Pooling and local response normalisation of images, by oneDNN.
#pragma once

#include "../util/onednn.hpp"

namespace caffe::onednn {

// Max or average windows of (N, C, H, W) images. Where oneDNN would be slow on plain values, in loops of its own; in
// training, which keeps where the largest were, in blocks of channels.
class Pooling {
 public:
  struct Shape {
    dnnl::algorithm algorithm;
    Dims source, result, kernel, strides, pads, pads_after;
    bool operator==(const Shape& other) const;
  };
  // False, and nothing done, where there are no images. Without `training` the Backward computes again.
  bool Forward(const Shape& shape, bool training, SyncedMemory* source, SyncedMemory* result);
  // Whether the last Forward was this class's.
  bool ran() const { return ran_; }
  void Backward(SyncedMemory* source, SyncedMemory* result_diff, SyncedMemory* source_diff);

 private:
  void Create(const Shape& shape, const Desc& given, bool training);
  void Execute(const Memory& source, const Memory& result);

  Shape shape_{};
  Desc given_desc_, source_desc_;  // as the images came, and as they are pooled
  bool training_ = false;
  bool by_rows_ = false;
  bool ran_ = false;
  dnnl::pooling_forward::primitive_desc desc_;
  dnnl::pooling_forward forward_;
  Memory workspace_;
};

// Across channels of (N, C, H, W) images.
class Lrn {
 public:
  struct Constants {
    int size;
    float alpha, beta, k;
    bool operator==(const Constants& other) const;
  };
  // False, and nothing done, where there are no images.
  bool Forward(const Constants& constants, SyncedMemory* source, const vector<int>& shape, SyncedMemory* result);
  // Whether the last Forward was this class's.
  bool ran() const { return ran_; }
  void Backward(SyncedMemory* source, SyncedMemory* result_diff, SyncedMemory* source_diff);

 private:
  dnnl::lrn_forward::primitive_desc ForwardOf(const Desc& images, bool training) const;

  Constants constants_{};
  Desc source_desc_;
  bool ran_ = false;
  dnnl::lrn_forward forward_;
};

}  // namespace caffe::onednn
