// Caffe's functions on open HDF5 files.
#include <hdf5.h>
#include <hdf5_hl.h>

#include "caffe/layers/hdf5_output_layer.hpp"
#include "caffe/util/hdf5.hpp"
#include "tests/support/layer_harness.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class Hdf5BlobsTest : public ::testing::Test {
 protected:
  Hdf5BlobsTest() {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    file_ = H5Fcreate((folder_ / "x.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  }
  ~Hdf5BlobsTest() override { H5Fclose(file_); }

  TemporaryDirectory folder_;
  hid_t file_;
};
TYPED_TEST_SUITE(Hdf5BlobsTest, BothTypes);

TYPED_TEST(Hdf5BlobsTest, BlobsComeBack) {
  const auto blob = RandomBlob<TypeParam>({2, 3, 4});
  caffe::caffe_set(24, TypeParam(7), blob->mutable_cpu_diff());
  caffe::hdf5_save_nd_dataset(this->file_, HDF5_DATA_DATASET_NAME, *blob);
  caffe::hdf5_save_nd_dataset(this->file_, "diff", *blob, true);
  caffe::Blob<TypeParam> data, diff(std::vector<int>{5});
  caffe::hdf5_load_nd_dataset(this->file_, "data", 1, 4, &data);
  caffe::hdf5_load_nd_dataset(this->file_, "diff", 3, 3, &diff, true);
  EXPECT_EQ(data.shape(), blob->shape());
  ExpectAllNear(Data(data), Data(*blob), 0);
  ExpectAllNear(Data(diff), std::vector<double>(24, 7), 0);
  EXPECT_EQ(caffe::hdf5_get_num_links(this->file_), 2);
  EXPECT_EQ(caffe::hdf5_get_name_by_idx(this->file_, 1), "diff");
}

TYPED_TEST(Hdf5BlobsTest, WholeNumbersAreRead) {
  const hsize_t dims[] = {2, 1};
  const int values[] = {-3, 7};
  ASSERT_GE(H5LTmake_dataset_int(this->file_, "ints", 2, dims, values), 0);
  caffe::Blob<TypeParam> blob(std::vector<int>{2, 1});
  caffe::hdf5_load_nd_dataset(this->file_, "ints", 0, 4, &blob);
  ExpectAllNear(Data(blob), {-3, 7}, 0);
}

TYPED_TEST(Hdf5BlobsTest, NumbersAndTextsComeBack) {
  caffe::hdf5_save_int(this->file_, "iter", -42);
  caffe::hdf5_save_string(this->file_, "name", "a net");
  EXPECT_EQ(caffe::hdf5_load_int(this->file_, "iter"), -42);
  EXPECT_EQ(caffe::hdf5_load_string(this->file_, "name"), "a net");
}

TYPED_TEST(Hdf5BlobsTest, ErrorsNameTheDataset) {
  caffe::Blob<TypeParam> blob(std::vector<int>{3, 2});
  caffe::hdf5_save_nd_dataset(this->file_, "x", *MakeBlob<TypeParam>({2, 3}));
  caffe::hdf5_save_string(this->file_, "text", "a");
  const auto load = [&](const char* name, int min_dim, int max_dim) {
    return [=, &blob] { caffe::hdf5_load_nd_dataset(this->file_, name, min_dim, max_dim, &blob); };
  };
  ExpectError(load("no", 0, 4), "no HDF5 dataset no");
  ExpectError(load("x", 3, 4), "has 2 axes, expected 3 to 4");
  ExpectError(load("x", 1, 4), "of shape 2 3 (6), expected 3 2 (6)");
  ExpectError(load("text", 0, 4), "holds no numbers");
  ExpectError([&] { caffe::hdf5_save_nd_dataset(this->file_, "x", blob); }, "cannot write HDF5 dataset x");
  ExpectError([&] { caffe::hdf5_load_int(this->file_, "no"); }, "HDF5 dataset no");
  ExpectError([&] { caffe::hdf5_load_string(this->file_, "no"); }, "no HDF5 dataset no");
  ExpectError([&] { caffe::hdf5_get_name_by_idx(this->file_, 9); }, "no link 9");
}

}  // namespace
}  // namespace rxnn::testing
