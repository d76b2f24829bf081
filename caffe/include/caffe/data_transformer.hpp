// From a stored image to what a network reads: crop, mirror, mean, scale.
#pragma once

#include <opencv2/core/mat.hpp>
#include <random>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// out = (in - mean) * scale, with the crop at the centre (TEST) or at random (TRAIN), mirrored at random where asked
// for. The mean is a file (crop of the same place), one value, or one value per channel.
template <typename Dtype>
class DataTransformer {
 public:
  // Throws Error for mean_file together with mean_value, or a mean file that cannot be read.
  DataTransformer(const TransformationParameter& param, Phase phase);
  virtual ~DataTransformer() = default;

  // Seeds the generator from Caffe's; only needed when there is a random crop or mirror.
  void InitRand();

  // `transformed` must have the shape InferBlobShape gives, or more images. Images draw their mirror, then their crop,
  // in order; of a blob all images share one draw. The input is left as it is. Throws Error for an image that is no
  // image, smaller than the crop, or of another shape than the mean or `transformed`.
  void Transform(const Datum& datum, Blob<Dtype>* transformed);
  void Transform(const vector<Datum>& datum_vector, Blob<Dtype>* transformed);
  void Transform(const cv::Mat& image, Blob<Dtype>* transformed);
  void Transform(const vector<cv::Mat>& mat_vector, Blob<Dtype>* transformed);
  void Transform(Blob<Dtype>* input, Blob<Dtype>* transformed);

  vector<int> InferBlobShape(const Datum& datum);
  vector<int> InferBlobShape(const vector<Datum>& datum_vector);
  vector<int> InferBlobShape(const cv::Mat& image);
  vector<int> InferBlobShape(const vector<cv::Mat>& mat_vector);

  // What random crops and mirrors are drawn from, for a run that is resumed.
  const std::mt19937& rng() const { return rng_; }
  void set_rng(const std::mt19937& rng) { rng_ = rng; }

  // The image of an encoded datum, with the channels that force_color and force_gray ask for.
  cv::Mat Decode(const Datum& datum) const;

 protected:
  // Uniform in [0, n).
  virtual int Rand(int n);

  TransformationParameter param_;
  Phase phase_;
  std::mt19937 rng_;
  Blob<Dtype> data_mean_;
  vector<Dtype> mean_values_;

 private:
  // Shape of one transformed image; throws Error where crop or mean do not fit it.
  vector<int> OutputShape(int channels, int height, int width) const;
  void RequireShape(const vector<int>& image_shape, const Blob<Dtype>& transformed) const;
  // get_plane(c) gives the values of channel c.
  template <typename GetPlane>
  void TransformImage(int channels, int height, int width, GetPlane get_plane, Dtype* out);
  template <typename Image>
  void TransformEach(const vector<Image>& images, Blob<Dtype>* transformed);
  template <typename Image>
  vector<int> InferBatchShape(const vector<Image>& images);
};

}  // namespace caffe
