// Runs a test body on every instruction set that Highway compiled for and this machine has. Products of bytes belong to
// AVX-512, which runs once with each kind of them and once without.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "hwy/targets.h"
#include "vmm/byte_products.hpp"

namespace rxnn {

// With each kind of products of bytes that this machine has; not at all where it has none.
template <typename Body>
void ForEachByteProducts(const Body& body) {
  const ByteProducts best = BestByteProducts();
  for (const ByteProducts products : {ByteProducts::kVectors, ByteProducts::kTiles}) {
    if (products > best) break;
    SCOPED_TRACE(products == ByteProducts::kTiles ? "matrix unit" : "vectors of bytes");
    LimitByteProducts(products);
    body();
  }
  LimitByteProducts(best);
}

template <typename Body>
void ForEachHwyTarget(const Body& body) {
  hwy::SetSupportedTargetsForTest(0);
  const ByteProducts best = BestByteProducts();
  const std::int64_t targets = (hwy::SupportedTargets() & HWY_TARGETS) | HWY_STATIC_TARGET;
  for (std::int64_t rest = targets; rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    LimitByteProducts(ByteProducts::kNone);
    body();
    LimitByteProducts(best);
    if (target == HWY_AVX3) ForEachByteProducts(body);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace rxnn
