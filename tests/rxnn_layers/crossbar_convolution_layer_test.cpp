// CrossbarConvolution against a naive integer convolution (ideal hardware: exact), against the same hardware with
// stored conductances (bit for bit), and its errors.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn_layers/hardware_proto.hpp"

namespace {

using caffe::Blob;
using caffe::Layer;
using caffe::LayerParameter;
using caffe::LayerRegistry;

constexpr char kIdeal[] =
    "r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0 adc_bits: 0 rows: 16 cols: 8 ";

LayerParameter Parameter(const std::string& text) {
  LayerParameter param;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &param));
  return param;
}

void FillUniform(unsigned seed, float low, float high, Blob<float>* blob) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  for (int i = 0; i < blob->count(); ++i) blob->mutable_cpu_data()[i] = uniform(rng);
}

// A layer with its blobs.
struct Fixture {
  Fixture(const std::string& text, const std::vector<int>& bottom_shape, float low = -1) : bottom(bottom_shape) {
    layer = LayerRegistry<float>::CreateLayer(Parameter(text));
    FillUniform(1, low, 1, &bottom);
    layer->SetUp(bottoms, tops);
  }
  void FillWeights(unsigned seed = 2) {
    for (auto& blob : layer->blobs()) FillUniform(seed++, -0.5, 0.5, blob.get());
  }
  std::vector<float> Forward() {
    layer->Forward(bottoms, tops);
    return {top.cpu_data(), top.cpu_data() + top.count()};
  }

  caffe::shared_ptr<Layer<float>> layer;
  Blob<float> bottom;
  Blob<float> top;
  std::vector<Blob<float>*> bottoms{&bottom};
  std::vector<Blob<float>*> tops{&top};
};

// One spatial axis pair of a two-dimensional convolution.
struct Geometry {
  int channels, outputs, group, kernel_h, kernel_w, stride, pad, dilation;
};

std::string Text(const Geometry& g, const std::string& hardware) {
  return "name: 'conv' type: 'CrossbarConvolution' convolution_param { num_output: " + std::to_string(g.outputs) +
         " group: " + std::to_string(g.group) + " kernel_h: " + std::to_string(g.kernel_h) +
         " kernel_w: " + std::to_string(g.kernel_w) + " stride: " + std::to_string(g.stride) +
         " pad: " + std::to_string(g.pad) + " dilation: " + std::to_string(g.dilation) + " } crossbar_param { " +
         hardware + "}";
}

float LargestMagnitude(const float* values, int count) {
  float largest = 0;
  for (int i = 0; i < count; ++i) largest = std::max(largest, std::fabs(values[i]));
  return largest;
}

// The fixed-point convolution, loop by loop.
std::vector<float> IntegerConvolution(const Geometry& g, Fixture& f) {
  const int height = f.bottom.height(), width = f.bottom.width();
  const float* weights = f.layer->blobs()[0]->cpu_data();
  const float weight_scale = LargestMagnitude(weights, f.layer->blobs()[0]->count());
  const int in_group = g.channels / g.group, out_group = g.outputs / g.group;
  std::vector<float> result;
  for (int n = 0; n < f.bottom.num(); ++n) {
    const float* image = f.bottom.cpu_data() + f.bottom.offset(n);
    const float range = LargestMagnitude(image, f.bottom.count(1));
    const auto x = [&](int c, int h, int w) -> std::int64_t {
      if (h < 0 || w < 0 || h >= height || w >= width) return 0;
      return std::nearbyint(static_cast<double>(image[(c * height + h) * width + w]) / range * 255);
    };
    for (int o = 0; o < g.outputs; ++o) {
      for (int y = 0; y < f.top.height(); ++y) {
        for (int z = 0; z < f.top.width(); ++z) {
          std::int64_t sum = 0;
          for (int c = 0; c < in_group; ++c) {
            for (int i = 0; i < g.kernel_h; ++i) {
              for (int j = 0; j < g.kernel_w; ++j) {
                const float w = weights[((o * in_group + c) * g.kernel_h + i) * g.kernel_w + j];
                const std::int64_t code = std::nearbyint(static_cast<double>(w) / weight_scale * 127);
                sum += code * x(o / out_group * in_group + c, y * g.stride - g.pad + i * g.dilation,
                                z * g.stride - g.pad + j * g.dilation);
              }
            }
          }
          const double scale = static_cast<double>(weight_scale) * range / (127.0 * 255.0);
          result.push_back(static_cast<float>(sum * scale) + f.layer->blobs()[1]->cpu_data()[o]);
        }
      }
    }
  }
  return result;
}

class CrossbarConvolutionGeometry : public testing::TestWithParam<Geometry> {};

TEST_P(CrossbarConvolutionGeometry, EqualsIntegerConvolutionOnIdealHardware) {
  const Geometry& g = GetParam();
  Fixture f(Text(g, kIdeal), {2, g.channels, 9, 11});
  f.FillWeights();
  const std::vector<float> expected = IntegerConvolution(g, f);
  const std::vector<float> actual = f.Forward();
  ASSERT_EQ(actual.size(), expected.size());
  // Sums are exact; the scale is one double product in another order, so at most one rounding apart.
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_FLOAT_EQ(actual[i], expected[i]) << i;
}

class PackedConvolution : public testing::TestWithParam<Geometry> {};

TEST_P(PackedConvolution, EqualsIntegerConvolutionOnIdealHardware) {
  const Geometry& g = GetParam();
  for (const std::string scheme : {"", "signed_weights: OFFSET ", "signed_weights: OFFSET input_bits: 12 "}) {
    Fixture packed(Text(g, kIdeal + scheme + "group_packing: BLOCK_DIAGONAL "), {2, g.channels, 9, 11});
    packed.FillWeights();
    Fixture separate(Text(g, kIdeal + scheme), {2, g.channels, 9, 11});
    separate.FillWeights();
    const std::vector<float> actual = packed.Forward();
    EXPECT_EQ(actual, separate.Forward()) << scheme;
    if (!scheme.empty()) continue;
    const std::vector<float> expected = IntegerConvolution(g, packed);
    for (size_t i = 0; i < actual.size(); ++i) EXPECT_FLOAT_EQ(actual[i], expected[i]) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrossbarConvolutionGeometry,
                         testing::Values(Geometry{3, 5, 1, 3, 3, 1, 0, 1}, Geometry{3, 9, 1, 3, 3, 2, 1, 1},
                                         Geometry{4, 6, 2, 2, 3, 1, 2, 2}, Geometry{17, 8, 1, 1, 1, 1, 0, 1},
                                         Geometry{6, 6, 6, 3, 3, 1, 1, 1}, Geometry{2, 3, 1, 5, 1, 3, 2, 1}));

// Groups that share arrays: 16 x 8 cells hold one of 18 rows alone, and up to 4 of 4 rows.
INSTANTIATE_TEST_SUITE_P(PackedShapes, PackedConvolution,
                         testing::Values(Geometry{6, 6, 6, 2, 2, 1, 0, 1}, Geometry{7, 14, 7, 2, 2, 2, 1, 1},
                                         Geometry{6, 9, 3, 2, 1, 1, 1, 2}, Geometry{10, 10, 10, 1, 3, 3, 1, 1},
                                         Geometry{4, 6, 2, 3, 3, 1, 1, 1}));

TEST(CrossbarConvolution, OtherNumbersOfSpatialAxes) {
  // A 1 x k kernel over a flat image is the one-dimensional convolution, a 1 x h x w one the three-dimensional.
  const std::string hardware = std::string("crossbar_param { ") + kIdeal + "}";
  Fixture flat(
      "name: 'c' type: 'CrossbarConvolution' convolution_param { num_output: 4 kernel_h: 1 kernel_w: 3 pad_w: 1 } " +
          hardware,
      {2, 3, 1, 13});
  Fixture line(
      "name: 'c' type: 'CrossbarConvolution' convolution_param { num_output: 4 kernel_size: 3 pad: 1 } " + hardware,
      {2, 3, 13});
  flat.FillWeights();
  line.FillWeights();
  EXPECT_EQ(flat.Forward(), line.Forward());

  Fixture plane(
      "name: 'c' type: 'CrossbarConvolution' convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 } " + hardware,
      {1, 3, 6, 5});
  Fixture volume(
      "name: 'c' type: 'CrossbarConvolution' convolution_param { num_output: 4 kernel_size: 1 kernel_size: 3 "
      "kernel_size: 2 } " +
          hardware,
      {1, 3, 1, 6, 5});
  plane.FillWeights();
  volume.FillWeights();
  EXPECT_EQ(plane.Forward(), volume.Forward());
}

TEST(CrossbarConvolution, StoredEqualsFromWeightsBitForBit) {
  const Geometry g{4, 10, 2, 3, 3, 1, 1, 1};
  for (const std::string hardware :
       {"rows: 16 cols: 4 ",
        "rows: 16 cols: 8 conductance_sigma: 0.1 stuck_on_rate: 0.01 seed: 7 signed_weights: OFFSET ",
        "rows: 32 cols: 8 subtraction: ANALOG read_noise_sigma: 0.05 weight_scale: COLUMN ",
        "rows: 16 cols: 8 adc_range: CALIBRATED ",
        "rows: 40 cols: 16 group_packing: BLOCK_DIAGONAL signed_weights: OFFSET "}) {
    SCOPED_TRACE(hardware);
    Fixture online(Text(g, hardware), {2, g.channels, 7, 6});
    online.FillWeights();

    const rxnn::Hardware core = rxnn::HardwareFromProto(online.layer->layer_param().crossbar_param());
    rxnn::CrossbarMatrix matrix(core, "conv", 2, 18, 5);
    matrix.Program(online.layer->blobs()[0]->cpu_data());
    Fixture stored(Text(g, hardware + "conductance: STORED "), {2, g.channels, 7, 6});
    ASSERT_EQ(stored.layer->blobs().size(), 3u);
    ASSERT_EQ(stored.layer->blobs()[0]->count(), matrix.num_levels());
    matrix.CopyLevels(stored.layer->blobs()[0]->mutable_cpu_data());
    std::copy(matrix.scales().begin(), matrix.scales().end(), stored.layer->blobs()[1]->mutable_cpu_data());
    stored.layer->blobs()[2]->CopyFrom(*online.layer->blobs()[1]);

    EXPECT_EQ(online.Forward(), stored.Forward());
    EXPECT_EQ(online.Forward(), stored.Forward());  // read noise goes on, calibration stays
  }
}

TEST(CrossbarConvolution, TimesItsPartsWhenAsked) {
  Fixture f(Text({3, 4, 1, 3, 3, 1, 0, 1}, ""), {1, 3, 6, 6});
  f.FillWeights();
  f.Forward();
  auto parts = f.layer->PartSeconds();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].first, "map");
  EXPECT_GT(parts[0].second, 0);
  EXPECT_EQ(parts[1].second, 0);
  EXPECT_EQ(parts[2].second, 0);
  f.layer->TimeParts(true);
  f.Forward();
  const auto timed = f.layer->PartSeconds();
  EXPECT_EQ(timed[0].second, parts[0].second);  // nothing new to map
  EXPECT_EQ(timed[1].first, "quantize/pack");
  EXPECT_GT(timed[1].second, 0);
  EXPECT_EQ(timed[2].first, "VMM+ADC");
  EXPECT_GT(timed[2].second, 0);
  f.layer->TimeParts(false);
  f.Forward();
  EXPECT_EQ(f.layer->PartSeconds(), timed);
}

TEST(CrossbarConvolution, FollowsItsWeights) {
  Fixture f(Text({3, 4, 1, 3, 3, 1, 0, 1}, ""), {1, 3, 6, 6});
  f.FillWeights(2);
  const std::vector<float> first = f.Forward();
  f.layer->blobs()[0]->mutable_cpu_data()[5] += 0.25f;
  EXPECT_NE(f.Forward(), first);
  f.FillWeights(2);
  EXPECT_EQ(f.Forward(), first);
}

TEST(CrossbarConvolution, ImagesOfABatchDoNotInfluenceEachOther) {
  Fixture both(Text({3, 4, 1, 3, 3, 1, 1, 1}, ""), {2, 3, 6, 6});
  both.FillWeights();
  Fixture one(Text({3, 4, 1, 3, 3, 1, 1, 1}, ""), {1, 3, 6, 6});
  one.FillWeights();
  const std::vector<float> batch = both.Forward();
  std::copy_n(both.bottom.cpu_data() + both.bottom.offset(1), one.bottom.count(), one.bottom.mutable_cpu_data());
  EXPECT_EQ(one.Forward(), std::vector<float>(batch.begin() + one.top.count(), batch.end()));
}

std::string FailureOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no failure";
}

TEST(CrossbarConvolution, RefusesImpossibleHardware) {
  const Geometry g{3, 4, 1, 3, 3, 1, 1, 1};
  const auto set_up = [&](const std::string& hardware) {
    return FailureOf([&] { Fixture f(Text(g, hardware), {1, 3, 6, 6}); });
  };
  EXPECT_NE(set_up("rows: 0").find("rows"), std::string::npos);
  EXPECT_NE(set_up("r_wordline_ohm: -1").find("r_wordline_ohm"), std::string::npos);
  EXPECT_NE(set_up("r_off_ohm: 10").find("r_off_ohm"), std::string::npos);
  EXPECT_NE(set_up("cell_bits: 9").find("cell_bits"), std::string::npos);
  EXPECT_NE(set_up("dac_bits: 9").find("dac_bits"), std::string::npos);
}

TEST(CrossbarConvolution, RefusesInputsThatAreNotFinite) {
  Fixture f(Text({3, 4, 1, 3, 3, 1, 1, 1}, ""), {2, 3, 6, 6});
  f.FillWeights();
  f.bottom.mutable_cpu_data()[130] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(FailureOf([&] { f.Forward(); }).find("finite"), std::string::npos);
}

// Blobs that come with the layer are its own where their shapes are right.
TEST(CrossbarConvolution, ChecksStoredBlobsThatAreGiven) {
  const std::string text = Text({3, 4, 1, 3, 3, 1, 1, 1}, "conductance: STORED");
  const Fixture f(text, {1, 3, 6, 6});
  caffe::LayerParameter param;
  f.layer->ToProto(&param);
  caffe::Blob<float> bottom(std::vector<int>{1, 3, 6, 6}), top;
  const auto set_up = [&] { caffe::LayerRegistry<float>::CreateLayer(param)->SetUp({&bottom}, {&top}); };
  EXPECT_EQ(FailureOf(set_up), "no failure");
  param.mutable_blobs(1)->mutable_shape()->set_dim(0, 2);
  param.mutable_blobs(1)->mutable_data()->Truncate(2);
  EXPECT_NE(FailureOf(set_up).find("blob 1 of the stored conductances has shape 2 (2), expected 4 (4)"),
            std::string::npos);
  param.mutable_blobs()->RemoveLast();
  EXPECT_NE(FailureOf(set_up).find("come in 3 blobs, the weights have 2"), std::string::npos);
}

TEST(CrossbarConvolution, StoredConductancesHaveNoGradient) {
  Fixture f(Text({3, 4, 1, 3, 3, 1, 1, 1}, "conductance: STORED"), {1, 3, 6, 6});
  EXPECT_NE(FailureOf([&] { f.layer->Backward(f.tops, {true}, f.bottoms); }).find("no gradient"), std::string::npos);
}

}  // namespace
