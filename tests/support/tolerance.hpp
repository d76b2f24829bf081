// Every tolerance of the tests, with its reason. Integers and ADC codes are compared exactly and have none.
#pragma once

#include <cmath>

namespace rxnn::tolerance {

// G_eq against an independent solver. Both are backward stable in double precision; the circuit's condition number
// reaches 1e6 for milliohm segments, so eps * 1e6 with a margin of 5. Relative to the entry.
constexpr double kConductanceRelative = 1e-9;
// Drivers of 0 ohm at far ends are taken for 1e-30 ohm (docs/physics.md): where an entry is exactly 0, what passes them
// instead. Siemens; 1e-30 ohm times the square of the largest conductance in the tests, 1e-2 S in one line, with
// margin.
constexpr double kConductanceFloor = 1e-32;

// Double-precision algorithms that only add, multiply and divide positive numbers: about one eps per step in a chain of
// up to 1e3 steps, relative to each entry.
constexpr double kPositiveRelative = 1e-13;

// Statistics over n draws of a fixed seed. Kolmogorov-Smirnov distance: exceeded by 1 in 1e5 samples of the right law.
inline double KolmogorovSmirnov(int n) { return 2.47 / std::sqrt(n); }
// A mean of n independent numbers of variance 1 (a correlation, a share): 4.4 sigma, 1 in 1e5.
inline double Correlation(int n) { return 4.4 / std::sqrt(n); }

// A sum of n float32 products against double precision: |error| <= c n eps sum|terms|, with eps = 2^-24. Kernels add in
// up to n steps; c = 2 covers the product's own rounding.
constexpr double kFloatEps = 1.0 / (1 << 24);
constexpr double SumTolerance(int n, double sum_of_magnitudes) { return 2.0 * n * kFloatEps * sum_of_magnitudes; }

// A sum of n products on tensor cores, levels in bf16 parts (docs/cuda.md): two parts leave 2^-18 of every level, three
// and whole levels in one leave nothing; an addition for every 16 rows and part loses at most 2^-22 of the sum.
constexpr double TensorSum(int n, int parts, double sum_of_magnitudes) {
  const double additions = (n + 15) / 16 * parts;
  return ((parts == 2 ? 4 : 0) * 1.0 / (1 << 20) + additions / (1 << 22)) * sum_of_magnitudes;
}

// Levels that products of bytes take as whole numbers of a unit (LevelBytes, about 2^-21 of the largest level at most):
// each is off by half a unit at most.
constexpr double LevelUnits(double largest_level, double sum_of_digits) {
  return 1.01 * largest_level * sum_of_digits / (1 << 22);
}

// Half a unit in the last place of double. Sums of a few numbers in double differ by a few of these between orders of
// addition.
constexpr double kDoubleEps = 1.0 / (1LL << 53);

// float32 layer outputs against a double reference, relative to the largest output: a few hundred roundings.
constexpr double kLayerRelative = 1e-5;

// Finite-difference gradients in float32 with step 1e-2 * scale: truncation O(step^2) and cancellation eps / step meet
// near 1e-3; Caffe's own users expect 1e-2.
constexpr double kGradientStep = 1e-2;
constexpr double kGradientRelative = 1e-2;
// In double precision with step 1e-5: truncation near 1e-10 times the third derivative, cancellation eps / step = 2e-11
// times the objective (up to 1e3 in the tests); relative to the larger of 1 and the gradient.
constexpr double kGradientStepDouble = 1e-5;
constexpr double kGradientRelativeDouble = 1e-6;

// Layer outputs of hand-computed cases: a few roundings of values near 1, in float32 (2^-24 each) and double.
template <typename Dtype>
constexpr double kExactCase = sizeof(Dtype) == 4 ? 1e-6 : 1e-14;

// An elementwise function of arguments up to 10 against double precision: 16 roundings, relative to the larger of 1 and
// the result. For double, where both sides may use different formulas, the same.
template <typename Dtype>
constexpr double kFewRoundings = sizeof(Dtype) == 4 ? 16 * kFloatEps : 16 * kFloatEps / (1 << 29);

// Weights near 1 after five training steps in double precision, with sums over the batch in another order: a few
// hundred roundings, enlarged at most a hundredfold by steps that divide by the size of small gradients.
constexpr double kReorderedTraining = 1e-12;

// Results of a layer on the GPU against the CPU, relative to the largest: sums in another order, exponentials and
// powers of another library. A few hundred roundings.
template <typename Dtype>
constexpr double kOtherDevice = sizeof(Dtype) == 4 ? 1e-5 : 1e-13;

// The same after a dozen layers and two steps, with normalisations over few values in between.
template <typename Dtype>
constexpr double kOtherDeviceNet = sizeof(Dtype) == 4 ? 1e-4 : 1e-12;

// Numbers read from a log, which prints six digits.
constexpr double kSixDigits = 1e-5;

}  // namespace rxnn::tolerance
