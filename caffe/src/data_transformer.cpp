#include "caffe/data_transformer.hpp"

#include <opencv2/core.hpp>

#include "caffe/util/io.hpp"

namespace caffe {
namespace {

// What one image goes through: which part of it is taken, and whether it is mirrored.
struct Window {
  int top, left, height, width;
  bool mirror;
};

// One channel of an image: its values, and the distance from one to the next in a row and in a column.
template <typename Value>
struct Plane {
  const Value* values;
  std::ptrdiff_t row_stride, column_stride;
};

// The mean of one channel: one value, or a plane as large as the image.
template <typename Dtype>
struct Mean {
  Dtype value = 0;
  const Dtype* plane = nullptr;
};

// `step` is -1 for a mirrored row, which `out` then points to the end of. Apart for each kind of mean, and for
// neighbouring values, so that the compiler can use vectors.
template <typename Value, typename Dtype>
void TransformRow(const Value* in, std::ptrdiff_t stride, const Dtype* mean_row, Dtype mean, Dtype scale, int width,
                  Dtype* out, int step) {
  if (mean_row != nullptr) {
    for (int w = 0; w < width; ++w) out[step * w] = (static_cast<Dtype>(in[w * stride]) - mean_row[w]) * scale;
  } else if (stride == 1 && step == 1) {
    for (int w = 0; w < width; ++w) out[w] = (static_cast<Dtype>(in[w]) - mean) * scale;
  } else {
    for (int w = 0; w < width; ++w) out[step * w] = (static_cast<Dtype>(in[w * stride]) - mean) * scale;
  }
}

template <typename Value, typename Dtype>
void TransformPlane(const Plane<Value>& plane, const Mean<Dtype>& mean, int mean_width, const Window& window,
                    Dtype scale, Dtype* out) {
  for (int h = 0; h < window.height; ++h) {
    const int row = window.top + h;
    const Value* in = plane.values + row * plane.row_stride + window.left * plane.column_stride;
    const Dtype* mean_row = mean.plane == nullptr ? nullptr : mean.plane + row * mean_width + window.left;
    Dtype* out_row = out + h * window.width;
    if (window.mirror) {
      TransformRow(in, plane.column_stride, mean_row, mean.value, scale, window.width, out_row + window.width - 1, -1);
    } else {
      TransformRow(in, plane.column_stride, mean_row, mean.value, scale, window.width, out_row, 1);
    }
  }
}

void RequireDimensions(const Datum& datum) {
  CAFFE_REQUIRE(datum.channels() > 0 && datum.height() > 0 && datum.width() > 0)
      << "a datum has " << datum.channels() << " channels, height " << datum.height() << " and width " << datum.width()
      << "; each must be above 0";
  // In two steps: the product of three absurd dimensions would overflow.
  const std::int64_t rows = std::int64_t{datum.channels()} * datum.height();
  const std::int64_t expected = rows <= INT_MAX ? rows * datum.width() : -1;
  const std::int64_t actual = datum.data().empty() ? datum.float_data_size() : std::int64_t(datum.data().size());
  CAFFE_REQUIRE(actual == expected) << "a datum holds " << actual << " values; " << datum.channels() << " channels of "
                                    << datum.height() << " x " << datum.width() << " were announced";
}

}  // namespace

template <typename Dtype>
DataTransformer<Dtype>::DataTransformer(const TransformationParameter& param, Phase phase)
    : param_(param), phase_(phase) {
  CAFFE_REQUIRE(param.mean_value_size() == 0 || !param.has_mean_file())
      << "transform_param has both mean_file and mean_value; give one of them";
  CAFFE_REQUIRE(!param.force_color() || !param.force_gray())
      << "transform_param has both force_color and force_gray; give one of them";
  CAFFE_REQUIRE(param.crop_size() <= INT_MAX) << "transform_param has the crop_size " << param.crop_size();
  for (const float value : param.mean_value()) mean_values_.push_back(value);
  if (!param.has_mean_file()) return;
  LOG(INFO) << "Loading mean file from: " << param.mean_file();
  BlobProto proto;
  ReadProtoFromBinaryFileOrDie(param.mean_file(), &proto);
  try {
    data_mean_.FromProto(proto);
    CAFFE_REQUIRE(data_mean_.num_axes() <= 4 && data_mean_.num() == 1)
        << "a mean has the shape (1, channels, height, width), this one " << data_mean_.shape_string();
  } catch (const Error& error) {
    throw Error(param.mean_file() + ": " + error.what());
  }
}

template <typename Dtype>
void DataTransformer<Dtype>::InitRand() {
  if (param_.mirror() || (phase_ == TRAIN && param_.crop_size() > 0)) rng_.seed(caffe_rng_rand());
}

template <typename Dtype>
int DataTransformer<Dtype>::Rand(int n) {
  CHECK_GT(n, 0);
  return static_cast<int>(rng_() % static_cast<unsigned>(n));
}

template <typename Dtype>
template <typename GetPlane>
void DataTransformer<Dtype>::TransformImage(int channels, int height, int width, GetPlane get_plane, Dtype* out) {
  Window window{0, 0, height, width, param_.mirror() && Rand(2) != 0};
  if (const int crop = static_cast<int>(param_.crop_size())) {
    window.height = window.width = crop;
    window.top = phase_ == TRAIN ? Rand(height - crop + 1) : (height - crop) / 2;
    window.left = phase_ == TRAIN ? Rand(width - crop + 1) : (width - crop) / 2;
  }
  const Dtype scale = param_.scale();
  for (int c = 0; c < channels; ++c) {
    Mean<Dtype> mean;
    if (param_.has_mean_file()) {
      mean.plane = data_mean_.cpu_data() + data_mean_.offset(0, c);
    } else if (!mean_values_.empty()) {
      mean.value = mean_values_[mean_values_.size() == 1 ? 0 : c];
    }
    TransformPlane(get_plane(c), mean, width, window, scale, out + c * window.height * window.width);
  }
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::OutputShape(int channels, int height, int width) const {
  const int crop = static_cast<int>(param_.crop_size());
  CAFFE_REQUIRE(crop <= height && crop <= width)
      << "crop_size " << crop << " is larger than the image of " << height << " x " << width;
  if (param_.has_mean_file()) {
    CAFFE_REQUIRE(data_mean_.channels() == channels && data_mean_.height() == height && data_mean_.width() == width)
        << "the mean of " << param_.mean_file() << " has the shape " << data_mean_.shape_string() << "; the image has "
        << channels << " channels of " << height << " x " << width;
  }
  CAFFE_REQUIRE(mean_values_.size() <= 1 || static_cast<int>(mean_values_.size()) == channels)
      << "transform_param has " << mean_values_.size() << " mean_value fields for " << channels
      << " channels; give one, or one for each channel";
  return {1, channels, crop > 0 ? crop : height, crop > 0 ? crop : width};
}

template <typename Dtype>
void DataTransformer<Dtype>::RequireShape(const vector<int>& image_shape, const Blob<Dtype>& transformed) const {
  CAFFE_REQUIRE(transformed.num_axes() == 4 && transformed.num() >= 1 && transformed.channels() == image_shape[1] &&
                transformed.height() == image_shape[2] && transformed.width() == image_shape[3])
      << "the image gives " << image_shape[1] << " channels of " << image_shape[2] << " x " << image_shape[3]
      << "; the blob for it has the shape " << transformed.shape_string();
}

template <typename Dtype>
cv::Mat DataTransformer<Dtype>::Decode(const Datum& datum) const {
  if (param_.force_color() || param_.force_gray()) return DecodeDatumToCVMat(datum, param_.force_color());
  return DecodeDatumToCVMatNative(datum);
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const Datum& datum, Blob<Dtype>* transformed) {
  if (datum.encoded()) {
    Transform(Decode(datum), transformed);
    return;
  }
  RequireDimensions(datum);
  const int channels = datum.channels(), height = datum.height(), width = datum.width();
  RequireShape(OutputShape(channels, height, width), *transformed);
  const std::ptrdiff_t area = std::ptrdiff_t{height} * width;
  Dtype* out = transformed->mutable_cpu_data();
  if (!datum.data().empty()) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(datum.data().data());
    TransformImage(
        channels, height, width,
        [&](int c) {
          return Plane<std::uint8_t>{bytes + c * area, width, 1};
        },
        out);
  } else {
    const float* values = datum.float_data().data();
    TransformImage(
        channels, height, width,
        [&](int c) {
          return Plane<float>{values + c * area, width, 1};
        },
        out);
  }
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const cv::Mat& image, Blob<Dtype>* transformed) {
  RequireShape(InferBlobShape(image), *transformed);
  const int channels = image.channels();
  const auto plane = [&](int c) {
    return Plane<std::uint8_t>{image.data + c, static_cast<std::ptrdiff_t>(image.step[0]), channels};
  };
  TransformImage(channels, image.rows, image.cols, plane, transformed->mutable_cpu_data());
}

template <typename Dtype>
template <typename Image>
void DataTransformer<Dtype>::TransformEach(const vector<Image>& images, Blob<Dtype>* transformed) {
  const int count = static_cast<int>(images.size());
  CAFFE_REQUIRE(count > 0) << "there is no image to transform";
  CAFFE_REQUIRE(transformed->num_axes() == 4 && count <= transformed->num())
      << count << " images do not fit into a blob of shape " << transformed->shape_string();
  Blob<Dtype> one(1, transformed->channels(), transformed->height(), transformed->width());
  for (int i = 0; i < count; ++i) {
    one.set_cpu_data(transformed->mutable_cpu_data() + transformed->offset(i));
    Transform(images[i], &one);
  }
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const vector<Datum>& datum_vector, Blob<Dtype>* transformed) {
  TransformEach(datum_vector, transformed);
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(const vector<cv::Mat>& mat_vector, Blob<Dtype>* transformed) {
  TransformEach(mat_vector, transformed);
}

template <typename Dtype>
void DataTransformer<Dtype>::Transform(Blob<Dtype>* input, Blob<Dtype>* transformed) {
  const int num = input->num(), channels = input->channels(), height = input->height(), width = input->width();
  vector<int> shape = OutputShape(channels, height, width);
  shape[0] = num;
  if (transformed->count() == 0) transformed->Reshape(shape);
  RequireShape(shape, *transformed);
  CAFFE_REQUIRE(num <= transformed->num())
      << num << " images do not fit into a blob of shape " << transformed->shape_string();
  // All images of the batch get the same crop and mirror: they are channels of one image.
  const Dtype* in = input->cpu_data();
  const int area = height * width;
  const int image_size = shape[1] * shape[2] * shape[3];
  const std::mt19937 state = rng_;
  for (int n = 0; n < num; ++n) {
    rng_ = state;
    TransformImage(
        channels, height, width,
        [&](int c) {
          return Plane<Dtype>{in + (n * channels + c) * area, width, 1};
        },
        transformed->mutable_cpu_data() + n * image_size);
  }
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const Datum& datum) {
  if (datum.encoded()) return InferBlobShape(Decode(datum));
  RequireDimensions(datum);
  return OutputShape(datum.channels(), datum.height(), datum.width());
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const cv::Mat& image) {
  CAFFE_REQUIRE(!image.empty()) << "the image is empty";
  CAFFE_REQUIRE(image.depth() == CV_8U) << "an image must have 8 bits per value";
  return OutputShape(image.channels(), image.rows, image.cols);
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const vector<Datum>& datum_vector) {
  return InferBatchShape(datum_vector);
}

template <typename Dtype>
vector<int> DataTransformer<Dtype>::InferBlobShape(const vector<cv::Mat>& mat_vector) {
  return InferBatchShape(mat_vector);
}

template <typename Dtype>
template <typename Image>
vector<int> DataTransformer<Dtype>::InferBatchShape(const vector<Image>& images) {
  CAFFE_REQUIRE(!images.empty()) << "there is no image to take the shape of";
  vector<int> shape = InferBlobShape(images[0]);
  shape[0] = static_cast<int>(images.size());
  return shape;
}

INSTANTIATE_CLASS(DataTransformer);

}  // namespace caffe
