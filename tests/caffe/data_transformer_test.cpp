#include "caffe/data_transformer.hpp"

#include "tests/support/image_files.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

using caffe::Blob;
using caffe::Datum;
using caffe::TEST;
using caffe::TRAIN;

constexpr int kHeight = 6, kWidth = 8;

template <typename Dtype>
class DataTransformerTest : public ::testing::Test {
 protected:
  using Transformer = caffe::DataTransformer<Dtype>;

  static std::unique_ptr<Transformer> Make(const std::string& text, caffe::Phase phase = TEST) {
    caffe::TransformationParameter param;
    if (!google::protobuf::TextFormat::ParseFromString(text, &param)) throw std::invalid_argument(text);
    auto transformer = std::make_unique<Transformer>(param, phase);
    transformer->InitRand();
    return transformer;
  }

  template <typename Image>
  static std::vector<double> Run(Transformer* transformer, const Image& image) {
    Blob<Dtype> blob(transformer->InferBlobShape(image));
    transformer->Transform(image, &blob);
    return Data(blob);
  }

  // What the definition says: (pixel - mean) * scale of the window at (top, left), mirrored or not.
  static std::vector<double> Expected(const cv::Mat& image, int top, int left, int height, int width,
                                      bool mirror = false, const std::function<double(int, int, int)>& mean = nullptr,
                                      double scale = 1) {
    std::vector<double> values;
    for (int c = 0; c < image.channels(); ++c) {
      for (int h = 0; h < height; ++h) {
        for (int w = 0; w < width; ++w) {
          const int y = top + h, x = left + (mirror ? width - 1 - w : w);
          values.push_back((Pixel(image, c, y, x) - (mean ? mean(c, y, x) : 0)) * scale);
        }
      }
    }
    return values;
  }

  cv::Mat image_ = RandomImage(kHeight, kWidth, 3);
  Datum datum_ = DatumOf(image_, 2);
};
TYPED_TEST_SUITE(DataTransformerTest, BothTypes);

TYPED_TEST(DataTransformerTest, WithoutParametersCopiesPlanes) {
  const auto transformer = this->Make("");
  EXPECT_EQ(transformer->InferBlobShape(this->datum_), (std::vector<int>{1, 3, kHeight, kWidth}));
  const auto expected = this->Expected(this->image_, 0, 0, kHeight, kWidth);
  ExpectAllNear(this->Run(transformer.get(), this->datum_), expected, 0);
  ExpectAllNear(this->Run(transformer.get(), this->image_), expected, 0);
  ExpectAllNear(this->Run(transformer.get(), EncodedDatum(this->image_, 0)), expected, 0);
}

TYPED_TEST(DataTransformerTest, TestPhaseCropsTheCentre) {
  const auto transformer = this->Make("crop_size: 3 mean_value: 10 mean_value: 20 mean_value: 30 scale: 0.5");
  const auto expected = this->Expected(
      this->image_, (kHeight - 3) / 2, (kWidth - 3) / 2, 3, 3, false, [](int c, int, int) { return 10 * (c + 1); },
      0.5);
  EXPECT_EQ(transformer->InferBlobShape(this->datum_), (std::vector<int>{1, 3, 3, 3}));
  ExpectAllNear(this->Run(transformer.get(), this->datum_), expected, 0);
  ExpectAllNear(this->Run(transformer.get(), this->image_), expected, 0);
}

TYPED_TEST(DataTransformerTest, OneMeanValueIsForAllChannels) {
  const auto expected = this->Expected(this->image_, 0, 0, kHeight, kWidth, false, [](int, int, int) { return 7; });
  ExpectAllNear(this->Run(this->Make("mean_value: 7").get(), this->datum_), expected, 0);
}

TYPED_TEST(DataTransformerTest, TrainPhaseCropsAndMirrorsAtRandom) {
  caffe::Caffe::set_random_seed(5);
  const auto transformer = this->Make("crop_size: 5 mirror: true", TRAIN);
  std::map<std::vector<double>, int> seen;
  constexpr int kDraws = 400;
  for (int i = 0; i < kDraws; ++i) ++seen[this->Run(transformer.get(), this->datum_)];
  // 2 x 4 places, each of them mirrored or not, all about as often: 25 times, 5 sigma 24.
  std::set<std::vector<double>> possible;
  for (int top = 0; top < 2; ++top) {
    for (int left = 0; left < 4; ++left) {
      for (const bool mirror : {false, true}) possible.insert(this->Expected(this->image_, top, left, 5, 5, mirror));
    }
  }
  ASSERT_EQ(seen.size(), possible.size());
  for (const auto& [values, count] : seen) {
    EXPECT_TRUE(possible.count(values));
    EXPECT_LT(count, 50);
  }
}

TYPED_TEST(DataTransformerTest, SeedsRepeatTheDraws) {
  const auto draw = [this](unsigned seed) {
    caffe::Caffe::set_random_seed(seed);
    const auto transformer = this->Make("crop_size: 3 mirror: true", TRAIN);
    std::vector<std::vector<double>> drawn;
    for (int i = 0; i < 10; ++i) drawn.push_back(this->Run(transformer.get(), this->image_));
    return drawn;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TYPED_TEST(DataTransformerTest, MeanFileIsCroppedAtTheSamePlace) {
  const TemporaryDirectory folder;
  const auto mean = RandomBlob<TypeParam>({1, 3, kHeight, kWidth}, 0, 255);
  caffe::BlobProto proto;
  mean->ToProto(&proto);
  caffe::WriteProtoToBinaryFile(proto, folder / "mean");
  const auto at = [&](int c, int h, int w) { return static_cast<double>(mean->data_at(0, c, h, w)); };
  const std::string file = "mean_file: '" + (folder / "mean") + "' ";
  const double rounding = 256 * tolerance::kFloatEps;
  ExpectAllNear(this->Run(this->Make(file + "crop_size: 3").get(), this->datum_),
                this->Expected(this->image_, 1, 2, 3, 3, false, at), rounding);
  caffe::Caffe::set_random_seed(4);
  const auto mirrored = this->Expected(this->image_, 0, 0, kHeight, kWidth, true, at);
  const auto plain = this->Expected(this->image_, 0, 0, kHeight, kWidth, false, at);
  const auto transformer = this->Make(file + "mirror: true");
  int mirrors = 0;
  for (int i = 0; i < 20; ++i) {
    const auto values = this->Run(transformer.get(), this->image_);
    const bool mirror = std::abs(values[0] - mirrored[0]) < std::abs(values[0] - plain[0]);
    ExpectAllNear(values, mirror ? mirrored : plain, rounding);
    mirrors += mirror;
  }
  EXPECT_GT(mirrors, 0);
  EXPECT_LT(mirrors, 20);
  ExpectError([&] { this->Run(transformer.get(), RandomImage(kHeight, kWidth + 1, 1)); }, "the mean of");
  ExpectError([&] { this->Make(file + "mean_value: 1"); }, "both mean_file and mean_value");
}

TYPED_TEST(DataTransformerTest, FloatDataKeepsItsValues) {
  Datum datum;
  datum.set_channels(2);
  datum.set_height(1);
  datum.set_width(2);
  for (const float value : {0.5f, -1.5f, 1e6f, 3.0f}) datum.add_float_data(value);
  ExpectAllNear(this->Run(this->Make("scale: 2").get(), datum), {1, -3, 2e6, 6}, 0);
}

TYPED_TEST(DataTransformerTest, EncodedImagesBecomeColourOrGrey) {
  const cv::Mat grey = RandomImage(kHeight, kWidth, 9, 1);
  const Datum encoded_grey = EncodedDatum(grey, 0), encoded_colour = EncodedDatum(this->image_, 0);
  EXPECT_EQ(this->Make("")->InferBlobShape(encoded_grey)[1], 1);
  EXPECT_EQ(this->Make("force_gray: true")->InferBlobShape(encoded_colour)[1], 1);
  const auto forced = this->Run(this->Make("force_color: true").get(), encoded_grey);
  const auto plane = this->Expected(grey, 0, 0, kHeight, kWidth);
  std::vector<double> three;
  for (int c = 0; c < 3; ++c) three.insert(three.end(), plane.begin(), plane.end());
  ExpectAllNear(forced, three, 0);
}

TYPED_TEST(DataTransformerTest, BatchesAreTransformedOneByOne) {
  const cv::Mat other = RandomImage(kHeight, kWidth, 8);
  const auto transformer = this->Make("crop_size: 4");
  std::vector<double> expected = this->Expected(this->image_, 1, 2, 4, 4);
  const auto second = this->Expected(other, 1, 2, 4, 4);
  expected.insert(expected.end(), second.begin(), second.end());
  ExpectAllNear(this->Run(transformer.get(), std::vector<cv::Mat>{this->image_, other}), expected, 0);
  ExpectAllNear(this->Run(transformer.get(), std::vector<Datum>{this->datum_, DatumOf(other, 0)}), expected, 0);
  Blob<TypeParam> input(2, 3, kHeight, kWidth), output(std::vector<int>{0});
  for (int i = 0; i < input.count(); ++i) {
    const int c = i / (kHeight * kWidth) % 3, h = i / kWidth % kHeight, w = i % kWidth;
    input.mutable_cpu_data()[i] = static_cast<TypeParam>(Pixel(i < input.count() / 2 ? this->image_ : other, c, h, w));
  }
  const auto before = Data(input);
  transformer->Transform(&input, &output);
  ExpectAllNear(Data(output), expected, 0);
  ExpectAllNear(Data(input), before, 0);
}

// A part of a larger matrix has rows that do not follow each other in memory.
TYPED_TEST(DataTransformerTest, TakesPartsOfMatrices) {
  const cv::Mat part = this->image_(cv::Rect(2, 1, 4, 3));
  ExpectAllNear(this->Run(this->Make("").get(), part), this->Expected(this->image_, 1, 2, 3, 4), 0);
}

TYPED_TEST(DataTransformerTest, SaysWhatDoesNotFit) {
  const auto plain = this->Make("");
  Blob<TypeParam> small(1, 3, 2, 2);
  ExpectError([&] { plain->Transform(this->datum_, &small); }, "the blob for it has the shape 1 3 2 2 (12)");
  ExpectError([&] { plain->Transform(std::vector<Datum>(2, this->datum_), &small); }, "2 images do not fit");
  ExpectError([&] { plain->InferBlobShape(std::vector<Datum>()); }, "no image");
  ExpectError([&] { this->Run(this->Make("crop_size: 7").get(), this->datum_); }, "crop_size 7 is larger");
  ExpectError([&] { this->Run(this->Make("mean_value: 1 mean_value: 2").get(), this->datum_); }, "2 mean_value fields");
  ExpectError([&] { this->Make("force_color: true force_gray: true"); }, "both force_color and force_gray");
  ExpectError([&] { this->Make("mean_file: '/nowhere/mean'"); }, "File not found: /nowhere/mean");
  Datum cut = this->datum_;
  cut.mutable_data()->pop_back();
  ExpectError([&] { this->Run(plain.get(), cut); }, "a datum holds 143 values");
  Datum huge = this->datum_;
  huge.set_channels(1 << 30);
  huge.set_height(1 << 30);
  huge.set_width(16);
  ExpectError([&] { this->Run(plain.get(), huge); }, "a datum holds 144 values");
  Datum none;
  ExpectError([&] { this->Run(plain.get(), none); }, "0 channels");
  Datum noise = EncodedDatum(this->image_, 0);
  noise.set_data("no image");
  ExpectError([&] { this->Run(plain.get(), noise); }, "cannot be decoded");
  Datum half = EncodedDatum(RandomImage(64, 64, 1), 0, "jpg");
  half.mutable_data()->resize(half.data().size() / 2);
  ExpectError([&] { this->Run(plain.get(), half); }, "truncated");
}

}  // namespace
}  // namespace rxnn::testing
