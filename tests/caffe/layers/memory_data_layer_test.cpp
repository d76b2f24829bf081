#include "caffe/layers/memory_data_layer.hpp"

#include "tests/support/image_files.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
struct MemoryData : LayerHarness<Dtype> {
  explicit MemoryData(const std::string& more = "")
      : LayerHarness<Dtype>(
            "type: 'MemoryData' memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 } " + more, {}, 2) {}
  caffe::MemoryDataLayer<Dtype>& memory() { return dynamic_cast<caffe::MemoryDataLayer<Dtype>&>(*this->layer); }
  void ExpectImage(int n, unsigned seed, int label) {
    const cv::Mat image = RandomImage(4, 5, seed);
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(this->out(0).data_at(n, c, i / 5, i % 5), Pixel(image, c, i / 5, i % 5));
      }
    }
    EXPECT_EQ(this->out(1).cpu_data()[n], label);
  }
};

template <typename Dtype>
class MemoryDataLayerTest : public ::testing::Test {};
TYPED_TEST_SUITE(MemoryDataLayerTest, BothTypes);

std::vector<caffe::Datum> Datums(int count, int first = 0) {
  std::vector<caffe::Datum> data;
  for (int i = first; i < first + count; ++i) data.push_back(DatumOf(RandomImage(4, 5, i), i));
  return data;
}

TYPED_TEST(MemoryDataLayerTest, ShapesItsTops) {
  MemoryData<TypeParam> run;
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{2, 3, 4, 5}));
  EXPECT_EQ(run.out(1).shape(), std::vector<int>{2});
  EXPECT_EQ(run.memory().batch_size(), 2);
  EXPECT_EQ(run.memory().width(), 5);
}

TYPED_TEST(MemoryDataLayerTest, PutsOutAddedImages) {
  MemoryData<TypeParam> run;
  for (int round = 0; round < 2; ++round) {
    run.memory().AddDatumVector(Datums(6, 10 * round));
    for (int i = 0; i < 6; i += 2) {
      run.Forward();
      run.ExpectImage(0, 10 * round + i, 10 * round + i);
      run.ExpectImage(1, 10 * round + i + 1, 10 * round + i + 1);
    }
  }
  // From the first again.
  run.Forward();
  run.ExpectImage(0, 10, 10);
}

TYPED_TEST(MemoryDataLayerTest, PutsOutAddedMatrices) {
  MemoryData<TypeParam> run("transform_param { scale: 1 }");
  run.memory().AddMatVector({RandomImage(4, 5, 1), RandomImage(4, 5, 2)}, {7, 8});
  run.Forward();
  run.ExpectImage(0, 1, 7);
  run.ExpectImage(1, 2, 8);
}

TYPED_TEST(MemoryDataLayerTest, UsesTheCallersMemory) {
  MemoryData<TypeParam> run;
  const auto data = RandomBlob<TypeParam>({4, 3, 4, 5});
  const auto labels = MakeBlob<TypeParam>({4}, {1, 2, 3, 4});
  run.memory().Reset(data->mutable_cpu_data(), labels->mutable_cpu_data(), 4);
  for (int pass = 0; pass < 2; ++pass) {
    for (int half = 0; half < 2; ++half) {
      run.Forward();
      EXPECT_EQ(run.out(0).cpu_data(), data->cpu_data() + half * 120);
      EXPECT_EQ(run.out(1).cpu_data(), labels->cpu_data() + half * 2);
    }
  }
}

TYPED_TEST(MemoryDataLayerTest, ChangesItsBatchSize) {
  MemoryData<TypeParam> run;
  run.memory().AddDatumVector(Datums(4));
  ExpectError([&] { run.memory().set_batch_size(3); }, "before all images have been used");
  run.Forward();
  run.Forward();
  run.memory().set_batch_size(3);
  ExpectError([&] { run.Forward(); }, "has no images");
  run.memory().AddDatumVector(Datums(3));
  run.Forward();
  EXPECT_EQ(run.out(0).shape(0), 3);
  run.ExpectImage(2, 2, 2);
  ExpectError([&] { run.memory().set_batch_size(0); }, "batch size of 0");
}

TYPED_TEST(MemoryDataLayerTest, SaysWhatIsWrong) {
  MemoryData<TypeParam> run;
  ExpectError([&] { run.Forward(); }, "MemoryData has no images");
  ExpectError([&] { run.memory().AddDatumVector(Datums(3)); }, "3 images were added");
  ExpectError([&] { run.memory().AddDatumVector({}); }, "no image to add");
  ExpectError([&] { run.memory().AddMatVector({RandomImage(4, 5, 1)}, {1, 2}); }, "1 images were added with 2 labels");
  ExpectError([&] { run.memory().AddMatVector({RandomImage(4, 6, 1), RandomImage(4, 6, 1)}, {1, 2}); }, "4 x 6");
  ExpectError([&] { run.memory().Reset(nullptr, nullptr, 2); }, "both images and labels");
  TypeParam value = 0;
  ExpectError([&] { run.memory().Reset(&value, &value, 3); }, "3 images were given");
  run.memory().AddDatumVector(Datums(2));
  ExpectError([&] { run.memory().AddDatumVector(Datums(2)); }, "before those added earlier");
  ExpectError(
      [] { LayerHarness<TypeParam>("type: 'MemoryData' memory_data_param { batch_size: 2 channels: 3 }", {}, 2); },
      "height and width above 0");
}

}  // namespace
}  // namespace rxnn::testing
