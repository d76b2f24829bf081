// Nets with crossbar layers: what runs with the layers behind it gives what they give one by one.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "caffe/net.hpp"
#include "tests/support/tolerance.hpp"

namespace {

using caffe::Net;

template <typename Dtype>
struct Run {
  // A CrossbarConvolution of two groups and the layers behind it, in place.
  Run(const std::string& hardware, const std::string& followers) {
    const std::string text =
        "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 4 dim: 7 dim: 6 } } }"
        "layer { name: 'c' type: 'CrossbarConvolution' bottom: 'data' top: 'c' convolution_param { num_output: 18"
        "  group: 2 kernel_size: 3 weight_filler { type: 'gaussian' std: 0.3 } bias_filler { type: 'uniform' } }"
        "  crossbar_param { rows: 16 cols: 16 r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0 " +
        hardware + "} }" + followers;
    caffe::NetParameter param;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &param));
    param.mutable_state()->set_phase(caffe::TEST);
    caffe::Caffe::set_random_seed(3);
    net = std::make_unique<Net<Dtype>>(param);
    std::mt19937 engine(4);
    std::uniform_real_distribution<Dtype> uniform(-1, 1);
    caffe::Blob<Dtype>* input = net->input_blobs()[0];
    std::generate_n(input->mutable_cpu_data(), input->count(), [&] { return uniform(engine); });
    for (const auto& layer : net->layers()) {
      const bool of_channels = layer->type() == std::string("BatchNorm") || layer->type() == std::string("Scale");
      if (!of_channels) continue;
      for (const auto& blob : layer->blobs()) {
        std::generate_n(blob->mutable_cpu_data(), blob->count(), [&] { return 1.5 + uniform(engine); });
      }
    }
  }

  std::vector<Dtype> Top() const {
    const caffe::Blob<Dtype>& top = *net->blob_by_name("c");
    return {top.cpu_data(), top.cpu_data() + top.count()};
  }
  std::vector<Dtype> Together() {
    net->Forward();
    return Top();
  }
  // Passes that end behind every layer.
  std::vector<Dtype> OneByOne() {
    for (int i = 0; i < static_cast<int>(net->layers().size()); ++i) net->ForwardFromTo(i, i);
    return Top();
  }

  std::unique_ptr<Net<Dtype>> net;
};

const char kRelu[] = "layer { name: 'relu' type: 'ReLU' bottom: 'c' top: 'c' }";
const char kLeaky[] = "layer { name: 'r' type: 'ReLU' bottom: 'c' top: 'c' relu_param { negative_slope: 0.3 } }";
const char kNorm[] = "layer { name: 'norm' type: 'BatchNorm' bottom: 'c' top: 'c' }";
const char kScale[] = "layer { name: 's' type: 'Scale' bottom: 'c' top: 'c' scale_param { bias_term: true } }";
const char kCoarse[] = "adc_bits: 6 cell_bits: 2 ";

template <typename Dtype>
class NetWithCrossbars : public testing::Test {};
using Dtypes = testing::Types<float, double>;
TYPED_TEST_SUITE(NetWithCrossbars, Dtypes);

TYPED_TEST(NetWithCrossbars, ReluChangesNoBit) {
  for (const char* relu : {kRelu, kLeaky}) {
    Run<TypeParam> run(kCoarse, relu);
    const std::vector<TypeParam> together = run.Together();
    EXPECT_EQ(together, run.OneByOne());
    EXPECT_LT(*std::min_element(together.begin(), together.end()), relu == kLeaky ? 0 : 1e-9);
  }
}

TYPED_TEST(NetWithCrossbars, NormAndScaleRunWithIt) {
  for (const std::string& followers :
       {std::string(kNorm), std::string(kScale) + kLeaky, std::string(kNorm) + kScale + kRelu}) {
    Run<TypeParam> run(kCoarse, followers);
    const std::vector<TypeParam> together = run.Together();
    const std::vector<TypeParam> apart = run.OneByOne();
    for (size_t i = 0; i < apart.size(); ++i) {
      // Sums are rounded to float32 in either case.
      ASSERT_NEAR(together[i], apart[i], rxnn::tolerance::kFewRoundings<float> * (10 + std::fabs(apart[i]))) << i;
    }
  }
}

// Every read has noise of its own, so that a pass must read as often as one by one.
TYPED_TEST(NetWithCrossbars, NoiseIsDrawnOnceAPass) {
  for (const std::string& followers : {std::string(kRelu), std::string(kNorm) + kScale}) {
    Run<TypeParam> run("read_noise_sigma: 0.05 ", followers);
    Run<TypeParam> other("read_noise_sigma: 0.05 ", followers);
    const std::vector<TypeParam> first = run.Together();
    EXPECT_EQ(first, other.OneByOne());
    const std::vector<TypeParam> second = run.Together();
    EXPECT_NE(second, first);
    EXPECT_EQ(second, other.OneByOne());
  }
}

}  // namespace
