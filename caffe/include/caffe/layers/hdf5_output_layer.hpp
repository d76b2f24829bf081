// Blobs into an HDF5 file.
#pragma once

#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/util/hdf5_appender.hpp"

#define HDF5_DATA_DATASET_NAME "data"
#define HDF5_DATA_LABEL_NAME "label"

namespace caffe {

// Bottoms: data and label, of as many rows. Each Forward adds its rows to the datasets "data" and "label" of
// hdf5_output_param.file_name. The file is made at the first Forward, in place of one that was there, and whole after
// each.
template <typename Dtype>
class HDF5OutputLayer : public Layer<Dtype> {
 public:
  explicit HDF5OutputLayer(const LayerParameter& param);

  // Throws Error for a missing folder.
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  // There is no top.
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {}
  const char* type() const override { return "HDF5Output"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 0; }
  string file_name() const { return file_name_; }
  bool NeedsBatchesInOrder() const override { return true; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  // Nothing comes back from a file.
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override {}

  string file_name_;

 private:
  shared_ptr<Hdf5Appender> file_;
};

}  // namespace caffe
