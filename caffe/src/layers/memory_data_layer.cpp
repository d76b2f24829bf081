#include "caffe/layers/memory_data_layer.hpp"

namespace caffe {

template <typename Dtype>
void MemoryDataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const MemoryDataParameter& param = this->layer_param_.memory_data_param();
  for (const unsigned dim : {param.batch_size(), param.channels(), param.height(), param.width()}) {
    CAFFE_REQUIRE(dim > 0 && dim <= INT_MAX)
        << "memory_data_param needs batch_size, channels, height and width above 0";
  }
  batch_size_ = static_cast<int>(param.batch_size());
  channels_ = static_cast<int>(param.channels());
  height_ = static_cast<int>(param.height());
  width_ = static_cast<int>(param.width());
  top[0]->Reshape(batch_size_, channels_, height_, width_);
  top[1]->Reshape({batch_size_});
  size_ = top[0]->count(1);
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::PrepareToAdd(size_t count) {
  CAFFE_REQUIRE(!has_new_data_) << "images cannot be added before those added earlier have been used";
  CAFFE_REQUIRE(count > 0) << "there is no image to add";
  CAFFE_REQUIRE(count <= INT_MAX && count % batch_size_ == 0)
      << count << " images were added; their number must be a multiple of the batch size " << batch_size_;
  added_data_.Reshape(static_cast<int>(count), channels_, height_, width_);
  added_label_.Reshape({static_cast<int>(count)});
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::UseAdded() {
  data_ = added_data_.mutable_cpu_data();
  labels_ = added_label_.mutable_cpu_data();
  n_ = added_data_.num();
  pos_ = 0;
  has_new_data_ = true;
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::AddDatumVector(const vector<Datum>& datum_vector) {
  PrepareToAdd(datum_vector.size());
  this->data_transformer_->Transform(datum_vector, &added_data_);
  for (size_t i = 0; i < datum_vector.size(); ++i) {
    added_label_.mutable_cpu_data()[i] = static_cast<Dtype>(datum_vector[i].label());
  }
  UseAdded();
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::AddMatVector(const vector<cv::Mat>& mat_vector, const vector<int>& labels) {
  CAFFE_REQUIRE(mat_vector.size() == labels.size())
      << mat_vector.size() << " images were added with " << labels.size() << " labels";
  PrepareToAdd(mat_vector.size());
  this->data_transformer_->Transform(mat_vector, &added_data_);
  for (size_t i = 0; i < labels.size(); ++i) {
    added_label_.mutable_cpu_data()[i] = static_cast<Dtype>(labels[i]);
  }
  UseAdded();
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::Reset(Dtype* data, Dtype* label, int n) {
  CAFFE_REQUIRE(data != nullptr && label != nullptr) << "MemoryData needs both images and labels";
  CAFFE_REQUIRE(n > 0 && n % batch_size_ == 0)
      << n << " images were given; their number must be a multiple of the batch size " << batch_size_;
  if (this->layer_param_.has_transform_param()) {
    LOG(WARNING) << this->type() << " does not transform array data on Reset()";
  }
  data_ = data;
  labels_ = label;
  n_ = n;
  pos_ = 0;
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::set_batch_size(int new_size) {
  CAFFE_REQUIRE(!has_new_data_) << "the batch size cannot be changed before all images have been used";
  CAFFE_REQUIRE(new_size > 0) << "a batch size of " << new_size << " is not possible";
  batch_size_ = new_size;
  // What is there may not be cut into whole batches any more.
  if (n_ % batch_size_ != 0) data_ = nullptr;
  if (pos_ % batch_size_ != 0) pos_ = 0;
}

template <typename Dtype>
void MemoryDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(data_ != nullptr) << "MemoryData has no images: give it some by AddDatumVector, AddMatVector or Reset";
  top[0]->Reshape(batch_size_, channels_, height_, width_);
  top[1]->Reshape({batch_size_});
  top[0]->set_cpu_data(data_ + pos_ * size_);
  top[1]->set_cpu_data(labels_ + pos_);
  pos_ = (pos_ + batch_size_) % n_;
  if (pos_ == 0) has_new_data_ = false;
}

INSTANTIATE_CLASS(MemoryDataLayer);
REGISTER_LAYER_CLASS(MemoryData);

}  // namespace caffe
