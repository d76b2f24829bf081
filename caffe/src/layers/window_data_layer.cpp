#include "caffe/layers/window_data_layer.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "caffe/util/image_list.hpp"
#include "caffe/util/in_threads.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/math_functions.hpp"
#include "window_file.hpp"

namespace caffe {
namespace {

// Part of a line of pixels: `length` of them from `start`.
struct Span {
  int start, length;
};

// Along one axis: what of the image is read, and what of the crop it fills.
struct AxisPlacement {
  Span source, target;
};

// The interval [first, last] of an image of `size` pixels, about its centre made `half` wide to both sides times
// `context`, resized to `crop` pixels. What lies outside the image is not filled.
AxisPlacement PlaceAxis(int first, int last, double half, double context, int size, int crop) {
  const double centre = first + 0.5 * (last - first + 1);
  const int begin = static_cast<int>(std::lround(centre - half * context));
  const int end = static_cast<int>(std::lround(centre + half * context)) + 1;
  const int clipped_begin = std::max(begin, 0), clipped_end = std::min(end, size);
  CAFFE_REQUIRE(clipped_begin < clipped_end) << "a window lies outside the image";
  const double scale = static_cast<double>(crop) / (end - begin);
  const int start = std::min(static_cast<int>(std::lround((clipped_begin - begin) * scale)), crop - 1);
  const int length = std::max(1, static_cast<int>(std::lround((clipped_end - clipped_begin) * scale)));
  return {{clipped_begin, clipped_end - clipped_begin}, {start, std::min(length, crop - start)}};
}

}  // namespace

template <typename Dtype>
WindowDataLayer<Dtype>::~WindowDataLayer() {
  this->StopInternalThread();
}

template <typename Dtype>
template <typename Action>
auto WindowDataLayer<Dtype>::InImage(const Image& image, Action action) const {
  const ImageListEntry entry{image.name, 0, image.line};
  return InListEntry(this->layer_param_.window_data_param().source(), entry, action);
}

template <typename Dtype>
void WindowDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const WindowDataParameter& param = this->layer_param_.window_data_param();
  const int crop = static_cast<int>(this->transform_param_.crop_size());
  CAFFE_REQUIRE(crop > 0) << "WindowData needs a crop_size above 0 in transform_param";
  CAFFE_REQUIRE(param.batch_size() > 0 && param.batch_size() <= INT_MAX)
      << "window_data_param needs a batch_size above 0, and of " << INT_MAX << " at most";
  CAFFE_REQUIRE(param.crop_mode() == "warp" || param.crop_mode() == "square")
      << "window_data_param has the crop_mode \"" << param.crop_mode() << "\"; it must be \"warp\" or \"square\"";
  CAFFE_REQUIRE(2 * std::int64_t{param.context_pad()} < crop)
      << "window_data_param has the context_pad " << param.context_pad() << "; it must be below half the crop_size "
      << crop;
  CAFFE_REQUIRE(param.fg_fraction() >= 0 && param.fg_fraction() <= 1)
      << "window_data_param has the fg_fraction " << param.fg_fraction() << "; it must be from 0 to 1";
  LOG(INFO) << "Window data layer: foreground (object) overlap threshold: " << param.fg_threshold()
            << ", background overlap threshold: " << param.bg_threshold()
            << ", foreground sampling fraction: " << param.fg_fraction();
  rng_.seed(caffe_rng_rand());
  ReadWindows();
  const int channels = images_[0].channels;
  this->ShapeTops({1, channels, crop, crop}, static_cast<int>(param.batch_size()), top);
  SetMean(channels, crop);
}

template <typename Dtype>
void WindowDataLayer<Dtype>::SetMean(int channels, int crop) {
  const TransformationParameter& param = this->transform_param_;
  mean_.Reshape(1, channels, crop, crop);
  if (param.has_mean_file()) {
    BlobProto proto;
    ReadProtoFromBinaryFileOrDie(param.mean_file(), &proto);
    Blob<Dtype> whole;
    whole.FromProto(proto);
    CAFFE_REQUIRE(whole.num_axes() <= 4 && whole.channels() == channels && whole.height() >= crop &&
                  whole.width() >= crop)
        << "the mean of " << param.mean_file() << " has the shape " << whole.shape_string() << "; needed are "
        << channels << " channels of at least " << crop << " x " << crop;
    const int top = (whole.height() - crop) / 2, left = (whole.width() - crop) / 2;
    for (int c = 0; c < channels; ++c) {
      for (int h = 0; h < crop; ++h) {
        caffe_copy(crop, whole.cpu_data() + whole.offset(0, c, top + h, left),
                   mean_.mutable_cpu_data() + mean_.offset(0, c, h));
      }
    }
    return;
  }
  const int values = param.mean_value_size();
  CAFFE_REQUIRE(values <= 1 || values == channels) << "transform_param has " << values << " mean_value fields for "
                                                   << channels << " channels; give one, or one for each channel";
  for (int c = 0; c < channels && values > 0; ++c) {
    const auto value = static_cast<Dtype>(param.mean_value(values == 1 ? 0 : c));
    caffe_set(crop * crop, value, mean_.mutable_cpu_data() + mean_.offset(0, c));
  }
}

template <typename Dtype>
void WindowDataLayer<Dtype>::ReadWindows() {
  const WindowDataParameter& param = this->layer_param_.window_data_param();
  LOG(INFO) << "Opening window file " << param.source();
  for (const WindowFileImage& entry : ReadWindowFile(param.source())) {
    Image image{param.root_folder() + entry.name, entry.channels, entry.line, {}};
    InImage(image, [&] {
      CAFFE_REQUIRE(image.channels == 1 || image.channels == 3)
          << "has " << image.channels << " channels; 1 (grey) and 3 (colour) are possible";
      CAFFE_REQUIRE(images_.empty() || image.channels == images_[0].channels)
          << "has " << image.channels << " channels, the images before it " << images_[0].channels;
      CAFFE_REQUIRE(!param.cache_images() || ReadFileToDatum(image.name, 0, &image.cache)) << WhyUnreadable(image.name);
      for (const WindowFileBox& box : entry.boxes) {
        const Window window{static_cast<int>(images_.size()), box.label, box.x1, box.y1, box.x2, box.y2};
        if (box.overlap >= param.fg_threshold()) {
          CAFFE_REQUIRE(box.label > 0) << "a foreground window has the class " << box.label << "; it must be above 0";
          fg_windows_.push_back(window);
        } else if (box.overlap < param.bg_threshold()) {
          bg_windows_.push_back(window);
          bg_windows_.back().label = 0;
        }
      }
    });
    images_.push_back(std::move(image));
  }
  LOG(INFO) << "Number of images: " << images_.size() << ", foreground windows: " << fg_windows_.size()
            << ", background windows: " << bg_windows_.size();
  const int foreground = ForegroundCount();
  CAFFE_REQUIRE(foreground == 0 || !fg_windows_.empty())
      << param.source() << ": no window overlaps by fg_threshold " << param.fg_threshold() << " or more";
  CAFFE_REQUIRE(foreground == static_cast<int>(param.batch_size()) || !bg_windows_.empty())
      << param.source() << ": no window overlaps by less than bg_threshold " << param.bg_threshold();
}

template <typename Dtype>
int WindowDataLayer<Dtype>::ForegroundCount() const {
  const WindowDataParameter& param = this->layer_param_.window_data_param();
  return static_cast<int>(param.batch_size() * param.fg_fraction());
}

template <typename Dtype>
cv::Mat WindowDataLayer<Dtype>::Read(const Image& image) const {
  const bool is_color = image.channels == 3;
  if (image.cache.encoded()) return DecodeDatumToCVMat(image.cache, is_color);
  const cv::Mat pixels = ReadImageToCVMat(image.name, is_color);
  CAFFE_REQUIRE(!pixels.empty()) << WhyUnreadable(image.name);
  return pixels;
}

template <typename Dtype>
typename WindowDataLayer<Dtype>::Placement WindowDataLayer<Dtype>::Place(const Window& window, const cv::Size& image,
                                                                         bool mirror) const {
  const WindowDataParameter& param = this->layer_param_.window_data_param();
  const int crop = static_cast<int>(this->transform_param_.crop_size());
  const int pad = static_cast<int>(param.context_pad());
  const bool square = param.crop_mode() == "square";
  if (pad == 0 && !square) {
    const cv::Rect source(window.x1, window.y1, window.x2 - window.x1 + 1, window.y2 - window.y1 + 1);
    CAFFE_REQUIRE((source & cv::Rect({0, 0}, image)) == source)
        << "the window " << window.x1 << " " << window.y1 << " " << window.x2 << " " << window.y2
        << " leaves the image of " << image.width << " x " << image.height << " pixels";
    return {source, 0, 0, {crop, crop}};
  }
  // So much more of the image, that the window itself ends `pad` pixels from the border of the crop.
  const double context = static_cast<double>(crop) / (crop - 2 * pad);
  double half_width = 0.5 * (window.x2 - window.x1 + 1), half_height = 0.5 * (window.y2 - window.y1 + 1);
  if (square) half_width = half_height = std::max(half_width, half_height);
  const AxisPlacement x = PlaceAxis(window.x1, window.x2, half_width, context, image.width, crop);
  const AxisPlacement y = PlaceAxis(window.y1, window.y2, half_height, context, image.height, crop);
  const int left = mirror ? crop - x.target.start - x.target.length : x.target.start;
  return {{x.source.start, y.source.start, x.source.length, y.source.length},
          left,
          y.target.start,
          {x.target.length, y.target.length}};
}

template <typename Dtype>
void WindowDataLayer<Dtype>::Cut(const cv::Mat& image, const Window& window, bool mirror) {
  const Placement place = Place(window, image.size(), mirror);
  cv::Mat pixels;
  cv::resize(image(place.source), pixels, place.size, 0, 0, cv::INTER_LINEAR);
  if (mirror) cv::flip(pixels, pixels, 1);

  Blob<Dtype>& out = this->transformed_data_;
  const Dtype scale = this->transform_param_.scale();
  const int channels = pixels.channels();
  caffe_set(out.count(), Dtype(0), out.mutable_cpu_data());
  for (int h = 0; h < pixels.rows; ++h) {
    const uchar* row = pixels.ptr<uchar>(h);
    for (int c = 0; c < channels; ++c) {
      const int offset = out.offset(0, c, place.top + h, place.left);
      const Dtype* mean = mean_.cpu_data() + offset;
      Dtype* target = out.mutable_cpu_data() + offset;
      for (int w = 0; w < pixels.cols; ++w) target[w] = (static_cast<Dtype>(row[w * channels + c]) - mean[w]) * scale;
    }
  }
}

template <typename Dtype>
string WindowDataLayer<Dtype>::SavePosition() const {
  ostringstream text;
  text << rng_;
  return text.str();
}

template <typename Dtype>
void WindowDataLayer<Dtype>::RestorePosition(const string& position) {
  std::istringstream text(position);
  CAFFE_REQUIRE(text >> rng_) << "the saved place in the data is damaged";
}

template <typename Dtype>
void WindowDataLayer<Dtype>::load_batch(Batch<Dtype>* batch) {
  const int batch_size = static_cast<int>(this->layer_param_.window_data_param().batch_size());
  vector<const Window*> windows;
  vector<bool> mirrored;
  for (int i = 0; i < batch_size; ++i) {
    const vector<Window>& choice = i < batch_size - ForegroundCount() ? bg_windows_ : fg_windows_;
    windows.push_back(&choice[PrefetchRand() % choice.size()]);
    mirrored.push_back(this->transform_param_.mirror() && PrefetchRand() % 2 != 0);
  }
  vector<cv::Mat> images(batch_size);
  InThreads(batch_size, DecodeThreads(), [&](int i) {
    if (this->must_stop()) return;
    const Image& image = images_[windows[i]->image];
    InImage(image, [&] { images[i] = Read(image); });
  });
  if (this->must_stop()) return;
  for (int i = 0; i < batch_size; ++i) {
    this->SelectImage(i, batch);
    InImage(images_[windows[i]->image], [&] { Cut(images[i], *windows[i], mirrored[i]); });
    batch->label_.mutable_cpu_data()[i] = static_cast<Dtype>(windows[i]->label);
  }
}

INSTANTIATE_CLASS(WindowDataLayer);
REGISTER_LAYER_CLASS(WindowData);

}  // namespace caffe
