// First values of parameter blobs.
#pragma once

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
class Filler {
 public:
  explicit Filler(const FillerParameter& param) : filler_param_(param) {}
  virtual ~Filler() = default;
  virtual void Fill(Blob<Dtype>* blob) = 0;

 protected:
  FillerParameter filler_param_;
};

// constant, gaussian (optionally sparse), positive_unitball, uniform, xavier, msra or bilinear; throws Error for
// another type. The caller owns the result, as in Caffe.
template <typename Dtype>
Filler<Dtype>* GetFiller(const FillerParameter& param);

}  // namespace caffe
