// CrossbarInnerProduct against the integer product, its transposed form, and stored conductances.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn_layers/hardware_proto.hpp"

namespace {

using caffe::Blob;

constexpr char kIdeal[] =
    "r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0 adc_bits: 0 rows: 16 cols: 8 ";

template <typename Dtype>
struct Fixture {
  Fixture(const std::string& options, const std::string& hardware, const std::vector<int>& shape) : bottom(shape) {
    caffe::LayerParameter param;
    EXPECT_TRUE(
        google::protobuf::TextFormat::ParseFromString("name: 'ip' type: 'CrossbarInnerProduct' inner_product_param { " +
                                                          options + " } crossbar_param { " + hardware + "}",
                                                      &param));
    layer = caffe::LayerRegistry<Dtype>::CreateLayer(param);
    std::mt19937 rng(3);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (int i = 0; i < bottom.count(); ++i) bottom.mutable_cpu_data()[i] = uniform(rng);
    layer->SetUp(bottoms, tops);
    for (auto& blob : layer->blobs()) {
      for (int i = 0; i < blob->count(); ++i) blob->mutable_cpu_data()[i] = uniform(rng);
    }
  }
  std::vector<Dtype> Forward() {
    layer->Forward(bottoms, tops);
    return {top.cpu_data(), top.cpu_data() + top.count()};
  }

  caffe::shared_ptr<caffe::Layer<Dtype>> layer;
  Blob<Dtype> bottom;
  Blob<Dtype> top;
  std::vector<Blob<Dtype>*> bottoms{&bottom};
  std::vector<Blob<Dtype>*> tops{&top};
};

TEST(CrossbarInnerProduct, EqualsIntegerProductOnIdealHardware) {
  constexpr int kBatch = 5, kInputs = 37, kOutputs = 11;
  Fixture<float> f("num_output: 11", kIdeal, {kBatch, kInputs});
  const std::vector<float> actual = f.Forward();
  const float* w = f.layer->blobs()[0]->cpu_data();
  const float* x = f.bottom.cpu_data();
  float weight_scale = 0;
  for (int i = 0; i < kInputs * kOutputs; ++i) weight_scale = std::max(weight_scale, std::fabs(w[i]));
  for (int n = 0; n < kBatch; ++n) {
    float range = 0;
    for (int k = 0; k < kInputs; ++k) range = std::max(range, std::fabs(x[n * kInputs + k]));
    for (int o = 0; o < kOutputs; ++o) {
      std::int64_t sum = 0;
      for (int k = 0; k < kInputs; ++k) {
        sum += static_cast<std::int64_t>(std::nearbyint(static_cast<double>(w[o * kInputs + k]) / weight_scale * 127)) *
               static_cast<std::int64_t>(std::nearbyint(static_cast<double>(x[n * kInputs + k]) / range * 255));
      }
      const double scale = static_cast<double>(weight_scale) * range / (127.0 * 255.0);
      EXPECT_FLOAT_EQ(actual[n * kOutputs + o], static_cast<float>(sum * scale) + f.layer->blobs()[1]->cpu_data()[o]);
    }
  }
}

TEST(CrossbarInnerProduct, TransposedWeightsGiveTheSame) {
  Fixture<float> plain("num_output: 6 bias_term: false", "", {3, 20});
  Fixture<float> transposed("num_output: 6 bias_term: false transpose: true", "", {3, 20});
  for (int o = 0; o < 6; ++o) {
    for (int k = 0; k < 20; ++k) {
      transposed.layer->blobs()[0]->mutable_cpu_data()[k * 6 + o] = plain.layer->blobs()[0]->cpu_data()[o * 20 + k];
    }
  }
  EXPECT_EQ(plain.Forward(), transposed.Forward());
}

TEST(CrossbarInnerProduct, DoubleEqualsFloat) {
  Fixture<float> single("num_output: 6", "", {3, 20});
  Fixture<double> twice("num_output: 6", "", {3, 20});
  for (size_t b = 0; b < 2; ++b) {
    std::copy_n(single.layer->blobs()[b]->cpu_data(), single.layer->blobs()[b]->count(),
                twice.layer->blobs()[b]->mutable_cpu_data());
  }
  std::copy_n(single.bottom.cpu_data(), single.bottom.count(), twice.bottom.mutable_cpu_data());
  const std::vector<float> expected = single.Forward();
  const std::vector<double> actual = twice.Forward();
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(static_cast<float>(actual[i]), expected[i]);
}

TEST(CrossbarInnerProduct, StoredEqualsFromWeightsBitForBit) {
  const std::string hardware = "rows: 16 cols: 4 conductance_sigma: 0.05 seed: 3 ";
  Fixture<float> online("num_output: 9", hardware, {4, 30});
  rxnn::CrossbarMatrix matrix(rxnn::HardwareFromProto(online.layer->layer_param().crossbar_param()), "ip", 1, 30, 9);
  matrix.Program(online.layer->blobs()[0]->cpu_data());
  Fixture<float> stored("num_output: 9", hardware + "conductance: STORED ", {4, 30});
  matrix.CopyLevels(stored.layer->blobs()[0]->mutable_cpu_data());
  std::copy(matrix.scales().begin(), matrix.scales().end(), stored.layer->blobs()[1]->mutable_cpu_data());
  stored.layer->blobs()[2]->CopyFrom(*online.layer->blobs()[1]);
  stored.bottom.CopyFrom(online.bottom);
  EXPECT_EQ(online.Forward(), stored.Forward());
}

// Weights that are not needed are not made: their filler, which does not exist, is not asked for.
TEST(CrossbarInnerProduct, StoredConductancesTakeNoMemoryForWeights) {
  const std::string options = "weight_filler { type: 'none' } bias_filler { value: 3 } num_output: ";
  caffe::LayerParameter param;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "name: 'ip' type: 'CrossbarInnerProduct' crossbar_param { conductance: STORED }", &param));
  Blob<float> bottom(std::vector<int>{1, 20000}), top;
  const auto blobs_of = [&](int outputs) {
    *param.mutable_inner_product_param() = caffe::InnerProductParameter();
    EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(options + std::to_string(outputs),
                                                              param.mutable_inner_product_param()));
    const auto layer = caffe::LayerRegistry<float>::CreateLayer(param);
    layer->SetUp({&bottom}, {&top});
    return layer->blobs();
  };
  const auto blobs = blobs_of(5);
  ASSERT_EQ(blobs.size(), 3u);
  EXPECT_EQ(blobs[0]->shape(), (std::vector<int>{1, 2, 4, 20000, 5}));
  EXPECT_EQ(blobs[0]->data()->head(), caffe::SyncedMemory::UNINITIALIZED);
  EXPECT_EQ(blobs[2]->cpu_data()[4], 3);
  try {
    blobs_of(20000);
    ADD_FAILURE() << "3.2e9 levels are more than a blob holds";
  } catch (const caffe::Error& error) {
    EXPECT_NE(std::string(error.what()).find("a blob of more than 2147483647 values is too large"), std::string::npos)
        << error.what();
  }
}

TEST(CrossbarInnerProduct, CountsSaturatedConversions) {
  Fixture<float> ideal("num_output: 3", kIdeal, {2, 40});
  ideal.Forward();
  EXPECT_TRUE(ideal.layer->Statistics().empty());

  Fixture<float> f("num_output: 3", "rows: 16 cols: 8 adc_range: GIVEN adc_max_ampere: 2e-6 input_range: 1", {2, 40});
  EXPECT_TRUE(f.layer->Statistics().empty());  // nothing was read yet
  for (int i = 0; i < f.bottom.count(); ++i) f.bottom.mutable_cpu_data()[i] = std::fabs(f.bottom.cpu_data()[i]);
  f.Forward();
  const auto once = f.layer->Statistics();
  ASSERT_EQ(once.size(), 3u);
  EXPECT_EQ(once[0].first, "adc_conversions");
  EXPECT_EQ(once[0].second, 2 * 3 * 3 * 8 * 4 * 2);  // vectors, outputs, row tiles, streams, slices, signs
  EXPECT_EQ(once[1].first, "adc_saturated_low");
  EXPECT_EQ(once[1].second, 0);
  EXPECT_EQ(once[2].first, "adc_saturated_high");
  EXPECT_GT(once[2].second, 0);
  EXPECT_LT(once[2].second, 1);
  f.Forward();
  const auto twice = f.layer->Statistics();
  EXPECT_EQ(twice[0].second, 2 * once[0].second);
  EXPECT_EQ(twice[2].second, once[2].second);
}

}  // namespace
