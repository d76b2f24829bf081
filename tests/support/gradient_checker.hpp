// Backward against finite differences of Forward.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/support/layer_harness.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn::testing {

// The objective is the layer's weighted loss or, where no top is a loss, the sum of all top values times fixed random
// weights. Its derivative by every bottom value (of bottoms in `check_bottoms`; empty: all) and every parameter is
// compared with the central difference. Parameter gradients start at 1, so that a layer that overwrites instead of
// adding fails. Random numbers restart before every Forward, so that Dropout draws the same ones.
template <typename Dtype>
class GradientChecker {
 public:
  explicit GradientChecker(LayerHarness<Dtype>* run) : run_(*run) {}

  void Check(std::vector<int> check_bottoms = {}) {
    const int bottoms = static_cast<int>(run_.bottom.size());
    if (check_bottoms.empty()) {
      for (int i = 0; i < bottoms; ++i) {
        check_bottoms.push_back(i);
      }
    }
    CheckExactly(check_bottoms);
  }

  // The parameters alone, for layers whose bottoms have no gradient.
  void CheckParameters() { CheckExactly({}); }

 private:
  void CheckExactly(const std::vector<int>& check_bottoms) {
    std::vector<bool> propagate_down(run_.bottom.size(), false);
    for (int i : check_bottoms) {
      propagate_down[i] = true;
    }
    for (size_t i = 0; i < run_.top.size(); ++i) {
      is_loss_ = is_loss_ || run_.layer->loss(static_cast<int>(i)) != 0;
    }
    Objective();
    if (!is_loss_) {
      for (size_t i = 0; i < run_.top.size(); ++i) {
        top_weights_.push_back(RandomBlob<Dtype>(run_.out(i).shape(), 0.5, 1.5, 900 + i));
        caffe::caffe_copy(run_.out(i).count(), top_weights_[i]->cpu_data(), run_.out(i).mutable_cpu_diff());
      }
    }
    for (auto& blob : run_.layer->blobs()) {
      caffe::caffe_set(blob->count(), Dtype(1), blob->mutable_cpu_diff());
    }
    run_.layer->Backward(run_.top, propagate_down, run_.bottom);

    for (int i : check_bottoms) {
      CompareBlob(&run_.in(i), Diff(run_.in(i)), "bottom " + std::to_string(i));
    }
    for (size_t i = 0; i < run_.layer->blobs().size(); ++i) {
      if (run_.layer->param_propagate_down(static_cast<int>(i))) {
        std::vector<double> analytic = Diff(run_.weights(i));
        for (double& value : analytic) {
          value -= 1;
        }
        CompareBlob(&run_.weights(i), analytic, "parameter " + std::to_string(i));
      }
    }
  }

  double Objective() {
    caffe::Caffe::set_random_seed(1701);
    const double loss = run_.Forward();
    if (is_loss_) {
      return loss;
    }
    double sum = 0;
    for (size_t i = 0; i < top_weights_.size(); ++i) {
      for (int k = 0; k < run_.out(i).count(); ++k) {
        sum += static_cast<double>(run_.out(i).cpu_data()[k]) * top_weights_[i]->cpu_data()[k];
      }
    }
    return sum;
  }

  void CompareBlob(caffe::Blob<Dtype>* blob, const std::vector<double>& analytic, const std::string& name) {
    constexpr bool kDouble = std::is_same_v<Dtype, double>;
    const double step = kDouble ? tolerance::kGradientStepDouble : tolerance::kGradientStep;
    const double relative = kDouble ? tolerance::kGradientRelativeDouble : tolerance::kGradientRelative;
    for (int k = 0; k < blob->count(); ++k) {
      const Dtype value = blob->cpu_data()[k];
      blob->mutable_cpu_data()[k] = static_cast<Dtype>(value + step);
      const double above = Objective();
      blob->mutable_cpu_data()[k] = static_cast<Dtype>(value - step);
      const double below = Objective();
      blob->mutable_cpu_data()[k] = value;
      const double numeric = (above - below) / (2 * step);
      const double scale = std::max({1.0, std::abs(numeric), std::abs(analytic[k])});
      ASSERT_NEAR(analytic[k], numeric, relative * scale) << name << " at " << k << " of " << blob->shape_string();
    }
  }

  LayerHarness<Dtype>& run_;
  bool is_loss_ = false;
  std::vector<BlobPtr<Dtype>> top_weights_;
};

// Shorthand of most tests: double precision, where the tolerance is tight.
inline void CheckGradient(LayerHarness<double>* run, const std::vector<int>& check_bottoms = {}) {
  GradientChecker<double>(run).Check(check_bottoms);
}

}  // namespace rxnn::testing
