// Every tolerance of the tests, with its reason. Integers and ADC codes are compared exactly and have none.
#pragma once

namespace rxnn::tolerance {

// G_eq against an independent solver. Both are backward stable in double precision; the circuit's condition number
// reaches 1e6 for milliohm segments, so eps * 1e6 with a margin of 5. Relative to the entry.
constexpr double kConductanceRelative = 1e-9;

// A sum of n float32 products against double precision: |error| <= c n eps sum|terms|, with eps = 2^-24. Kernels add in
// up to n steps; c = 2 covers the product's own rounding.
constexpr double kFloatEps = 1.0 / (1 << 24);
constexpr double SumTolerance(int n, double sum_of_magnitudes) { return 2.0 * n * kFloatEps * sum_of_magnitudes; }

// float32 layer outputs against a double reference, relative to the largest output: a few hundred roundings.
constexpr double kLayerRelative = 1e-5;

// Finite-difference gradients in float32 with step 1e-2 * scale: truncation O(step^2) and cancellation eps / step meet
// near 1e-3; Caffe's own users expect 1e-2.
constexpr double kGradientStep = 1e-2;
constexpr double kGradientRelative = 1e-2;

}  // namespace rxnn::tolerance
