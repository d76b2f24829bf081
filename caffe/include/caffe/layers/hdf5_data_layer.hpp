// Arrays from HDF5 files.
#pragma once

#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/util/resumable.hpp"

namespace caffe {

// Each top is the dataset of its name: batch_size rows of it at a time. hdf5_data_param.source lists the files, one a
// line; from the first again after the last. All datasets of a file have as many rows. With `shuffle` the order of the
// files and of the rows in each is drawn anew for each pass. Of several solvers in training each reads its share of the
// rows.
template <typename Dtype>
class HDF5DataLayer : public Layer<Dtype>, public Resumable {
 public:
  using Layer<Dtype>::Layer;

  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  // No bottom gives the tops their shape.
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {}
  const char* type() const override { return "HDF5Data"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }

  // Seed of the pass and place in it.
  string SaveState() const override;
  void RestoreState(const string& state) override;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override {}
  void LoadHDF5FileData(const string& filename);
  // To the next row, of the next file after the last.
  void Next();

  vector<string> hdf_filenames_;
  size_t current_file_ = 0;  // into file_permutation_
  size_t current_row_ = 0;   // into data_permutation_
  vector<shared_ptr<Blob<Dtype>>> hdf_blobs_;
  vector<int> data_permutation_;
  vector<int> file_permutation_;
  std::uint64_t offset_ = 0;  // rows passed

 private:
  // Or the first after it that is good (CorruptRecords).
  void LoadCurrentFile();
  void NextFile();
  // The orders of the pass that pass_seed_ stands for: of the files, and of the rows of the current one.
  void OrderFiles();
  void OrderRows();

  unsigned pass_seed_ = 0;
};

}  // namespace caffe
