// Small helpers that code written for Caffe calls: random numbers, timers, numbers as text, temporary files, splits.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "caffe/caffe.hpp"
#include "caffe/util/format.hpp"
#include "caffe/util/insert_splits.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/rng.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

TEST(Rng, RepeatsUnderASeed) {
  caffe::Caffe::set_random_seed(1701);
  EXPECT_EQ((*caffe::caffe_rng())(), std::mt19937(1701)());
  const unsigned int second = caffe::caffe_rng_rand();
  caffe::Caffe::set_random_seed(1701);
  caffe::caffe_rng_rand();
  EXPECT_EQ(caffe::caffe_rng_rand(), second);
}

TEST(Rng, CopiesGoOnWithTheSameGenerator) {
  caffe::Caffe::RNG first(5);
  caffe::Caffe::RNG second = first;
  std::mt19937 expected(5);
  EXPECT_EQ((*static_cast<caffe::rng_t*>(first.generator()))(), expected());
  EXPECT_EQ((*static_cast<caffe::rng_t*>(second.generator()))(), expected());
}

// Each of the 6 orders of 3 elements within 5 standard deviations of its share.
TEST(Rng, ShufflesIntoEveryOrderAlike) {
  using caffe::shuffle;  // as in a layer, where std::shuffle is found too
  caffe::Caffe::set_random_seed(1);
  std::map<std::vector<int>, int> seen;
  const int n = 6000;
  for (int i = 0; i < n; ++i) {
    std::vector<int> order = {0, 1, 2};
    if (i % 2 == 0) {
      shuffle(order.begin(), order.end());
    } else {
      shuffle(order.begin(), order.end(), caffe::caffe_rng());
    }
    ++seen[order];
  }
  EXPECT_EQ(seen.size(), 6u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, n / 6., 5 * std::sqrt(n * 5 / 36.));
}

TEST(Timer, MeasuresFromStartToStop) {
  caffe::CPUTimer timer;
  EXPECT_TRUE(timer.initted());
  EXPECT_FALSE(timer.running());
  EXPECT_FALSE(timer.has_run_at_least_once());
  EXPECT_EQ(timer.MilliSeconds(), 0);
  timer.Start();
  EXPECT_TRUE(timer.running());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  timer.Start();  // goes on
  const float milliseconds = timer.MilliSeconds();
  EXPECT_FALSE(timer.running());
  EXPECT_TRUE(timer.has_run_at_least_once());
  EXPECT_GE(milliseconds, 20);
  EXPECT_EQ(timer.MilliSeconds(), milliseconds);
  EXPECT_FLOAT_EQ(timer.MicroSeconds(), 1000 * milliseconds);
  EXPECT_FLOAT_EQ(timer.Seconds(), milliseconds / 1000);
}

TEST(Format, FillsUpWithZeros) {
  EXPECT_EQ(caffe::format_int(7, 3), "007");
  EXPECT_EQ(caffe::format_int(1234, 3), "1234");
  EXPECT_EQ(caffe::format_int(0), "0");
}

TEST(TemporaryFiles, AreNewAndApart) {
  std::string folder, other, file;
  caffe::MakeTempDir(&folder);
  caffe::MakeTempDir(&other);
  caffe::MakeTempFilename(&file);
  EXPECT_NE(folder, other);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(std::filesystem::is_directory(std::filesystem::path(file).parent_path()));
  for (const auto& path : {folder, other, std::filesystem::path(file).parent_path().string()}) {
    std::filesystem::remove_all(path);
  }
}

TEST(MathFunctions, SignsAndNeighbours) {
  const std::vector<double> x = {-2, -0.0, 0, 3};
  std::vector<double> y(4);
  caffe::caffe_cpu_sgnbit(4, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<double>{1, 1, 0, 0}));
  caffe::caffe_cpu_sign(4, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<double>{-1, 0, 0, 1}));
  caffe::caffe_cpu_fabs(4, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<double>{2, 0, 0, 3}));
  EXPECT_EQ(caffe::caffe_nextafter(1.0f), 1.0f + std::numeric_limits<float>::epsilon());
}

TEST(Device, ThereIsNoneWithoutCuda) {
  EXPECT_FALSE(caffe::Caffe::CheckDevice(0));
  EXPECT_EQ(caffe::Caffe::FindDevice(), -1);
  ExpectError([] { caffe::Caffe::SetDevice(0); }, "no GPU support");
  ExpectError([] { caffe::Caffe::DeviceQuery(); }, "no GPU support");
  LayerHarness<float> run("type: 'TanH'", {MakeBlob<float>({2})});
  caffe::Caffe::set_mode(caffe::Caffe::GPU);
  EXPECT_EQ(caffe::Caffe::mode(), caffe::Caffe::GPU);
  ExpectError([&] { run.Forward(); }, "use CPU mode");
  ExpectError([&] { run.Backward(); }, "use CPU mode");
  caffe::Caffe::set_mode(caffe::Caffe::CPU);
  run.Forward();
}

// A loss weight moves to the first copy; the layer that had it keeps none.
TEST(InsertSplits, MovesTheLossWeight) {
  const auto parse = [](const std::string& text) {
    caffe::NetParameter net;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &net));
    return net;
  };
  caffe::NetParameter split;
  caffe::InsertSplits(parse("layer { name: 'a' type: 'DummyData' top: 'x' loss_weight: 2.5 }"
                            "layer { name: 'b' type: 'Silence' bottom: 'x' }"),
                      &split);
  EXPECT_EQ(split.DebugString(),
            parse("layer { name: 'a' type: 'DummyData' top: 'x' }"
                  "layer { name: 'x_a_0_split' type: 'Split' bottom: 'x' top: 'x_a_0_split_0' top: 'x_a_0_split_1'"
                  "        loss_weight: 2.5 loss_weight: 0 }"
                  "layer { name: 'b' type: 'Silence' bottom: 'x_a_0_split_1' }")
                .DebugString());
}

TEST(NetForward, CopiesBlobsIntoItsInputs) {
  caffe::NetParameter param;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: 2 } } }"
      "layer { name: 'out' type: 'Power' bottom: 'x' top: 'y' power_param { scale: 3 } }",
      &param));
  caffe::Net<double> net(param);
  const auto x = MakeBlob<double>({2}, {1, 2});
  ExpectAllNear(Data(*net.Forward({x.get()})[0]), {3, 6}, 0);
  ExpectAllNear(Data(*net.ForwardPrefilled()[0]), {3, 6}, 0);
  ExpectError([&] { net.Forward(std::vector<caffe::Blob<double>*>()); }, "1 input blobs, got 0");
  const auto wrong = MakeBlob<double>({3});
  ExpectError([&] { net.Forward({wrong.get()}); }, "3 (3)");
}

}  // namespace
}  // namespace rxnn::testing
