// Windows of images, for training a detector.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "caffe/layers/base_data_layer.hpp"

namespace caffe {

// Tops: data (batch_size, channels, crop_size, crop_size), label (batch_size). window_data_param.source is a text file:
//
//   # <image index>
//   <name>                        put after root_folder
//   <channels> <height> <width>   on one line or three
//   <number of windows>
//   <class> <overlap> <x1> <y1> <x2> <y2>    for each window; pixels, both ends inside
//
// A window whose overlap with an object is at least fg_threshold is foreground, labelled with its class (1 or more);
// one below bg_threshold is background, labelled 0. A batch is drawn at random: background first, then round
// down(batch_size * fg_fraction) foreground windows. Each is cut out with context_pad pixels around it (measured after
// resizing), resized to crop_size x crop_size ("warp") or its enclosing square is ("square"), mirrored at random where
// asked for; what is outside the image is 0 after the mean is taken off.
template <typename Dtype>
class WindowDataLayer : public BasePrefetchingDataLayer<Dtype> {
 public:
  using BasePrefetchingDataLayer<Dtype>::BasePrefetchingDataLayer;
  ~WindowDataLayer() override;

  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  const char* type() const override { return "WindowData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int ExactNumTopBlobs() const override { return 2; }

 protected:
  struct Window {
    int image;  // into images_
    int label;
    int x1, y1, x2, y2;
  };
  // Where a window comes from and where it goes.
  struct Placement {
    cv::Rect source;  // inside the image
    int left, top;    // in the crop
    cv::Size size;    // in the crop
  };

  void load_batch(Batch<Dtype>* batch) override;
  // The generator that draws the windows.
  string SavePosition() const override;
  void RestorePosition(const string& position) override;
  unsigned PrefetchRand() { return rng_(); }
  Placement Place(const Window& window, const cv::Size& image, bool mirror) const;

  struct Image {
    string name;
    int channels;
    int line;     // in the source
    Datum cache;  // the encoded file, with cache_images
  };
  vector<Image> images_;
  vector<Window> fg_windows_, bg_windows_;

 private:
  void ReadWindows();
  // The part of the mean that is taken off a crop: the centre of mean_file, or mean_value.
  void SetMean(int channels, int crop);
  // Foreground windows in a batch.
  int ForegroundCount() const;
  cv::Mat Read(const Image& image) const;
  // Writes the window into transformed_data_.
  void Cut(const cv::Mat& image, const Window& window, bool mirror);
  template <typename Action>
  auto InImage(const Image& image, Action action) const;

  std::mt19937 rng_;
  Blob<Dtype> mean_;  // (1, channels, crop_size, crop_size)
};

}  // namespace caffe
