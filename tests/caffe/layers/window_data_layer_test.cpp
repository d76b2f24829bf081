#include "caffe/layers/window_data_layer.hpp"

#include <opencv2/imgproc.hpp>

#include "tests/support/data_layers.hpp"
#include "tests/support/image_files.hpp"

namespace rxnn::testing {
namespace {

constexpr int kHeight = 24, kWidth = 32;

template <typename Dtype>
class WindowDataLayerTest : public LayerTest<Dtype> {
 protected:
  void SetUp() override {
    cv::imwrite(folder_ / "a.png", image_);
    WriteWindows("2\n3 0.9 4 5 11 12\n1 0.1 0 0 7 7\n");
  }
  void WriteWindows(const std::string& windows) {
    WriteText(list_, "# 0\na.png\n3\n" + std::to_string(kHeight) + "\n" + std::to_string(kWidth) + "\n" + windows);
  }
  std::string Text(const std::string& transform = "crop_size: 8", const std::string& param = "",
                   const std::string& fg = "0.25") const {
    return "type: 'WindowData' window_data_param { source: '" + list_ + "' root_folder: '" + (folder_ / "") +
           "' batch_size: 4 fg_fraction: " + fg + " " + param + " } transform_param { " + transform + " }";
  }
  // Image n of the batch as rows of pixels, mean taken off and scaled, is `expected`.
  void ExpectCrop(const LayerHarness<Dtype>& run, int n, const cv::Mat& expected, double mean = 0, double scale = 1) {
    const caffe::Blob<Dtype>& out = *run.top[0];
    for (int c = 0; c < 3; ++c) {
      for (int h = 0; h < expected.rows; ++h) {
        for (int w = 0; w < expected.cols; ++w) {
          ASSERT_EQ(out.data_at(n, c, h, w), (Pixel(expected, c, h, w) - mean) * scale) << c << " " << h << " " << w;
        }
      }
    }
  }

  cv::Mat image_ = RandomImage(kHeight, kWidth, 1);
  TemporaryDirectory folder_;
  std::string list_ = folder_ / "windows.txt";
};
TYPED_TEST_SUITE(WindowDataLayerTest, BothTypes);

TYPED_TEST(WindowDataLayerTest, BackgroundComesFirst) {
  for (const char* cache : {"", "cache_images: true"}) {
    LayerHarness<TypeParam> run(this->Text("crop_size: 8 mean_value: 10 scale: 0.5", cache), {}, 2);
    EXPECT_EQ(run.out(0).shape(), (std::vector<int>{4, 3, 8, 8}));
    run.Forward();
    ExpectAllNear(Data(run.out(1)), {0, 0, 0, 3}, 0);
    // Windows of the size of the crop are not resized.
    this->ExpectCrop(run, 0, this->image_(cv::Rect(0, 0, 8, 8)), 10, 0.5);
    this->ExpectCrop(run, 3, this->image_(cv::Rect(4, 5, 8, 8)), 10, 0.5);
  }
}

TYPED_TEST(WindowDataLayerTest, ResizesToTheCrop) {
  LayerHarness<TypeParam> run(this->Text("crop_size: 6"), {}, 2);
  run.Forward();
  cv::Mat expected;
  cv::resize(this->image_(cv::Rect(4, 5, 8, 8)), expected, cv::Size(6, 6));
  this->ExpectCrop(run, 3, expected);
}

TYPED_TEST(WindowDataLayerTest, MirrorsAtRandom) {
  caffe::Caffe::set_random_seed(7);
  LayerHarness<TypeParam> run(this->Text("crop_size: 8 mirror: true", "", "1"), {}, 2);
  int mirrored = 0;
  for (int i = 0; i < 10; ++i) {
    run.Forward();
    for (int n = 0; n < 4; ++n) {
      const cv::Mat window = this->image_(cv::Rect(4, 5, 8, 8));
      const bool mirror = run.out(0).data_at(n, 0, 0, 0) == Pixel(window, 0, 0, 7);
      cv::Mat flipped;
      cv::flip(window, flipped, 1);
      this->ExpectCrop(run, n, mirror ? flipped : window);
      mirrored += mirror;
    }
  }
  // 40 fair coins: 5 sigma is 16.
  EXPECT_GT(mirrored, 4);
  EXPECT_LT(mirrored, 36);
}

// A window of 16 in a crop of 24 with 4 pixels of context: scale 1, so the crop is the window and 4 (and by the
// rounding of the original interface one more at the far end) pixels around it.
TYPED_TEST(WindowDataLayerTest, ContextSurroundsTheWindow) {
  this->WriteWindows("1\n2 1 4 4 19 19\n");
  LayerHarness<TypeParam> run(this->Text("crop_size: 24", "context_pad: 4", "1"), {}, 2);
  run.Forward();
  cv::Mat expected;
  const cv::Rect part = cv::Rect(0, 0, 25, 25) & cv::Rect(0, 0, kWidth, kHeight);
  cv::resize(this->image_(part), expected, cv::Size(24, 23));
  this->ExpectCrop(run, 0, expected);
  // The image ends before the crop: the rest is empty.
  for (int w = 0; w < 24; ++w) EXPECT_EQ(run.out(0).data_at(0, 1, 23, w), 0);
}

TYPED_TEST(WindowDataLayerTest, SquareKeepsTheAspect) {
  // 4 wide, 16 high: the square around it spans x from -2 to 14.
  this->WriteWindows("1\n2 1 4 4 7 19\n");
  LayerHarness<TypeParam> run(this->Text("crop_size: 17", "crop_mode: 'square'", "1"), {}, 2);
  run.Forward();
  for (int h = 0; h < 17; ++h) {
    for (int w = 0; w < 2; ++w) EXPECT_EQ(run.out(0).data_at(0, 0, h, w), 0);
    for (int w = 2; w < 17; ++w) EXPECT_EQ(run.out(0).data_at(0, 0, h, w), Pixel(this->image_, 0, 4 + h, w - 2));
  }
}

TYPED_TEST(WindowDataLayerTest, MeanFileIsCutAtItsCentre) {
  const auto mean = RandomBlob<TypeParam>({1, 3, 12, 10}, 0, 255);
  caffe::BlobProto proto;
  mean->ToProto(&proto);
  caffe::WriteProtoToBinaryFile(proto, this->folder_ / "mean");
  LayerHarness<TypeParam> run(this->Text("crop_size: 8 mean_file: '" + (this->folder_ / "mean") + "'"), {}, 2);
  run.Forward();
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 64; ++i) {
      const auto expected =
          static_cast<TypeParam>(Pixel(this->image_, c, i / 8, i % 8)) - mean->data_at(0, c, 2 + i / 8, 1 + i % 8);
      EXPECT_EQ(run.out(0).data_at(0, c, i / 8, i % 8), expected);
    }
  }
}

TYPED_TEST(WindowDataLayerTest, GoesOnWhereItWasSaved) {
  std::string windows = "20\n";
  for (int i = 0; i < 20; ++i) {
    windows += std::to_string(1 + i) + (i % 2 ? " 1 " : " 0 ") + std::to_string(i % 9) + " 1 12 9\n";
  }
  this->WriteWindows(windows);
  const std::string text = this->Text("crop_size: 8 mirror: true", "", "0.5");
  LayerHarness<TypeParam> run(text, {}, 2), resumed(text, {}, 2);
  run.Forward();
  ExpectGoesOn(&run, &resumed);
}

TYPED_TEST(WindowDataLayerTest, SaysWhatIsWrong) {
  const auto make = [this](const std::string& transform = "crop_size: 8", const std::string& param = "") {
    return [=] { LayerHarness<TypeParam>(this->Text(transform, param), {}, 2); };
  };
  ExpectError(make(""), "crop_size above 0");
  ExpectError(make("crop_size: 8", "crop_mode: 'round'"), "must be \"warp\" or \"square\"");
  ExpectError(make("crop_size: 8", "context_pad: 4"), "below half the crop_size");
  ExpectError(make("crop_size: 8", "fg_threshold: 0.95"), "fg_threshold 0.95");
  ExpectError(make("crop_size: 8", "bg_threshold: 0.05"), "bg_threshold 0.05");
  ExpectError(make("crop_size: 8 mean_value: 1 mean_value: 2"), "2 mean_value fields");
  this->WriteWindows("1\n3 0.9 4 x 11 12\n");
  ExpectError(make(), this->list_ + ":7: expected y1 of a window, found \"x\"");
  this->WriteWindows("1\n3 0.9 4 5 3 12\n");
  ExpectError(make(), this->list_ + ":7: a window ends before it begins");
  this->WriteWindows("2\n3 0.9 4 5 11 12\n");
  ExpectError(make(), "ends where the class of a window is expected");
  this->WriteWindows("2\n0 0.9 4 5 11 12\n0 0 0 0 7 7\n");
  ExpectError(make(), this->list_ + ":2: " + (this->folder_ / "a.png") + ": a foreground window has the class 0");
  this->WriteWindows("2\n3 0.9 4 5 40 12\n0 0 0 0 7 7\n");
  LayerHarness<TypeParam> outside(this->Text(), {}, 2);
  ExpectError([&] { outside.Forward(); }, "leaves the image of 32 x 24 pixels");
  WriteText(this->list_, "# 0\nnone.png 3 1 1 2\n1 1 0 0 0 0\n1 0 0 0 0 0\n");
  LayerHarness<TypeParam> missing(this->Text(), {}, 2);
  ExpectError([&] { missing.Forward(); }, this->list_ + ":2: " + (this->folder_ / "none.png") + ": File not found");
}

}  // namespace
}  // namespace rxnn::testing
