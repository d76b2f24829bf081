#include <hdf5.h>
#include <hdf5_hl.h>

#include <algorithm>
#include <type_traits>

#include "caffe/util/hdf5.hpp"

namespace caffe {

static_assert(std::is_same_v<hid_t, std::int64_t>, "caffe/util/hdf5.hpp speaks of hid_t as std::int64_t");

namespace {

herr_t Load(hid_t file, const char* name, float* data) { return H5LTread_dataset_float(file, name, data); }
herr_t Load(hid_t file, const char* name, double* data) { return H5LTread_dataset_double(file, name, data); }
herr_t Save(hid_t file, const char* name, const vector<hsize_t>& dims, const float* data) {
  return H5LTmake_dataset_float(file, name, static_cast<int>(dims.size()), dims.data(), data);
}
herr_t Save(hid_t file, const char* name, const vector<hsize_t>& dims, const double* data) {
  return H5LTmake_dataset_double(file, name, static_cast<int>(dims.size()), dims.data(), data);
}

}  // namespace

template <typename Dtype>
void hdf5_load_nd_dataset_helper(std::int64_t file_id, const char* dataset_name, int min_dim, int max_dim,
                                 Blob<Dtype>* blob, bool reshape) {
  CAFFE_REQUIRE(H5LTfind_dataset(file_id, dataset_name) > 0) << "there is no HDF5 dataset " << dataset_name;
  int axes = 0;
  CAFFE_REQUIRE(H5LTget_dataset_ndims(file_id, dataset_name, &axes) >= 0)
      << "cannot read HDF5 dataset " << dataset_name;
  CAFFE_REQUIRE(axes >= min_dim && axes <= max_dim)
      << "HDF5 dataset " << dataset_name << " has " << axes << " axes, expected " << min_dim << " to " << max_dim;
  vector<hsize_t> dims(axes);
  H5T_class_t type = H5T_NO_CLASS;
  CAFFE_REQUIRE(H5LTget_dataset_info(file_id, dataset_name, dims.data(), &type, nullptr) >= 0)
      << "cannot read HDF5 dataset " << dataset_name;
  CAFFE_REQUIRE(type == H5T_FLOAT || type == H5T_INTEGER) << "HDF5 dataset " << dataset_name << " holds no numbers";
  vector<int> shape;
  for (const hsize_t dim : dims) {
    CAFFE_REQUIRE(dim <= INT_MAX) << "HDF5 dataset " << dataset_name << " is too large: axis of " << dim;
    shape.push_back(static_cast<int>(dim));
  }
  const bool unshaped = blob->num_axes() == 0 && blob->count() == 0;
  if (reshape || unshaped) {
    blob->Reshape(shape);
  }
  CAFFE_REQUIRE(blob->shape() == shape) << "HDF5 dataset " << dataset_name << " of shape "
                                        << Blob<Dtype>(shape).shape_string() << ", expected " << blob->shape_string();
}

template <typename Dtype>
void hdf5_load_nd_dataset(std::int64_t file_id, const char* dataset_name, int min_dim, int max_dim, Blob<Dtype>* blob,
                          bool reshape) {
  hdf5_load_nd_dataset_helper(file_id, dataset_name, min_dim, max_dim, blob, reshape);
  CAFFE_REQUIRE(Load(file_id, dataset_name, blob->mutable_cpu_data()) >= 0)
      << "cannot read HDF5 dataset " << dataset_name;
}

template <typename Dtype>
void hdf5_save_nd_dataset(std::int64_t file_id, const string& dataset_name, const Blob<Dtype>& blob, bool write_diff) {
  const vector<hsize_t> dims(blob.shape().begin(), blob.shape().end());
  const Dtype* data = write_diff ? blob.cpu_diff() : blob.cpu_data();
  CAFFE_REQUIRE(Save(file_id, dataset_name.c_str(), dims, data) >= 0) << "cannot write HDF5 dataset " << dataset_name;
}

int hdf5_load_int(std::int64_t loc_id, const string& dataset_name) {
  int value = 0;
  CAFFE_REQUIRE(H5LTread_dataset_int(loc_id, dataset_name.c_str(), &value) >= 0)
      << "cannot read a whole number from HDF5 dataset " << dataset_name;
  return value;
}

void hdf5_save_int(std::int64_t loc_id, const string& dataset_name, int i) {
  const hsize_t one = 1;
  CAFFE_REQUIRE(H5LTmake_dataset_int(loc_id, dataset_name.c_str(), 1, &one, &i) >= 0)
      << "cannot write HDF5 dataset " << dataset_name;
}

string hdf5_load_string(std::int64_t loc_id, const string& dataset_name) {
  size_t size = 0;
  CAFFE_REQUIRE(H5LTget_dataset_info(loc_id, dataset_name.c_str(), nullptr, nullptr, &size) >= 0)
      << "there is no HDF5 dataset " << dataset_name;
  string text(size, '\0');
  CAFFE_REQUIRE(H5LTread_dataset_string(loc_id, dataset_name.c_str(), text.data()) >= 0)
      << "cannot read a text from HDF5 dataset " << dataset_name;
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

void hdf5_save_string(std::int64_t loc_id, const string& dataset_name, const string& s) {
  CAFFE_REQUIRE(H5LTmake_dataset_string(loc_id, dataset_name.c_str(), s.c_str()) >= 0)
      << "cannot write HDF5 dataset " << dataset_name;
}

int hdf5_get_num_links(std::int64_t loc_id) {
  H5G_info_t info;
  CAFFE_REQUIRE(H5Gget_info(loc_id, &info) >= 0) << "cannot read an HDF5 group";
  return static_cast<int>(info.nlinks);
}

string hdf5_get_name_by_idx(std::int64_t loc_id, int idx) {
  const auto name = [&](char* text, size_t size) {
    return H5Lget_name_by_idx(loc_id, ".", H5_INDEX_NAME, H5_ITER_INC, idx, text, size, H5P_DEFAULT);
  };
  const ssize_t length = name(nullptr, 0);
  CAFFE_REQUIRE(length >= 0) << "an HDF5 group has no link " << idx;
  string text(length + 1, '\0');
  name(text.data(), text.size());
  text.resize(length);
  return text;
}

#define INSTANTIATE_HDF5_BLOBS(T)                                                                 \
  template void hdf5_load_nd_dataset_helper(std::int64_t, const char*, int, int, Blob<T>*, bool); \
  template void hdf5_load_nd_dataset(std::int64_t, const char*, int, int, Blob<T>*, bool);        \
  template void hdf5_save_nd_dataset(std::int64_t, const string&, const Blob<T>&, bool)
INSTANTIATE_HDF5_BLOBS(float);
INSTANTIATE_HDF5_BLOBS(double);

}  // namespace caffe
