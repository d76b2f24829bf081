#include "caffe/layers/hdf5_output_layer.hpp"

#include <filesystem>

namespace caffe {

template <typename Dtype>
HDF5OutputLayer<Dtype>::HDF5OutputLayer(const LayerParameter& param)
    : Layer<Dtype>(param), file_name_(param.hdf5_output_param().file_name()) {}

template <typename Dtype>
void HDF5OutputLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(!file_name_.empty()) << "hdf5_output_param needs a file_name";
  const std::filesystem::path folder = std::filesystem::path(file_name_).parent_path();
  CAFFE_REQUIRE(folder.empty() || std::filesystem::is_directory(folder))
      << "Cannot write " << file_name_ << ": there is no folder " << folder.string();
}

template <typename Dtype>
void HDF5OutputLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() > 0 && bottom[1]->num_axes() > 0 && bottom[0]->shape(0) == bottom[1]->shape(0))
      << "data and label must have as many rows; their shapes are " << bottom[0]->shape_string() << " and "
      << bottom[1]->shape_string();
  if (!file_) file_ = std::make_shared<Hdf5Appender>(file_name_);
  file_->Append(HDF5_DATA_DATASET_NAME, bottom[0]->shape(), bottom[0]->cpu_data());
  file_->Append(HDF5_DATA_LABEL_NAME, bottom[1]->shape(), bottom[1]->cpu_data());
  file_->Publish();
}

INSTANTIATE_CLASS(HDF5OutputLayer);
REGISTER_LAYER_CLASS(HDF5Output);

}  // namespace caffe
