#include "caffe/util/hdf5.hpp"

#include <unistd.h>

#include <algorithm>

#include "caffe/util/io.hpp"
#include "hdf5_handle.hpp"

namespace caffe {
namespace {

template <typename Dtype>
void ReadDataset(hid_t file, const string& filename, const string& dataset, Dtype* data) {
  const Hdf5Handle set(H5Dopen2(file, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0 && H5Dread(set, Hdf5Type(data), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
      << filename << ": cannot read dataset " << dataset;
}

void WriteDataset(hid_t file, const string& filename, const string& dataset, hid_t type, hid_t space,
                  const void* data) {
  const Hdf5Handle groups(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(groups, 1);
  const Hdf5Handle set(H5Dcreate2(file, dataset.c_str(), type, space, groups, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
      << filename << ": cannot write dataset " << dataset;
}

template <typename Dtype>
void WriteDataset(hid_t file, const string& filename, const string& dataset, const vector<int>& shape,
                  const Dtype* data) {
  const vector<hsize_t> dims(shape.begin(), shape.end());
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
  WriteDataset(file, filename, dataset, Hdf5Type(data), space, data);
}

// The size of a dataset of one axis, or 1 for one without axes.
hsize_t ElementCount(hid_t set) {
  const Hdf5Handle space(H5Dget_space(set), H5Sclose);
  return static_cast<hsize_t>(H5Sget_simple_extent_npoints(space));
}

// Whether the file has what the dataset's shape asks for: damage must not ask for memory. gzip, the strongest of the
// common filters, makes 1032 bytes of one at most; where nothing is stored, all values are the dataset's fill value.
bool IsPlausible(hid_t set) {
  constexpr double kMostOfOne = 1032;
  const Hdf5Handle type(H5Dget_type(set), H5Tclose);
  const hsize_t stored = H5Dget_storage_size(set);
  const double asked = static_cast<double>(ElementCount(set)) * static_cast<double>(H5Tget_size(type));
  return stored == 0 || asked <= kMostOfOne * static_cast<double>(stored);
}

}  // namespace

Hdf5Reader::Hdf5Reader(const string& filename) : filename_(filename) {
  SilenceHdf5();
  RequireFile(filename);
  file_ = H5Fopen(filename.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  CAFFE_REQUIRE(file_ >= 0) << filename << ": truncated, or no HDF5 file";
}

Hdf5Reader::~Hdf5Reader() { H5Fclose(file_); }

bool Hdf5Reader::Exists(const string& path) const {
  // Every link on the way has to be asked for: the library fails on a missing parent.
  for (size_t end = path.find('/'); end != string::npos; end = path.find('/', end + 1)) {
    if (H5Lexists(file_, path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(file_, path.c_str(), H5P_DEFAULT) > 0;
}

int Hdf5Reader::CountDatasets(const string& group) const {
  int count = 0;
  while (Exists(group + "/" + std::to_string(count))) ++count;
  return count;
}

vector<int> Hdf5Reader::Shape(const string& dataset) const {
  const Hdf5Handle set(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0) << filename_ << ": no dataset " << dataset;
  const Hdf5Handle space(H5Dget_space(set), H5Sclose);
  vector<hsize_t> dims(H5Sget_simple_extent_ndims(space));
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  for (const hsize_t dim : dims) {
    CAFFE_REQUIRE(dim <= INT_MAX) << filename_ << ": dataset " << dataset << " is too large: an axis of " << dim;
  }
  CAFFE_REQUIRE(IsPlausible(set)) << filename_ << ": dataset " << dataset << " is damaged: the file holds "
                                  << H5Dget_storage_size(set) << " bytes for its " << ElementCount(set) << " values";
  return vector<int>(dims.begin(), dims.end());
}

void Hdf5Reader::Read(const string& dataset, float* data) const { ReadDataset(file_, filename_, dataset, data); }
void Hdf5Reader::Read(const string& dataset, double* data) const { ReadDataset(file_, filename_, dataset, data); }

int Hdf5Reader::ReadInt(const string& dataset) const {
  const Hdf5Handle set(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  int value = 0;
  CAFFE_REQUIRE(set >= 0 && ElementCount(set) == 1 &&
                H5Dread(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0)
      << filename_ << ": cannot read one integer from dataset " << dataset;
  return value;
}

string Hdf5Reader::ReadString(const string& dataset) const {
  const Hdf5Handle set(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0) << filename_ << ": no dataset " << dataset;
  const Hdf5Handle type(H5Dget_type(set), H5Tclose);
  // Fixed length, as Caffe writes it; other programs may store a pointer to the text.
  CAFFE_REQUIRE(H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && ElementCount(set) == 1 &&
                H5Tget_size(type) <= H5Dget_storage_size(set))
      << filename_ << ": dataset " << dataset << " is no text of fixed length";
  string value(H5Tget_size(type), '\0');
  CAFFE_REQUIRE(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.data()) >= 0)
      << filename_ << ": cannot read dataset " << dataset;
  value.resize(std::min(value.size(), value.find('\0')));
  return value;
}

string Hdf5Reader::ReadBytes(const string& dataset) const {
  const Hdf5Handle set(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0) << filename_ << ": no dataset " << dataset;
  CAFFE_REQUIRE(ElementCount(set) <= H5Dget_storage_size(set)) << filename_ << ": dataset " << dataset << " is damaged";
  string value(ElementCount(set), '\0');
  CAFFE_REQUIRE(H5Dread(set, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.data()) >= 0)
      << filename_ << ": cannot read dataset " << dataset;
  return value;
}

Hdf5Writer::Hdf5Writer(const string& filename)
    : filename_(filename), temporary_(filename + ".tmp" + std::to_string(getpid())) {
  SilenceHdf5();
  file_ = H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  CAFFE_REQUIRE(file_ >= 0) << "Cannot write " << filename;
}

Hdf5Writer::~Hdf5Writer() {
  if (file_ < 0) return;
  H5Fclose(file_);
  unlink(temporary_.c_str());
}

void Hdf5Writer::Write(const string& dataset, const vector<int>& shape, const float* data) {
  WriteDataset(file_, filename_, dataset, shape, data);
}
void Hdf5Writer::Write(const string& dataset, const vector<int>& shape, const double* data) {
  WriteDataset(file_, filename_, dataset, shape, data);
}

void Hdf5Writer::WriteInt(const string& dataset, int value) {
  const hsize_t one = 1;
  const Hdf5Handle space(H5Screate_simple(1, &one, nullptr), H5Sclose);
  WriteDataset(file_, filename_, dataset, H5T_NATIVE_INT, space, &value);
}

void Hdf5Writer::WriteString(const string& dataset, const string& value) {
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, value.size() + 1);  // with the zero at its end
  const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  WriteDataset(file_, filename_, dataset, type, space, value.c_str());
}

void Hdf5Writer::WriteBytes(const string& dataset, const string& value) {
  const hsize_t size = value.size();
  const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
  WriteDataset(file_, filename_, dataset, H5T_NATIVE_UCHAR, space, value.data());
}

void Hdf5Writer::Commit() {
  const bool closed = H5Fclose(file_) >= 0;
  file_ = -1;
  if (!closed) unlink(temporary_.c_str());
  CAFFE_REQUIRE(closed) << "Cannot write " << filename_;
  MoveIntoPlace(temporary_, filename_);
}

}  // namespace caffe
