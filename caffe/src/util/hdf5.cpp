#include "caffe/util/hdf5.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace caffe {
namespace {

// Closes a handle at the end of its scope.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// HDF5 prints its own stack of messages; ours say what matters.
void SilenceLibrary() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

hid_t NativeType(const float*) { return H5T_NATIVE_FLOAT; }
hid_t NativeType(const double*) { return H5T_NATIVE_DOUBLE; }

template <typename Dtype>
void ReadDataset(hid_t file, const string& filename, const string& dataset, Dtype* data) {
  const Handle set(H5Dopen2(file, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0 && H5Dread(set, NativeType(data), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
      << filename << ": cannot read dataset " << dataset;
}

template <typename Dtype>
void WriteDataset(hid_t file, const string& filename, const string& dataset, const vector<int>& shape,
                  const Dtype* data) {
  const Handle groups(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(groups, 1);
  const vector<hsize_t> dims(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose);
  const Handle set(H5Dcreate2(file, dataset.c_str(), NativeType(data), space, groups, H5P_DEFAULT, H5P_DEFAULT),
                   H5Dclose);
  CAFFE_REQUIRE(set >= 0 && H5Dwrite(set, NativeType(data), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
      << filename << ": cannot write dataset " << dataset;
}

}  // namespace

Hdf5Reader::Hdf5Reader(const string& filename) : filename_(filename) {
  SilenceLibrary();
  CAFFE_REQUIRE(std::filesystem::exists(filename)) << "File not found: " << filename;
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
  const Handle set(H5Dopen2(file_, dataset.c_str(), H5P_DEFAULT), H5Dclose);
  CAFFE_REQUIRE(set >= 0) << filename_ << ": no dataset " << dataset;
  const Handle space(H5Dget_space(set), H5Sclose);
  vector<hsize_t> dims(H5Sget_simple_extent_ndims(space));
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  return vector<int>(dims.begin(), dims.end());
}

void Hdf5Reader::Read(const string& dataset, float* data) const { ReadDataset(file_, filename_, dataset, data); }
void Hdf5Reader::Read(const string& dataset, double* data) const { ReadDataset(file_, filename_, dataset, data); }

Hdf5Writer::Hdf5Writer(const string& filename)
    : filename_(filename), temporary_(filename + ".tmp" + std::to_string(getpid())) {
  SilenceLibrary();
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

void Hdf5Writer::Commit() {
  const bool closed = H5Fclose(file_) >= 0;
  file_ = -1;
  const bool ok = closed && std::rename(temporary_.c_str(), filename_.c_str()) == 0;
  if (!ok) unlink(temporary_.c_str());
  CAFFE_REQUIRE(ok) << "Cannot write " << filename_;
}

}  // namespace caffe
