// The shapes that transfer curves are made of.
#pragma once

#include <vector>

namespace rxnn {

// c_0 + c_1 x + c_2 x^2 + ..
inline double EvaluatePolynomial(const std::vector<double>& c, double x) {
  double sum = 0;
  for (auto k = c.rbegin(); k != c.rend(); ++k) sum = sum * x + *k;
  return sum;
}

// A parabola of height 1 over 0 .. 1, 0 at both ends.
inline double Bow(double x) { return 4 * x * (1 - x); }

}  // namespace rxnn
