#include "caffe/util/hdf5_appender.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "hdf5_handle.hpp"

namespace caffe {
namespace {

// An empty dataset that can grow along its first axis, in chunks of the rows of `dims`.
template <typename Dtype>
hid_t MakeDataset(hid_t file, const string& name, const vector<hsize_t>& dims, const Dtype* data) {
  const int axes = static_cast<int>(dims.size());
  vector<hsize_t> none = dims, most = dims;
  none[0] = 0;
  most[0] = H5S_UNLIMITED;
  const Hdf5Handle space(H5Screate_simple(axes, none.data(), most.data()), H5Sclose);
  const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  // Chunks end at 4 GiB, rows of a blob far before.
  vector<hsize_t> chunk = dims;
  hsize_t row = sizeof(Dtype);
  for (int axis = 1; axis < axes; ++axis) row *= dims[axis];
  constexpr hsize_t kLargestChunk = 1 << 24;
  chunk[0] = std::max<hsize_t>(1, std::min(dims[0], kLargestChunk / row));
  if (H5Pset_chunk(properties, axes, chunk.data()) < 0) return -1;
  return H5Dcreate2(file, name.c_str(), Hdf5Type(data), space, H5P_DEFAULT, properties, H5P_DEFAULT);
}

template <typename Dtype>
bool AppendRows(hid_t set, const vector<hsize_t>& dims, const Dtype* data) {
  const int axes = static_cast<int>(dims.size());
  vector<hsize_t> whole(axes);
  {
    const Hdf5Handle space(H5Dget_space(set), H5Sclose);
    if (H5Sget_simple_extent_ndims(space) != axes) return false;
    H5Sget_simple_extent_dims(space, whole.data(), nullptr);
  }
  if (!std::equal(dims.begin() + 1, dims.end(), whole.begin() + 1)) return false;
  vector<hsize_t> start(axes, 0);
  start[0] = whole[0];
  whole[0] += dims[0];
  if (H5Dset_extent(set, whole.data()) < 0) return false;
  const Hdf5Handle target(H5Dget_space(set), H5Sclose);
  const Hdf5Handle source(H5Screate_simple(axes, dims.data(), nullptr), H5Sclose);
  return H5Sselect_hyperslab(target, H5S_SELECT_SET, start.data(), nullptr, dims.data(), nullptr) >= 0 &&
         H5Dwrite(set, Hdf5Type(data), source, target, H5P_DEFAULT, data) >= 0 &&
         H5Dflush(set) >= 0;  // chunks that have no room on the disk come to light here
}

template <typename Dtype>
void AppendTo(hid_t file, const string& filename, const string& dataset, const vector<int>& shape, const Dtype* data) {
  CAFFE_REQUIRE(std::all_of(shape.begin(), shape.end(), [](int dim) { return dim > 0; }) && !shape.empty())
      << "Cannot write " << filename << ": dataset " << dataset << " has no rows or an axis of 0";
  const vector<hsize_t> dims(shape.begin(), shape.end());
  const bool exists = H5Lexists(file, dataset.c_str(), H5P_DEFAULT) > 0;
  const Hdf5Handle set(exists ? H5Dopen2(file, dataset.c_str(), H5P_DEFAULT) : MakeDataset(file, dataset, dims, data),
                       H5Dclose);
  CAFFE_REQUIRE(set >= 0 && AppendRows(set, dims, data))
      << "Cannot write " << filename << ": rows cannot be added to dataset " << dataset
      << " (no room, or rows of another shape than those before)";
}

}  // namespace

Hdf5Appender::Hdf5Appender(const string& filename)
    : filename_(filename), temporary_(filename + ".tmp" + std::to_string(getpid())) {
  SilenceHdf5();
  file_ = H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  CAFFE_REQUIRE(file_ >= 0) << "Cannot write " << filename;
}

Hdf5Appender::~Hdf5Appender() {
  H5Fclose(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void Hdf5Appender::Append(const string& dataset, const vector<int>& shape, const float* data) {
  AppendTo(file_, filename_, dataset, shape, data);
}
void Hdf5Appender::Append(const string& dataset, const vector<int>& shape, const double* data) {
  AppendTo(file_, filename_, dataset, shape, data);
}

void Hdf5Appender::Publish() {
  CAFFE_REQUIRE(H5Fflush(file_, H5F_SCOPE_GLOBAL) >= 0) << "Cannot write " << filename_;
  if (temporary_.empty()) return;
  CAFFE_REQUIRE(std::rename(temporary_.c_str(), filename_.c_str()) == 0) << "Cannot write " << filename_;
  temporary_.clear();
}

}  // namespace caffe
