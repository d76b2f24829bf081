// What the tests of data layers share: labels of some batches, and going on where another layer was saved.
#pragma once

#include <string>
#include <vector>

#include "caffe/util/resumable.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {

// The labels (top 1) of the next batches.
template <typename Dtype>
std::vector<double> NextLabels(LayerHarness<Dtype>* run, int batches) {
  std::vector<double> labels;
  for (int i = 0; i < batches; ++i) {
    run->Forward();
    const auto batch = Data(run->out(1));
    labels.insert(labels.end(), batch.begin(), batch.end());
  }
  return labels;
}

template <typename Dtype>
caffe::Resumable* ResumableOf(const LayerHarness<Dtype>& run) {
  return dynamic_cast<caffe::Resumable*>(run.layer.get());
}

// Puts `resumed` where `run` is, and compares the next four batches of both.
template <typename Dtype>
void ExpectGoesOn(LayerHarness<Dtype>* run, LayerHarness<Dtype>* resumed) {
  ResumableOf(*resumed)->RestoreState(ResumableOf(*run)->SaveState());
  for (int i = 0; i < 4; ++i) {
    run->Forward();
    resumed->Forward();
    EXPECT_EQ(Data(resumed->out(0)), Data(run->out(0)));
    EXPECT_EQ(Data(resumed->out(1)), Data(run->out(1)));
  }
}

}  // namespace rxnn::testing
