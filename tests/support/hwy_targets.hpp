// Runs a test body on every instruction set that Highway compiled for and this machine has. The matrix unit belongs to
// AVX-512, which runs a second time without it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "hwy/targets.h"
#include "vmm/matrix_unit.hpp"

namespace rxnn {

template <typename Body>
void ForEachHwyTarget(const Body& body) {
  hwy::SetSupportedTargetsForTest(0);
  const bool has_matrix_unit = HasMatrixUnit();
  const std::int64_t targets = (hwy::SupportedTargets() & HWY_TARGETS) | HWY_STATIC_TARGET;
  for (std::int64_t rest = targets; rest != 0; rest &= rest - 1) {
    const std::int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    ForbidMatrixUnit(true);
    body();
    if (target != HWY_AVX3 || !has_matrix_unit) continue;
    SCOPED_TRACE("with the matrix unit");
    ForbidMatrixUnit(false);
    body();
  }
  ForbidMatrixUnit(!has_matrix_unit);
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace rxnn
