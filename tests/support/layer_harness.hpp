// A layer with its blobs, made from text, so that a test of a layer reads: build, fill, run, compare.
#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "caffe/caffe.hpp"
#include "caffe/util/math_functions.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn::testing {

template <typename Dtype>
using BlobPtr = std::shared_ptr<caffe::Blob<Dtype>>;

template <typename Dtype>
BlobPtr<Dtype> MakeBlob(const std::vector<int>& shape, const std::vector<double>& values = {}) {
  auto blob = std::make_shared<caffe::Blob<Dtype>>(shape);
  for (size_t i = 0; i < values.size(); ++i) {
    blob->mutable_cpu_data()[i] = static_cast<Dtype>(values[i]);
  }
  return blob;
}

// Uniform values in [low, high), the same for every run.
template <typename Dtype>
BlobPtr<Dtype> RandomBlob(const std::vector<int>& shape, double low = -1, double high = 1, unsigned seed = 1) {
  auto blob = MakeBlob<Dtype>(shape);
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  for (int i = 0; i < blob->count(); ++i) {
    blob->mutable_cpu_data()[i] = static_cast<Dtype>(uniform(generator));
  }
  return blob;
}

// Distinct values, `step` apart and shuffled: no two near enough for a maximum to change hands.
template <typename Dtype>
BlobPtr<Dtype> DistinctBlob(const std::vector<int>& shape, double step = 0.1, unsigned seed = 1) {
  auto blob = MakeBlob<Dtype>(shape);
  std::vector<double> values(blob->count());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = step * (static_cast<double>(i) - 0.5 * values.size() + 0.25);
  }
  std::shuffle(values.begin(), values.end(), std::mt19937(seed));
  std::copy(values.begin(), values.end(), blob->mutable_cpu_data());
  return blob;
}

template <typename Dtype>
std::vector<double> Data(const caffe::Blob<Dtype>& blob) {
  return std::vector<double>(blob.cpu_data(), blob.cpu_data() + blob.count());
}
template <typename Dtype>
std::vector<double> Diff(const caffe::Blob<Dtype>& blob) {
  return std::vector<double>(blob.cpu_diff(), blob.cpu_diff() + blob.count());
}

inline void ExpectAllNear(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance) << "at " << i;
  }
}

// A layer made by the registry from the text of its LayerParameter, SetUp with the given bottoms.
template <typename Dtype>
struct LayerHarness {
  LayerHarness(const std::string& text, std::vector<BlobPtr<Dtype>> bottoms, int tops = 1,
               caffe::Phase phase = caffe::TEST)
      : bottom_blobs(std::move(bottoms)) {
    caffe::LayerParameter param;
    if (!google::protobuf::TextFormat::ParseFromString(text, &param)) {
      throw std::invalid_argument("the test's layer does not parse: " + text);
    }
    param.set_phase(phase);
    for (int i = 0; i < tops; ++i) {
      top_blobs.push_back(std::make_shared<caffe::Blob<Dtype>>());
      top.push_back(top_blobs.back().get());
    }
    for (const auto& blob : bottom_blobs) {
      bottom.push_back(blob.get());
    }
    layer = caffe::LayerRegistry<Dtype>::CreateLayer(param);
    layer->SetUp(bottom, top);
  }

  Dtype Forward() { return layer->Forward(bottom, top); }
  void Backward() { layer->Backward(top, std::vector<bool>(bottom.size(), true), bottom); }

  caffe::Blob<Dtype>& in(int i = 0) { return *bottom[i]; }
  caffe::Blob<Dtype>& out(int i = 0) { return *top[i]; }
  caffe::Blob<Dtype>& weights(int i = 0) { return *layer->blobs()[i]; }
  // Writes the same pattern of values between -1 and 1 into a parameter blob.
  void RandomizeWeights(int i = 0) { weights(i).CopyFrom(*RandomBlob<Dtype>(weights(i).shape(), -1, 1, 77 + i)); }

  std::vector<BlobPtr<Dtype>> bottom_blobs, top_blobs;
  std::vector<caffe::Blob<Dtype>*> bottom, top;
  std::shared_ptr<caffe::Layer<Dtype>> layer;
};

// Runs a layer of one bottom and one top in place and apart, and compares outputs and gradients exactly.
template <typename Dtype>
void ExpectSameInPlace(const std::string& text, const caffe::Blob<Dtype>& input, caffe::Phase phase = caffe::TEST) {
  const auto copy = [&] {
    auto blob = std::make_shared<caffe::Blob<Dtype>>();
    blob->CopyFrom(input, false, true);
    return blob;
  };
  LayerHarness<Dtype> apart(text, {copy()}, 1, phase), in_place(text, {copy()}, 1, phase);
  in_place.top = in_place.bottom;
  for (LayerHarness<Dtype>* run : {&apart, &in_place}) {
    caffe::Caffe::set_random_seed(1701);
    run->Forward();
    const auto gradient = RandomBlob<Dtype>(input.shape(), -1, 1, 5);
    caffe::caffe_copy(input.count(), gradient->cpu_data(), run->out().mutable_cpu_diff());
  }
  ExpectAllNear(Data(in_place.out()), Data(apart.out()), 0);
  apart.Backward();
  in_place.Backward();
  ExpectAllNear(Diff(in_place.in()), Diff(apart.in()), 0);
}

// Runs `action` and expects caffe::Error whose message contains `part`.
inline void ExpectError(const std::function<void()>& action, const std::string& part) {
  try {
    action();
    ADD_FAILURE() << "no error, expected one with: " << part;
  } catch (const caffe::Error& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

// Bound for a sum of n products of this type, the magnitudes of which add up to at most sum_of_magnitudes.
template <typename Dtype>
double SumTolerance(int n, double sum_of_magnitudes) {
  const double float_bound = tolerance::SumTolerance(n, sum_of_magnitudes);
  return std::is_same_v<Dtype, float> ? float_bound : float_bound / (1 << 29);  // double has 29 bits more
}

template <typename Dtype>
class LayerTest : public ::testing::Test {
 protected:
  using Harness = LayerHarness<Dtype>;
};
using BothTypes = ::testing::Types<float, double>;

}  // namespace rxnn::testing
