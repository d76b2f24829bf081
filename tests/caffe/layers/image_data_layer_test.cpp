#include "caffe/layers/image_data_layer.hpp"

#include <algorithm>
#include <set>

#include "caffe/util/corrupt_records.hpp"
#include "tests/support/data_layers.hpp"
#include "tests/support/image_files.hpp"

namespace rxnn::testing {
namespace {

constexpr int kImages = 6;

template <typename Dtype>
class ImageDataLayerTest : public LayerTest<Dtype> {
 protected:
  // Six images of 5 x 4, called "a 0.png" ..., and their list.
  void SetUp() override {
    std::string list;
    for (int i = 0; i < kImages; ++i) {
      const std::string name = "a " + std::to_string(i) + ".png";
      cv::imwrite(folder_ / name, RandomImage(5, 4, i));
      list += name + " " + std::to_string(i) + "\n";
    }
    WriteText(list_, list);
  }
  std::string Text(int batch_size, const std::string& param = "", const std::string& more = "") const {
    return "type: 'ImageData' image_data_param { source: '" + list_ + "' root_folder: '" + (folder_ / "") +
           "' batch_size: " + std::to_string(batch_size) + " " + param + " } " + more;
  }

  TemporaryDirectory folder_;
  std::string list_ = folder_ / "list.txt";
};
TYPED_TEST_SUITE(ImageDataLayerTest, BothTypes);

TYPED_TEST(ImageDataLayerTest, ReadsInOrderAndStartsAgain) {
  LayerHarness<TypeParam> run(this->Text(4), {}, 2);
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{4, 3, 5, 4}));
  EXPECT_EQ(run.out(1).shape(), std::vector<int>{4});
  for (int batch = 0; batch < 6; ++batch) {
    run.Forward();
    for (int n = 0; n < 4; ++n) {
      const int index = (batch * 4 + n) % kImages;
      EXPECT_EQ(run.out(1).cpu_data()[n], index);
      const cv::Mat image = RandomImage(5, 4, index);
      for (int c = 0; c < 3; ++c) {
        for (int i = 0; i < 20; ++i) ASSERT_EQ(run.out(0).data_at(n, c, i / 4, i % 4), Pixel(image, c, i / 4, i % 4));
      }
    }
  }
}

TYPED_TEST(ImageDataLayerTest, ResizesAndConverts) {
  LayerHarness<TypeParam> run(this->Text(1, "new_height: 9 new_width: 7 is_color: false"), {}, 2);
  run.Forward();
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{1, 1, 9, 7}));
  const cv::Mat expected = caffe::ReadImageToCVMat(this->folder_ / "a 0.png", 9, 7, false);
  for (int i = 0; i < 63; ++i) EXPECT_EQ(run.out(0).cpu_data()[i], expected.data[i]);
}

TYPED_TEST(ImageDataLayerTest, ShufflesEachPassAnew) {
  caffe::Caffe::set_random_seed(3);
  LayerHarness<TypeParam> run(this->Text(kImages, "shuffle: true"), {}, 2);
  std::set<std::vector<double>> orders;
  for (int pass = 0; pass < 5; ++pass) {
    auto labels = NextLabels(&run, 1);
    orders.insert(labels);
    // The image goes with its label.
    EXPECT_EQ(run.out(0).data_at(2, 1, 3, 1), Pixel(RandomImage(5, 4, static_cast<int>(labels[2])), 1, 3, 1));
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, (std::vector<double>{0, 1, 2, 3, 4, 5}));
  }
  EXPECT_GT(orders.size(), 3u);
}

TYPED_TEST(ImageDataLayerTest, GoesOnWhereItWasSaved) {
  const std::string text = this->Text(4, "shuffle: true", "transform_param { crop_size: 2 mirror: true }");
  LayerHarness<TypeParam> run(text, {}, 2, caffe::TRAIN), resumed(text, {}, 2, caffe::TRAIN);
  for (int before : {0, 1, 4}) {
    while (before-- > 0) run.Forward();
    ExpectGoesOn(&run, &resumed);
  }
  WriteText(this->list_, "a 0.png 0\n");
  LayerHarness<TypeParam> other(this->Text(1), {}, 2);
  run.Forward();
  run.Forward();
  const auto state = ResumableOf(run)->SaveState();
  ExpectError([&] { ResumableOf(other)->RestoreState(state); }, "is not the list of the interrupted run");
}

TYPED_TEST(ImageDataLayerTest, SkipsAtRandom) {
  std::set<double> first;
  for (int seed = 0; seed < 30; ++seed) {
    caffe::Caffe::set_random_seed(seed);
    LayerHarness<TypeParam> run(this->Text(1, "rand_skip: 3"), {}, 2);
    first.insert(NextLabels(&run, 1)[0]);
  }
  EXPECT_EQ(first, (std::set<double>{0, 1, 2}));
}

TYPED_TEST(ImageDataLayerTest, NamesLineAndImageOfAnError) {
  WriteText(this->folder_ / "noise.jpg", "no image");
  WriteText(this->list_, "a 0.png 0\n\na 1.png 1\nnoise.jpg 2\n");
  LayerHarness<TypeParam> noise(this->Text(1), {}, 2);
  EXPECT_EQ(NextLabels(&noise, 2), (std::vector<double>{0, 1}));
  for (int i = 0; i < 3; ++i) {
    ExpectError([&] { noise.Forward(); },
                this->list_ + ":4: noise.jpg: " + (this->folder_ / "noise.jpg") + " cannot be decoded");
  }
  WriteText(this->list_, "a 0.png 0\nmissing.png 2\n");
  LayerHarness<TypeParam> missing(this->Text(2), {}, 2);
  ExpectError([&] { missing.Forward(); }, this->list_ + ":2: missing.png: File not found");
  cv::imwrite(this->folder_ / "large.png", RandomImage(6, 6, 1));
  WriteText(this->list_, "a 0.png 0\nlarge.png 2\n");
  LayerHarness<TypeParam> sizes(this->Text(2), {}, 2);
  ExpectError([&] { sizes.Forward(); }, this->list_ + ":2: large.png: the image gives 3 channels of 6 x 6");
}

TYPED_TEST(ImageDataLayerTest, PassesOverWhatCannotBeReadWhenTold) {
  WriteText(this->folder_ / "noise.jpg", "no image");
  WriteText(this->list_, "none.png 9\na 0.png 0\nnoise.jpg 9\na 1.png 1\n");
  const size_t before = caffe::CorruptRecords::count();
  caffe::CorruptRecords::set_skip(true);
  LayerHarness<TypeParam> run(this->Text(3), {}, 2);
  EXPECT_EQ(NextLabels(&run, 2), (std::vector<double>{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(caffe::CorruptRecords::count() - before, 2u);
  caffe::CorruptRecords::set_skip(false);
}

TYPED_TEST(ImageDataLayerTest, SaysWhatIsWrong) {
  const auto make = [this](const std::string& param, int batch_size = 1) {
    return [=] { LayerHarness<TypeParam>(this->Text(batch_size, param), {}, 2); };
  };
  ExpectError(make("new_height: 5"), "both new_height and new_width");
  ExpectError(make("", 0), "batch_size above 0");
  WriteText(this->list_, "a 0.png\n");
  ExpectError(make(""), this->list_ + ":1: expected \"<image> <label>\"");
  WriteText(this->list_, "a 0.png 1\na 0.png x\n");
  ExpectError(make(""), this->list_ + ":2: expected");
  WriteText(this->list_, "a 0.png 99999999999\n");
  ExpectError(make(""), this->list_ + ":1: expected");
  WriteText(this->list_, "\n");
  ExpectError(make(""), "names no image");
  this->list_ = this->folder_ / "none.txt";
  ExpectError(make(""), "File not found: " + this->list_);
}

}  // namespace
}  // namespace rxnn::testing
