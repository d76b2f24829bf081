// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here, as in vmm_cpu.cpp.
#include "vmm/folded_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/folded_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/blocked_product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {

void ReadFoldedT(const FoldedReads& reads) {
  constexpr size_t kKept = 4 * kBlockRows;  // vectors between product and sum
  const hn::CappedTag<double, 8> dd;
  const hn::Rebind<float, decltype(dd)> df;
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const size_t row_stride = static_cast<size_t>(reads.row_stride);
  HWY_ALIGN float products[kKept * kPanelCols];
  for (size_t first = 0; first < vectors; first += kKept) {
    const size_t count = HWY_MIN(kKept, vectors - first);
    Currents(reads.codes + first * row_stride, row_stride, reads.levels, static_cast<size_t>(reads.rows), cols, count,
             products);
    for (size_t v = 0; v < count; ++v) {
      double* sums = reads.sums + (first + v) * cols;
      for (size_t j = 0; j < cols; j += hn::MaxLanes(dd)) {
        const auto product = hn::PromoteTo(dd, hn::Load(df, products + v * kPanelCols + j));
        hn::StoreU(reads.add ? hn::Add(hn::LoadU(dd, sums + j), product) : product, dd, sums + j);
      }
    }
  }
}

void JoinCodesT(const CodeBytes& bytes, int64_t row_stride, float* HWY_RESTRICT codes) {
  const F d;
  const I di;
  const hn::Rebind<uint8_t, F> db;
  for (int64_t v = 0; v < bytes.vectors; ++v, codes += row_stride) {
    for (int64_t i = 0; i < bytes.rows; i += kLanes) {
      VI code = hn::Zero(di);
      for (int pass = 0; pass < 2; ++pass) {
        if (bytes.low[pass] == nullptr) continue;
        const int64_t at = v * bytes.stride + i;
        VI part = hn::PromoteTo(di, hn::LoadU(db, bytes.low[pass] + at));
        if (bytes.high[pass]) {
          part = hn::Or(part, hn::ShiftLeft<8>(hn::PromoteTo(di, hn::LoadU(db, bytes.high[pass] + at))));
        }
        code = pass == 0 ? part : hn::Sub(code, part);
      }
      hn::StoreU(hn::ConvertTo(d, code), d, codes + i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(ReadFoldedT);
HWY_EXPORT(JoinCodesT);

void ReadFoldedCpu(const FoldedReads& reads) { HWY_DYNAMIC_DISPATCH(ReadFoldedT)(reads); }
void JoinCodesCpu(const CodeBytes& bytes, std::int64_t row_stride, float* codes) {
  HWY_DYNAMIC_DISPATCH(JoinCodesT)(bytes, row_stride, codes);
}

}  // namespace rxnn
#endif
