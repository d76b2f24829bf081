#include "caffe/layers/infogain_loss_layer.hpp"

#include <cmath>
#include <filesystem>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class InfogainLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(InfogainLossLayerTest, BothTypes);

const char kType[] = "type: 'InfogainLoss' ";
const std::vector<double> kMatrix = {1, 0.5, -0.25, 0, 2, 0.125, 0.5, 0.5, 3};

// Two images, three classes, two positions; one label ignored.
template <typename Dtype>
std::vector<BlobPtr<Dtype>> Bottoms() {
  return {RandomBlob<Dtype>({2, 3, 2}, -2, 2), MakeBlob<Dtype>({2, 2}, {0, 2, 1, 255}),
          MakeBlob<Dtype>({3, 3}, kMatrix)};
}

TYPED_TEST(InfogainLossLayerTest, WeighsTheLogsWithTheRowOfTheLabel) {
  const auto bottoms = Bottoms<TypeParam>();
  const std::vector<double> x = Data(*bottoms[0]), labels = Data(*bottoms[1]);
  double sum = 0, magnitudes = 0;
  for (int position = 0; position < 3; ++position) {
    const double* scores = &x[position / 2 * 6 + position % 2];
    const double total = std::exp(scores[0]) + std::exp(scores[2]) + std::exp(scores[4]);
    for (int k = 0; k < 3; ++k) {
      const double term = kMatrix[static_cast<int>(labels[position]) * 3 + k] * (std::log(total) - scores[2 * k]);
      sum += term;
      magnitudes += std::abs(term);
    }
  }
  const std::vector<std::pair<std::string, double>> normalizers = {
      {"", 3}, {"normalization: FULL", 4}, {"normalization: BATCH_SIZE", 2}, {"normalization: NONE", 1}};
  for (const auto& [text, normalizer] : normalizers) {
    SCOPED_TRACE(text);
    LayerHarness<TypeParam> run(kType + ("loss_param { ignore_label: 255 " + text + " }"), bottoms, 2);
    EXPECT_NEAR(run.Forward(), sum / normalizer, tolerance::kFewRoundings<TypeParam> * magnitudes);
    EXPECT_NEAR(run.out(1).cpu_data()[0] + run.out(1).cpu_data()[2] + run.out(1).cpu_data()[4], 1,
                tolerance::kFewRoundings<TypeParam>);
  }
}

TYPED_TEST(InfogainLossLayerTest, TheIdentityGivesSoftmaxWithLoss) {
  auto bottoms = Bottoms<TypeParam>();
  bottoms[2] = MakeBlob<TypeParam>({1, 1, 3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  LayerHarness<TypeParam> run(kType + std::string("loss_param { ignore_label: 255 }"), bottoms);
  LayerHarness<TypeParam> softmax("type: 'SoftmaxWithLoss' loss_param { ignore_label: 255 }", {bottoms[0], bottoms[1]});
  EXPECT_NEAR(run.Forward(), softmax.Forward(), tolerance::kFewRoundings<TypeParam>);
}

TYPED_TEST(InfogainLossLayerTest, ReadsTheMatrixFromAFile) {
  std::string file;
  caffe::MakeTempFilename(&file);
  auto bottoms = Bottoms<TypeParam>();
  caffe::BlobProto proto;
  bottoms[2]->ToProto(&proto);
  caffe::WriteProtoToBinaryFile(proto, file);
  const std::string ignore = "loss_param { ignore_label: 255 }";
  LayerHarness<TypeParam> with_bottom(kType + ignore, bottoms);
  bottoms.pop_back();
  LayerHarness<TypeParam> with_file(kType + ignore + " infogain_loss_param { source: '" + file + "' }", bottoms);
  EXPECT_EQ(with_file.Forward(), with_bottom.Forward());
  std::filesystem::remove_all(std::filesystem::path(file).parent_path());
}

TEST(InfogainLossLayerGradient, EqualsFiniteDifferences) {
  for (const char* text : {"", "normalization: FULL"}) {
    LayerHarness<double> run(kType + std::string("loss_weight: 3 loss_param { ignore_label: 255 ") + text + " }",
                             Bottoms<double>());
    CheckGradient(&run, {0});
  }
  LayerHarness<double> last_axis(
      std::string(kType) + "infogain_loss_param { axis: -1 }",
      {RandomBlob<double>({2, 2, 3}), MakeBlob<double>({2, 2}, {0, 1, 2, 1}), MakeBlob<double>({3, 3}, kMatrix)});
  CheckGradient(&last_axis, {0});
}

TEST(InfogainLossLayerErrors, NameWhatIsWrong) {
  const auto make = [](std::vector<BlobPtr<float>> bottoms, const std::string& param = "") {
    return [=] { LayerHarness<float>(kType + ("infogain_loss_param { " + param + " }"), bottoms); };
  };
  const auto bottoms = Bottoms<float>();
  ExpectError(make({bottoms[0], bottoms[1]}), "as bottom 2, or a file as source");
  ExpectError(make({bottoms[0], bottoms[1]}, "source: '/nowhere'"), "/nowhere");
  ExpectError(make({bottoms[0], bottoms[1], MakeBlob<float>({2, 2})}), "expected 3x3");
  ExpectError(make({bottoms[0], MakeBlob<float>({2, 3}), bottoms[2]}), "expected 4 labels");
  LayerHarness<float> run(kType, bottoms);
  ExpectError([&] { run.Forward(); }, "label 255 is outside of [0, 3)");
  run.in(1).mutable_cpu_data()[3] = 0;
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient for its labels");
  ExpectError([&] { run.layer->Backward(run.top, {true, false, true}, run.bottom); }, "infogain matrix");
}

}  // namespace
}  // namespace rxnn::testing
