// Every layer type in GPU mode against CPU mode: outputs, loss, gradients and parameters.
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "caffe/util/where.hpp"
#include "tests/caffe/gpu/gpu_mode.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

// What a bottom holds: numbers in (-1, 1), in (0.1, 1), distinct ones, class labels 0 to 2, zeros and ones.
enum Content { kAny, kPositive, kDistinct, kLabels, kFlags };
struct Bottom {
  std::vector<int> shape;
  Content content = kAny;
};
struct Case {
  std::string text;
  std::vector<Bottom> bottoms;
  int tops = 1;
  caffe::Phase phase = caffe::TEST;
  bool in_place = false;
  bool backward = true;
};

const std::vector<int> kImages = {2, 3, 5, 4};

std::vector<Case> Cases() {
  const Bottom image{kImages}, labels{{2}, kLabels}, scores{{2, 3}}, steps{{3, 2, 4}}, begins{{3, 2}, kFlags};
  std::vector<Case> cases;
  const auto neuron = [&](const std::string& type, const std::string& param = "", Content content = kAny) {
    const std::string text = "type: '" + type + "' " + param;
    cases.push_back({text, {{kImages, content}}, 1, caffe::TRAIN});
    if (type != "AbsVal" && type != "Power") cases.push_back({text, {{kImages, content}}, 1, caffe::TRAIN, true});
  };
  neuron("AbsVal");
  neuron("BNLL");
  neuron("Clip", "clip_param { min: -0.5 max: 0.25 }");
  neuron("ELU", "elu_param { alpha: 0.7 }");
  neuron("Exp", "exp_param { base: 2 scale: 0.5 shift: 1 }");
  neuron("Log", "log_param { scale: 2 shift: 3 }");
  neuron("Power", "power_param { power: 1.5 scale: 0.5 shift: 2 }");
  neuron("Power", "power_param { scale: 3 shift: 2 }");
  neuron("PReLU");
  neuron("PReLU", "prelu_param { channel_shared: true }");
  neuron("ReLU");
  neuron("ReLU", "relu_param { negative_slope: 0.1 }");
  neuron("Sigmoid");
  neuron("Swish", "swish_param { beta: 1.3 }");
  neuron("TanH");
  cases.push_back({"type: 'Dropout'", {image}});

  const std::string weights = "weight_filler { type: 'gaussian' std: 0.5 } bias_filler { type: 'uniform' } ";
  const auto convolution = [&](const std::string& param, const std::vector<Bottom>& bottoms) {
    for (const char* type : {"Convolution", "Deconvolution"}) {
      for (const char* engine : {"CUDNN ", "CAFFE "}) {
        cases.push_back(
            {std::string("type: '") + type + "' convolution_param { engine: " + engine + param + weights + "}", bottoms,
             static_cast<int>(bottoms.size())});
      }
    }
  };
  convolution("num_output: 4 kernel_size: 3 ", {image});
  convolution("num_output: 4 kernel_size: 1 ", {image});
  convolution("num_output: 6 kernel_h: 2 kernel_w: 3 stride: 2 pad: 1 group: 3 ", {image, image});
  convolution("num_output: 2 kernel_size: 2 dilation: 2 bias_term: false ", {{{2, 2, 4, 5}}});
  convolution("num_output: 2 kernel_size: 2 stride: 2 pad: 1 ", {{{2, 2, 3, 4, 3}}});
  convolution("num_output: 3 kernel_size: 3 pad: 1 ", {{{2, 2, 6}}});
  cases.push_back({"type: 'Im2col' convolution_param { kernel_size: 2 stride: 2 pad: 1 }", {image}});
  for (const char* param : {"", "transpose: true ", "bias_term: false "}) {
    cases.push_back(
        {std::string("type: 'InnerProduct' inner_product_param { num_output: 5 ") + param + weights + "}", {image}});
  }
  for (const char* param : {"kernel_size: 3 stride: 2", "kernel_size: 3 stride: 2 pad: 1", "kernel_size: 2 stride: 3",
                            "global_pooling: true", "kernel_h: 2 kernel_w: 3 stride: 1 round_mode: FLOOR"}) {
    for (const char* pool : {"MAX", "AVE", "AVE engine: CAFFE"}) {
      cases.push_back({std::string("type: 'Pooling' pooling_param { pool: ") + pool + " " + param + " }",
                       {{{2, 3, 7, 6}, kDistinct}}});
    }
  }
  cases.push_back({"type: 'Pooling' pooling_param { pool: MAX kernel_size: 2 }", {{kImages, kDistinct}}, 2});
  cases.push_back({"type: 'Pooling' pooling_param { pool: STOCHASTIC kernel_size: 2 }", {{kImages, kPositive}}});
  cases.push_back(
      {"type: 'Pooling' pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 }", {{{2, 3, 7, 6}, kFlags}}});
  cases.push_back({"type: 'SPP' spp_param { pyramid_height: 2 }", {{{2, 3, 8, 8}, kDistinct}}});
  cases.push_back({"type: 'LRN' lrn_param { local_size: 3 alpha: 0.5 }", {{{2, 6, 3, 4}}}});
  cases.push_back({"type: 'LRN' lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }", {image}});
  for (const caffe::Phase phase : {caffe::TRAIN, caffe::TEST}) {
    for (const bool in_place : {false, true}) {
      cases.push_back({"type: 'BatchNorm'", {image}, 1, phase, in_place});
      cases.push_back({"type: 'BatchNorm'", {{{7, 3}}}, 1, phase, in_place});
      cases.push_back({"type: 'Scale' scale_param { bias_term: true }", {image}, 1, phase, in_place});
      cases.push_back({"type: 'Bias'", {image}, 1, phase, in_place});
    }
  }
  cases.push_back({"type: 'Scale' scale_param { axis: 0 }", {image, {{2, 3}}}});
  cases.push_back({"type: 'Bias' bias_param { axis: 1 }", {image, {{3, 5}}}});
  cases.push_back({"type: 'MVN'", {image}});
  cases.push_back({"type: 'MVN' mvn_param { normalize_variance: false across_channels: true }", {image}});

  const Bottom distinct{kImages, kDistinct};
  cases.push_back(
      {"type: 'Eltwise' eltwise_param { operation: SUM coeff: 2 coeff: -1 coeff: 0.5 }", {image, distinct, image}});
  cases.push_back({"type: 'Eltwise' eltwise_param { operation: PROD }", {image, distinct, image}});
  cases.push_back({"type: 'Eltwise' eltwise_param { operation: PROD stable_prod_grad: false }",
                   {{kImages, kPositive}, {kImages, kPositive}}});
  cases.push_back({"type: 'Eltwise' eltwise_param { operation: MAX }", {image, distinct, image}});
  cases.push_back({"type: 'Concat' concat_param { axis: 2 }", {image, {{2, 3, 1, 4}}, image}});
  cases.push_back({"type: 'Concat'", {image}});
  cases.push_back({"type: 'Slice' slice_param { slice_point: 1 }", {image}, 2});
  cases.push_back({"type: 'Slice' slice_param { axis: 2 }", {{{2, 3, 6}}}, 3});
  cases.push_back({"type: 'Split'", {image}, 3});
  cases.push_back({"type: 'Tile' tile_param { tiles: 3 axis: 2 }", {image}});
  cases.push_back({"type: 'Flatten'", {image}});
  cases.push_back({"type: 'Reshape' reshape_param { shape { dim: 0 dim: -1 } }", {image}});
  cases.push_back({"type: 'Crop' crop_param { axis: 2 offset: 1 }", {image, {{2, 3, 3, 2}}}});
  cases.push_back({"type: 'BatchReindex'", {{{3, 4}}, {{5}, kLabels}}});
  cases.push_back({"type: 'Filter'", {{{4, 3}}, {{4}, kFlags}}});
  cases.push_back({"type: 'Silence'", {image}, 0});
  cases.push_back({"type: 'Parameter' parameter_param { shape { dim: 2 dim: 3 } }", {}});
  cases.push_back({"type: 'Embed' embed_param { num_output: 4 input_dim: 3 " + weights + "}", {{{2, 5}, kLabels}}});
  for (const char* operation : {"SUM", "MEAN", "ASUM", "SUMSQ"}) {
    cases.push_back(
        {std::string("type: 'Reduction' reduction_param { axis: 1 coeff: 1.5 operation: ") + operation + " }",
         {image}});
  }

  cases.push_back({"type: 'Softmax'", {image}});
  cases.push_back({"type: 'Softmax' softmax_param { axis: 3 }", {image}});
  cases.push_back({"type: 'SoftmaxWithLoss'", {scores, labels}});
  cases.push_back({"type: 'SoftmaxWithLoss' loss_param { ignore_label: 1 }", {image, {{2, 5, 4}, kLabels}}, 2});
  cases.push_back({"type: 'EuclideanLoss'", {image, image}});
  cases.push_back({"type: 'SigmoidCrossEntropyLoss' loss_param { ignore_label: 1 }", {image, {kImages, kFlags}}});
  cases.push_back({"type: 'HingeLoss'", {scores, labels}});
  cases.push_back({"type: 'HingeLoss' hinge_loss_param { norm: L2 }", {scores, labels}});
  cases.push_back({"type: 'ContrastiveLoss'", {scores, {{2, 3}, kPositive}, {{2}, kFlags}}});
  cases.push_back({"type: 'InfogainLoss'", {scores, labels, {{3, 3}, kPositive}}});
  cases.push_back({"type: 'MultinomialLogisticLoss'", {{{2, 3}, kPositive}, labels}});
  const auto forward_only = [&](const std::string& text, const std::vector<Bottom>& bottoms, int tops) {
    cases.push_back({text, bottoms, tops, caffe::TEST, false, false});
  };
  forward_only("type: 'Threshold' threshold_param { threshold: 0.1 }", {image}, 1);
  forward_only("type: 'Accuracy'", {{{2, 3}, kDistinct}, labels}, 2);
  forward_only("type: 'Accuracy'", {{{2, 3}, kFlags}, labels}, 1);  // ties
  forward_only("type: 'Accuracy' accuracy_param { top_k: 2 ignore_label: 1 }", {image, {{2, 5, 4}, kLabels}}, 2);
  for (const char* axis : {"", "axis: 1 ", "axis: -1 "}) {
    for (const char* values : {"", "out_max_val: true "}) {
      const std::string text = std::string("type: 'ArgMax' argmax_param { top_k: 3 ") + axis + values + "}";
      forward_only(text, {{kImages, kDistinct}}, 1);
      forward_only(text, {{kImages, kLabels}}, 1);  // ties
    }
  }

  const std::string recurrent = "recurrent_param { num_output: 3 " + weights + "}";
  cases.push_back({"type: 'RNN' " + recurrent, {steps, begins}});
  cases.push_back({"type: 'LSTM' " + recurrent, {steps, begins}});
  cases.push_back({"type: 'LSTMUnit'", {{{1, 2, 4}}, {{1, 2, 16}}, {{1, 2}, kFlags}}, 2});

  const std::string crossbar = " crossbar_param { rows: 8 cols: 8 adc_bits: 10 } ";
  cases.push_back({"name: 'c' type: 'CrossbarConvolution' convolution_param { num_output: 4 kernel_size: 3 " + weights +
                       "}" + crossbar,
                   {image}});
  cases.push_back(
      {"name: 'f' type: 'CrossbarInnerProduct' inner_product_param { num_output: 4 " + weights + "}" + crossbar,
       {image}});
  return cases;
}

template <typename Dtype>
BlobPtr<Dtype> Filled(const Bottom& bottom, unsigned seed) {
  if (bottom.content == kDistinct) return DistinctBlob<Dtype>(bottom.shape, 0.03, seed);
  auto blob = RandomBlob<Dtype>(bottom.shape, bottom.content == kPositive ? 0.1 : -1, 1, seed);
  Dtype* values = blob->mutable_cpu_data();
  for (int i = 0; i < blob->count(); ++i) {
    if (bottom.content == kLabels) values[i] = static_cast<Dtype>(std::abs(static_cast<int>(values[i] * 100)) % 3);
    if (bottom.content == kFlags) values[i] = values[i] > -0.3;
  }
  return blob;
}

// All that comes of two passes, blob by blob.
template <typename Dtype>
std::vector<std::vector<double>> Results(const Case& test, caffe::Caffe::Brew mode) {
  const ModeScope scope(mode);
  caffe::Caffe::set_random_seed(3);
  std::vector<BlobPtr<Dtype>> bottoms;
  for (size_t i = 0; i < test.bottoms.size(); ++i) bottoms.push_back(Filled<Dtype>(test.bottoms[i], 11 + i));
  LayerHarness<Dtype> harness(test.text, bottoms, test.tops, test.phase);
  if (test.in_place) harness.top = harness.bottom;
  std::vector<bool> propagate;
  for (const Bottom& bottom : test.bottoms) {
    propagate.push_back(bottom.content != kLabels && bottom.content != kFlags);
  }
  if (std::string(harness.layer->type()) == "InfogainLoss") propagate[2] = false;
  for (const auto& blob : harness.layer->blobs()) {
    caffe::caffe_set(blob->count(), Dtype(0.25), blob->mutable_cpu_diff());
  }
  std::vector<std::vector<double>> results;
  for (int pass = 0; pass < 2; ++pass) {
    if (test.in_place) harness.in().CopyFrom(*Filled<Dtype>(test.bottoms[0], 5));
    results.push_back({static_cast<double>(harness.Forward())});
    for (const caffe::Blob<Dtype>* top : harness.top) results.push_back(Data(*top));
    if (!test.backward) continue;
    for (size_t i = 0; i < harness.top.size(); ++i) {
      const auto gradient = RandomBlob<Dtype>(harness.top[i]->shape(), 0.5, 1.5, 31 + i);
      std::copy_n(gradient->cpu_data(), gradient->count(), harness.top[i]->mutable_cpu_diff());
    }
    harness.layer->Backward(harness.top, propagate, harness.bottom);
    for (size_t i = 0; i < harness.bottom.size(); ++i) {
      if (propagate[i]) results.push_back(Diff(*harness.bottom[i]));
    }
    for (const auto& blob : harness.layer->blobs()) {
      results.push_back(Data(*blob));
      results.push_back(Diff(*blob));
    }
  }
  return results;
}

template <typename Dtype>
void ExpectSameOnBoth(const Case& test) {
  SCOPED_TRACE(test.text + (test.in_place ? " in place" : "") + (sizeof(Dtype) == 4 ? " float" : " double"));
  const auto cpu = Results<Dtype>(test, caffe::Caffe::CPU), gpu = Results<Dtype>(test, caffe::Caffe::GPU);
  ASSERT_EQ(gpu.size(), cpu.size());
  for (size_t i = 0; i < cpu.size(); ++i) {
    SCOPED_TRACE("result " + std::to_string(i));
    double largest = 0;
    for (const double value : cpu[i]) largest = std::max(largest, std::abs(value));
    ExpectAllNear(gpu[i], cpu[i], tolerance::kOtherDevice<Dtype> * largest);
  }
}

TEST(GpuLayers, GiveWhatTheyGiveOnTheCpu) {
  for (const Case& test : Cases()) {
    ExpectSameOnBoth<float>(test);
    ExpectSameOnBoth<double>(test);
  }
}

TEST(GpuLayers, AreAllOfThemInThisTest) {
  // These read data, write it, or are somebody else's code.
  std::set<std::string> untested = {"Data",       "DummyData", "HDF5Data",   "HDF5Output", "ImageData",
                                    "MemoryData", "Python",    "WindowData", "Input"};
  for (const Case& test : Cases()) {
    caffe::LayerParameter param;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(test.text, &param));
    untested.insert(param.type());
  }
  for (const std::string& type : caffe::LayerRegistry<float>::LayerTypeList())
    EXPECT_EQ(untested.count(type), 1u) << type;
}

constexpr unsigned kSeed = 5;

// Every Forward draws, and after `seed` what it drew `first`.
void ExpectDrawnAnew(LayerHarness<float>& harness, const std::vector<double>& first, unsigned seed) {
  harness.Forward();
  EXPECT_NE(Data(harness.out()), first) << "drawn anew";
  caffe::Caffe::set_random_seed(seed);
  harness.Forward();
  EXPECT_EQ(Data(harness.out()), first) << "as the seed says";
}

TEST(GpuLayers, DropAsOftenAsTheyAreTold) {
  const ModeScope scope(caffe::Caffe::GPU);
  caffe::Caffe::set_random_seed(kSeed);
  LayerHarness<float> harness("type: 'Dropout' dropout_param { dropout_ratio: 0.3 }", {MakeBlob<float>({10000})}, 1,
                              caffe::TRAIN);
  caffe::caffe_set(10000, 1.0f, harness.in().mutable_cpu_data());
  harness.Forward();
  const std::vector<double> first = Data(harness.out());
  int kept = 0;
  for (const double value : first) {
    kept += value != 0;
    if (value != 0) {
      ASSERT_FLOAT_EQ(value, 1 / 0.7f);
    }
  }
  EXPECT_NEAR(kept / 1e4, 0.7, std::sqrt(0.3 * 0.7) * tolerance::Correlation(10000));
  caffe::caffe_set(10000, 1.0f, harness.out().mutable_cpu_diff());
  harness.Backward();
  EXPECT_EQ(Diff(harness.in()), first) << "what was dropped has no gradient";
  ExpectDrawnAnew(harness, first, kSeed);
}

TEST(GpuLayers, DrawFromAWindowAsOftenAsItsValuesSay) {
  const ModeScope scope(caffe::Caffe::GPU);
  caffe::Caffe::set_random_seed(kSeed);
  constexpr int kWindows = 10000;
  const std::vector<float> window = {1, 0, 2, 5};
  LayerHarness<float> harness("type: 'Pooling' pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }",
                              {MakeBlob<float>({kWindows, 1, 2, 2})}, 1, caffe::TRAIN);
  float* x = harness.in().mutable_cpu_data();
  for (int i = 0; i < 4 * kWindows; ++i) x[i] = window[i % 4];
  harness.Forward();
  const std::vector<double> first = Data(harness.out());
  for (const float value : window) {
    const double share = value / 8, found = std::count(first.begin(), first.end(), value) / double{kWindows};
    EXPECT_NEAR(found, share, std::sqrt(share * (1 - share)) * tolerance::Correlation(kWindows)) << value;
  }
  for (int i = 0; i < kWindows; ++i) harness.out().mutable_cpu_diff()[i] = static_cast<float>(i + 1);
  harness.Backward();
  const std::vector<double> gradient = Diff(harness.in());
  for (int i = 0; i < 4 * kWindows; ++i) {
    ASSERT_EQ(gradient[i], window[i % 4] == first[i / 4] ? i / 4 + 1 : 0) << "value " << i;
  }
  ExpectDrawnAnew(harness, first, kSeed);
}

TEST(GpuLayers, RankNanLast) {
  const float nan = std::nanf(""), infinity = HUGE_VALF;
  for (const caffe::Caffe::Brew mode : {caffe::Caffe::CPU, caffe::Caffe::GPU}) {
    const ModeScope scope(mode);
    LayerHarness<float> harness("type: 'ArgMax' argmax_param { top_k: 5 }",
                                {MakeBlob<float>({1, 5}, {nan, 1, -infinity, nan, infinity})});
    harness.Forward();
    EXPECT_EQ(Data(harness.out()), (std::vector<double>{4, 1, 3, 2, 0})) << mode;
    LayerHarness<float> accuracy("type: 'Accuracy'", {MakeBlob<float>({2, 2}, {nan, 1, 2, nan}), MakeBlob<float>({2})});
    accuracy.Forward();
    EXPECT_EQ(Data(accuracy.out()), std::vector<double>{0}) << mode;
  }
}

TEST(GpuLayers, RefuseLabelsThatAreNoClass) {
  const ModeScope scope(caffe::Caffe::GPU);
  for (const char* type : {"SoftmaxWithLoss", "Accuracy"}) {
    LayerHarness<float> harness(std::string("type: '") + type + "'",
                                {RandomBlob<float>({2, 3}), MakeBlob<float>({2}, {0, 3})});
    ExpectError([&] { harness.Forward(); }, "label 3 is outside of [0, 3)");
  }
}

}  // namespace
}  // namespace rxnn::testing
