// Arrays in HDF5 files.
#pragma once

#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"

namespace caffe {

// Handles are hid_t, kept as 64-bit integers so that users need no HDF5 header. All failures throw Error naming the
// file.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const string& filename);
  ~Hdf5Reader();

  // Group or dataset, by its path from the root without a leading slash.
  bool Exists(const string& path) const;
  int CountDatasets(const string& group) const;
  vector<int> Shape(const string& dataset) const;
  // Converts to the element type asked for; `data` holds the product of the shape.
  void Read(const string& dataset, float* data) const;
  void Read(const string& dataset, double* data) const;
  // A dataset of one integer, a text, and bytes as WriteBytes stores them.
  int ReadInt(const string& dataset) const;
  string ReadString(const string& dataset) const;
  string ReadBytes(const string& dataset) const;

 private:
  string filename_;
  std::int64_t file_;

  DISABLE_COPY_AND_ASSIGN(Hdf5Reader);
};

// Writes beside the file; Commit renames it into place. Without Commit nothing is left.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const string& filename);
  ~Hdf5Writer();

  // Groups on the way are made.
  void Write(const string& dataset, const vector<int>& shape, const float* data);
  void Write(const string& dataset, const vector<int>& shape, const double* data);
  void WriteInt(const string& dataset, int value);
  void WriteString(const string& dataset, const string& value);
  void WriteBytes(const string& dataset, const string& value);
  void Commit();

 private:
  string filename_;
  string temporary_;
  std::int64_t file_;

  DISABLE_COPY_AND_ASSIGN(Hdf5Writer);
};

// Caffe's functions on files that the caller has opened with HDF5 itself: `file_id` and `loc_id` are hid_t. All throw
// Error naming the dataset.

// A dataset of min_dim to max_dim axes, of floating or whole numbers. The blob must have its shape, or none yet, unless
// `reshape`.
template <typename Dtype>
void hdf5_load_nd_dataset(std::int64_t file_id, const char* dataset_name, int min_dim, int max_dim, Blob<Dtype>* blob,
                          bool reshape = false);
// Checks and shapes alone.
template <typename Dtype>
void hdf5_load_nd_dataset_helper(std::int64_t file_id, const char* dataset_name, int min_dim, int max_dim,
                                 Blob<Dtype>* blob, bool reshape);
template <typename Dtype>
void hdf5_save_nd_dataset(std::int64_t file_id, const string& dataset_name, const Blob<Dtype>& blob,
                          bool write_diff = false);
int hdf5_load_int(std::int64_t loc_id, const string& dataset_name);
void hdf5_save_int(std::int64_t loc_id, const string& dataset_name, int i);
string hdf5_load_string(std::int64_t loc_id, const string& dataset_name);
void hdf5_save_string(std::int64_t loc_id, const string& dataset_name, const string& s);
// Links of a group, in the order of their names.
int hdf5_get_num_links(std::int64_t loc_id);
string hdf5_get_name_by_idx(std::int64_t loc_id, int idx);

}  // namespace caffe
