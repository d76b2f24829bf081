// Images from the memory of the program.
#pragma once

#include <vector>

#include "caffe/layers/base_data_layer.hpp"

namespace caffe {

// Tops: data (batch_size, channels, height, width) and label (batch_size), the next batch of what AddDatumVector,
// AddMatVector or Reset gave, from the first again after the last.
template <typename Dtype>
class MemoryDataLayer : public BaseDataLayer<Dtype> {
 public:
  using BaseDataLayer<Dtype>::BaseDataLayer;

  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  const char* type() const override { return "MemoryData"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int ExactNumTopBlobs() const override { return 2; }

  // Images that go through transform_param and are copied. Their number must be a multiple of the batch size. Throw
  // Error while images added before have not all been used.
  virtual void AddDatumVector(const vector<Datum>& datum_vector);
  virtual void AddMatVector(const vector<cv::Mat>& mat_vector, const vector<int>& labels);

  // `n` images, a multiple of the batch size, and their labels; used as they are, and not copied: the caller keeps
  // them.
  void Reset(Dtype* data, Dtype* label, int n);
  // Images that are no multiple of it have to be given anew.
  void set_batch_size(int new_size);

  int batch_size() const { return batch_size_; }
  int channels() const { return channels_; }
  int height() const { return height_; }
  int width() const { return width_; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  int batch_size_ = 0, channels_ = 0, height_ = 0, width_ = 0, size_ = 0;
  Dtype* data_ = nullptr;
  Dtype* labels_ = nullptr;
  int n_ = 0;
  size_t pos_ = 0;
  Blob<Dtype> added_data_;
  Blob<Dtype> added_label_;
  bool has_new_data_ = false;

 private:
  // Throws unless `count` images may be added now; then makes room for them.
  void PrepareToAdd(size_t count);
  // The next batches come from added_data_.
  void UseAdded();
};

}  // namespace caffe
