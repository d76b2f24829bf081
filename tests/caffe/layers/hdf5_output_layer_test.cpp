#include "caffe/layers/hdf5_output_layer.hpp"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "caffe/util/hdf5.hpp"
#include "tests/support/image_files.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class HDF5OutputLayerTest : public LayerTest<Dtype> {
 protected:
  std::string Text() const { return "type: 'HDF5Output' hdf5_output_param { file_name: '" + path_ + "' }"; }
  std::vector<double> Read(const std::string& dataset, const std::vector<int>& shape) {
    const caffe::Hdf5Reader file(path_);
    EXPECT_EQ(file.Shape(dataset), shape);
    caffe::Blob<double> blob(file.Shape(dataset));
    file.Read(dataset, blob.mutable_cpu_data());
    return Data(blob);
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "out.h5";
};
TYPED_TEST_SUITE(HDF5OutputLayerTest, BothTypes);

TYPED_TEST(HDF5OutputLayerTest, WritesBothBottoms) {
  const auto data = RandomBlob<TypeParam>({3, 2, 4, 5}), label = RandomBlob<TypeParam>({3, 1, 1, 1}, -1, 1, 2);
  WriteText(this->path_, "what was there before");
  {
    LayerHarness<TypeParam> run(this->Text(), {data, label}, 0);
    EXPECT_EQ(std::filesystem::file_size(this->path_), 21u);
    run.Forward();
  }
  EXPECT_EQ(this->Read("data", {3, 2, 4, 5}), Data(*data));
  EXPECT_EQ(this->Read("label", {3, 1, 1, 1}), Data(*label));
}

// Whole after each batch, which may differ in size.
TYPED_TEST(HDF5OutputLayerTest, AddsTheRowsOfEachBatch) {
  LayerHarness<TypeParam> run(this->Text(),
                              {MakeBlob<TypeParam>({2, 2}, {1, 2, 3, 4}), MakeBlob<TypeParam>({2}, {7, 8})}, 0);
  run.Forward();
  EXPECT_EQ(this->Read("label", {2}), (std::vector<double>{7, 8}));
  run.bottom[0]->Reshape({1, 2});
  run.bottom[1]->Reshape({1});
  run.bottom[0]->mutable_cpu_data()[0] = 5;
  run.Forward();
  EXPECT_EQ(this->Read("data", {3, 2}), (std::vector<double>{1, 2, 3, 4, 5, 2}));
  EXPECT_EQ(this->Read("label", {3}), (std::vector<double>{7, 8, 7}));
  run.bottom[0]->Reshape({1, 3});
  ExpectError([&] { run.Forward(); }, "rows cannot be added to dataset data");
}

// The library keeps chunks to itself until the dataset is closed, and says nothing of those that it cannot write then.
TYPED_TEST(HDF5OutputLayerTest, SaysThatThereIsNoRoom) {
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto on_signal = std::signal(SIGXFSZ, SIG_IGN);
  {
    LayerHarness<TypeParam> run(this->Text(), {MakeBlob<TypeParam>({4, 3000}), MakeBlob<TypeParam>({4})}, 0);
    const rlimit limit = {1 << 14, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    ExpectError([&] { run.Forward(); }, "Cannot write " + this->path_);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, on_signal);
  EXPECT_TRUE(std::filesystem::is_empty(this->folder_.path()));
}

TYPED_TEST(HDF5OutputLayerTest, SaysWhatIsWrong) {
  LayerHarness<TypeParam> rows(this->Text(), {MakeBlob<TypeParam>({2, 2}), MakeBlob<TypeParam>({3})}, 0);
  ExpectError([&] { rows.Forward(); }, "as many rows");
  EXPECT_FALSE(std::filesystem::exists(this->path_));
  this->path_ = this->folder_ / "missing/out.h5";
  ExpectError(
      [&] {
        LayerHarness<TypeParam>(this->Text(), {MakeBlob<TypeParam>({2}), MakeBlob<TypeParam>({2})}, 0);
      },
      "Cannot write " + this->path_);
}

}  // namespace
}  // namespace rxnn::testing
