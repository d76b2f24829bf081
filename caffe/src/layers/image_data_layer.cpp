#include "caffe/layers/image_data_layer.hpp"

#include <numeric>
#include <random>

#include "caffe/util/corrupt_records.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

template <typename Dtype>
ImageDataLayer<Dtype>::~ImageDataLayer() {
  this->StopInternalThread();
}

template <typename Dtype>
void ImageDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ImageDataParameter& param = this->layer_param_.image_data_param();
  CAFFE_REQUIRE(param.batch_size() > 0 && param.batch_size() <= INT_MAX)
      << "image_data_param needs a batch_size above 0, and of " << INT_MAX << " at most";
  CAFFE_REQUIRE((param.new_height() > 0) == (param.new_width() > 0))
      << "image_data_param needs both new_height and new_width above 0, or none of them";
  LOG(INFO) << "Opening file " << param.source();
  lines_ = ReadImageList(param.source());
  CAFFE_REQUIRE(!lines_.empty()) << param.source() << ": names no image";
  order_.resize(lines_.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (param.shuffle()) {
    LOG(INFO) << "Shuffling data";
    pass_seed_ = caffe_rng_rand();
    ShuffleImages();
  }
  LOG(INFO) << "A total of " << lines_.size() << " images.";
  if (param.rand_skip() > 0) {
    lines_id_ = caffe_rng_rand() % param.rand_skip();
    LOG(INFO) << "Skipping first " << lines_id_ << " data points.";
    CAFFE_REQUIRE(lines_id_ < lines_.size()) << "image_data_param has the rand_skip " << param.rand_skip() << "; "
                                             << param.source() << " names only " << lines_.size() << " images";
  }
  // The first batch begins with it again.
  const string start = SavePosition();
  const vector<Loaded> first = ReadGood(1);
  InEntry(first[0].entry, [&] {
    const vector<int> shape = this->data_transformer_->InferBlobShape(first[0].image);
    this->ShapeTops(shape, static_cast<int>(param.batch_size()), top);
  });
  RestorePosition(start);
}

template <typename Dtype>
void ImageDataLayer<Dtype>::ShuffleImages() {
  std::mt19937 rng(pass_seed_);
  std::iota(order_.begin(), order_.end(), 0);
  shuffle(order_.begin(), order_.end(), &rng);
}

template <typename Dtype>
string ImageDataLayer<Dtype>::SavePosition() const {
  return std::to_string(pass_seed_) + " " + std::to_string(lines_id_);
}

template <typename Dtype>
void ImageDataLayer<Dtype>::RestorePosition(const string& position) {
  std::istringstream text(position);
  unsigned seed = 0;
  size_t line = 0;
  CAFFE_REQUIRE(text >> seed >> line && line < lines_.size())
      << this->layer_param_.image_data_param().source() << " is not the list of the interrupted run: it has only "
      << lines_.size() << " images";
  pass_seed_ = seed;
  lines_id_ = line;
  if (this->layer_param_.image_data_param().shuffle()) ShuffleImages();
}

template <typename Dtype>
cv::Mat ImageDataLayer<Dtype>::Read(const ImageListEntry& entry) const {
  const ImageDataParameter& param = this->layer_param_.image_data_param();
  const string file = param.root_folder() + entry.name;
  const cv::Mat image = ReadImageToCVMat(file, static_cast<int>(param.new_height()),
                                         static_cast<int>(param.new_width()), param.is_color());
  CAFFE_REQUIRE(!image.empty()) << WhyUnreadable(file);
  return image;
}

template <typename Dtype>
template <typename Action>
auto ImageDataLayer<Dtype>::InEntry(const ImageListEntry& entry, Action action) const {
  return InListEntry(this->layer_param_.image_data_param().source(), entry, action);
}

template <typename Dtype>
vector<typename ImageDataLayer<Dtype>::Loaded> ImageDataLayer<Dtype>::ReadGood(int count) {
  const auto take = [this] {
    Loaded loaded{lines_[order_[lines_id_]], {}};
    Next();
    return loaded;
  };
  const auto load = [this](Loaded& loaded) { InEntry(loaded.entry, [&] { loaded.image = Read(loaded.entry); }); };
  return LoadGoodItems<Loaded>(count, take, load, [this] { return this->must_stop(); });
}

template <typename Dtype>
void ImageDataLayer<Dtype>::Next() {
  if (++lines_id_ < lines_.size()) return;
  LOG(INFO) << "Restarting data prefetching from start.";
  lines_id_ = 0;
  if (!this->layer_param_.image_data_param().shuffle()) return;
  pass_seed_ = std::mt19937(pass_seed_)();
  ShuffleImages();
}

template <typename Dtype>
void ImageDataLayer<Dtype>::load_batch(Batch<Dtype>* batch) {
  const int batch_size = static_cast<int>(this->layer_param_.image_data_param().batch_size());
  const vector<Loaded> images = ReadGood(batch_size);
  if (this->must_stop()) return;
  InEntry(images[0].entry,
          [&] { this->ShapeBatch(this->data_transformer_->InferBlobShape(images[0].image), batch_size, batch); });
  // One after the other: the random crops and mirrors are drawn in the order of the images.
  for (int i = 0; i < batch_size; ++i) {
    const Loaded& loaded = images[i];
    this->SelectImage(i, batch);
    InEntry(loaded.entry, [&] { this->data_transformer_->Transform(loaded.image, &this->transformed_data_); });
    batch->label_.mutable_cpu_data()[i] = static_cast<Dtype>(loaded.entry.label);
  }
}

INSTANTIATE_CLASS(ImageDataLayer);
REGISTER_LAYER_CLASS(ImageData);

}  // namespace caffe
