// What every test of an elementwise layer does.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {

// Forward equals `function` for every value of `input` (tolerance: a few roundings of the function and its argument),
// and Backward equals finite differences (for double). Inputs keep off the kinks of the function.
template <typename Dtype>
void ExpectElementwise(const std::string& text, const caffe::Blob<Dtype>& input,
                       const std::function<double(double)>& function) {
  SCOPED_TRACE(text);
  auto bottom = std::make_shared<caffe::Blob<Dtype>>();
  bottom->CopyFrom(input, false, true);
  LayerHarness<Dtype> run(text, {bottom});
  run.Forward();
  ASSERT_EQ(run.out().shape(), input.shape());
  for (int i = 0; i < input.count(); ++i) {
    const double expected = function(input.cpu_data()[i]);
    ASSERT_NEAR(run.out().cpu_data()[i], expected, tolerance::kFewRoundings<Dtype> * std::max(1.0, std::abs(expected)))
        << "x = " << input.cpu_data()[i];
  }
  if constexpr (std::is_same_v<Dtype, double>) {
    CheckGradient(&run);
  }
}

}  // namespace rxnn::testing
