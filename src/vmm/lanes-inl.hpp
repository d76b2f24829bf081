// The SIMD vectors that the kernels of this folder work with: at most 16 lanes. Included once per instruction set.
#include <cstddef>

#if defined(RXNN_VMM_LANES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RXNN_VMM_LANES_INL_HPP
#undef RXNN_VMM_LANES_INL_HPP
#else
#define RXNN_VMM_LANES_INL_HPP
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::CappedTag<float, 16>;
using I = hn::RebindToSigned<F>;
using VF = hn::Vec<F>;
using VI = hn::Vec<I>;
constexpr size_t kLanes = hn::MaxLanes(F());

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
