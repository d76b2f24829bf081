#include "vmm/kernel_choice.hpp"

#include <cstdlib>
#include <stdexcept>

#include "hwy/highway.h"
#include "hwy/targets.h"

namespace rxnn {
namespace {

struct NamedProducts {
  const char* name;
  ByteProducts products;
};

struct NamedTarget {
  const char* name;
  std::int64_t target;
};

// From best to least; all belong to AVX-512.
constexpr NamedProducts kProducts[] = {{"amx", ByteProducts::kTiles}, {"vnni", ByteProducts::kVectors}};

// From best to least; a smaller number is a better target.
constexpr NamedTarget kTargets[] = {
    {"avx512", HWY_AVX3}, {"avx2", HWY_AVX2}, {"sse4", HWY_SSE4}, {"ssse3", HWY_SSSE3}, {"baseline", HWY_STATIC_TARGET},
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Kernel ParseKernel(const std::string& value) {
  if (value.empty()) return Kernel::kFastest;
  if (value == "table") return Kernel::kTable;
  if (value == "multiply") return Kernel::kMultiply;
  throw std::invalid_argument("RXNN_KERNEL is \"" + value + "\", expected table or multiply");
}

std::int64_t ParseTarget(const std::string& value) {
  if (value.empty()) return 0;
  const std::int64_t there = (hwy::SupportedTargets() & HWY_TARGETS) | HWY_STATIC_TARGET;
  std::string names;
  for (const auto& [name, products] : kProducts) {
    if (BestByteProducts() < products) continue;
    if (value == name) return 0;
    names += std::string(name) + ", ";
  }
  for (const auto& [name, target] : kTargets) {
    if ((there & target) == 0) continue;
    if (value == name) return there & (target - 1);
    names += std::string(name) + ", ";
  }
  names.resize(names.size() - 2);
  throw std::invalid_argument("RXNN_TARGET is \"" + value + "\", this machine has " + names);
}

ByteProducts ProductsOf(const std::string& value) {
  for (const auto& [name, products] : kProducts) {
    if (value == name) return products;
  }
  return value.empty() ? ByteProducts::kTiles : ByteProducts::kNone;
}

Kernel ChosenKernel() {
  static const Kernel kernel = ParseKernel(Environment("RXNN_KERNEL"));
  return kernel;
}

void ApplyChosenTarget() {
  static const std::int64_t excluded = [] {
    const std::string name = Environment("RXNN_TARGET");
    const std::int64_t targets = ParseTarget(name);
    LimitByteProducts(ProductsOf(name));
    if (targets != 0) hwy::DisableTargets(targets);
    return targets;
  }();
  static_cast<void>(excluded);
}

}  // namespace rxnn
