// Datasets that grow, in an HDF5 file.
#pragma once

#include <string>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

// Made beside the file; the first Publish moves it there, in place of one that was there. Without Publish nothing is
// left. All failures throw Error naming the file.
class Hdf5Appender {
 public:
  explicit Hdf5Appender(const string& filename);
  ~Hdf5Appender();

  // Adds shape[0] rows to the dataset, made at the first call. The other axes must be those of the first call.
  void Append(const string& dataset, const vector<int>& shape, const float* data);
  void Append(const string& dataset, const vector<int>& shape, const double* data);
  // From now on the file is there, and holds all rows so far.
  void Publish();

 private:
  string filename_;
  string temporary_;   // empty once published
  std::int64_t file_;  // hid_t

  DISABLE_COPY_AND_ASSIGN(Hdf5Appender);
};

}  // namespace caffe
