// Images from files.
#pragma once

#include <string>
#include <vector>

#include "caffe/layers/base_data_layer.hpp"
#include "caffe/util/image_list.hpp"

namespace caffe {

// Tops: data (batch_size, channels, height, width), after transform_param; label (batch_size). The images of the list
// image_data_param.source come in its order, or shuffled anew for each pass; from the first again after the last. The
// shape is that of the first image of each batch.
template <typename Dtype>
class ImageDataLayer : public BasePrefetchingDataLayer<Dtype> {
 public:
  using BasePrefetchingDataLayer<Dtype>::BasePrefetchingDataLayer;
  ~ImageDataLayer() override;

  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  const char* type() const override { return "ImageData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int ExactNumTopBlobs() const override { return 2; }

 protected:
  // The order of the pass that pass_seed_ stands for.
  void ShuffleImages();
  void load_batch(Batch<Dtype>* batch) override;
  // Seed of the pass and place in it.
  string SavePosition() const override;
  void RestorePosition(const string& position) override;

  vector<ImageListEntry> lines_;  // in the order of the list
  vector<int> order_;             // of this pass
  size_t lines_id_ = 0;           // into order_

 private:
  // An image on its way into a batch.
  struct Loaded {
    ImageListEntry entry;
    cv::Mat image;
  };

  cv::Mat Read(const ImageListEntry& entry) const;
  // The next images that are good (CorruptRecords); fewer when the thread must stop.
  vector<Loaded> ReadGood(int count);
  void Next();
  // Runs `action`; an error names the list, its line and the image.
  template <typename Action>
  auto InEntry(const ImageListEntry& entry, Action action) const;

  unsigned pass_seed_ = 0;
};

}  // namespace caffe
