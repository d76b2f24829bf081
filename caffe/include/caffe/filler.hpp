// First values of parameter blobs.
#pragma once

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// Fill writes the data of a blob that has a shape; it throws Error where the shape does not suit the law.
template <typename Dtype>
class Filler {
 public:
  explicit Filler(const FillerParameter& param) : filler_param_(param) {}
  virtual ~Filler() = default;
  virtual void Fill(Blob<Dtype>* blob) = 0;

 protected:
  FillerParameter filler_param_;
};

// `value` everywhere.
template <typename Dtype>
class ConstantFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// Uniform in [min, max].
template <typename Dtype>
class UniformFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// Normal with `mean` and `std`. With sparse = s, each input keeps about s of its outputs and the rest are 0.
template <typename Dtype>
class GaussianFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// Uniform, then scaled: every row (axis 0) is positive and sums to 1.
template <typename Dtype>
class PositiveUnitballFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// Uniform in +-sqrt(3 / n), with n the inputs, outputs or their mean (variance_norm) of a unit. Source: Glorot and
// Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
template <typename Dtype>
class XavierFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// Normal with variance 2 / n. Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015.
template <typename Dtype>
class MSRAFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// The tent that makes a Deconvolution of stride ceil(k / 2) interpolate linearly; square kernels of two axes.
template <typename Dtype>
class BilinearFiller : public Filler<Dtype> {
 public:
  using Filler<Dtype>::Filler;
  void Fill(Blob<Dtype>* blob) override;
};

// constant, gaussian (optionally sparse), positive_unitball, uniform, xavier, msra or bilinear; throws Error for
// another type. The caller owns the result, as in Caffe.
template <typename Dtype>
Filler<Dtype>* GetFiller(const FillerParameter& param);

}  // namespace caffe
