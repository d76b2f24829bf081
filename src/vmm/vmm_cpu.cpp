// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here: an object compiled for AVX-512 must not leave behind a copy of
// an inline function that the linker could give to others.
#include "vmm/vmm_cpu.hpp"

// The micro-kernel keeps its accumulators in an array of vectors, which scalable vectors do not allow.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/vmm_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/blocked_product-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class DD>
HWY_INLINE hn::Vec<DD> LoadDouble(DD dd, const float* from) {
  return hn::PromoteTo(dd, hn::LoadU(hn::Rebind<float, DD>(), from));
}

template <class DD>
HWY_INLINE hn::Vec<DD> LoadDouble(DD dd, const double* from) {
  return hn::LoadU(dd, from);
}

enum class Output { kCurrent, kCode, kWholeLevels };

// Codes beyond the range in the first `used` columns from `j` on.
template <class DD>
HWY_INLINE void CountSaturated(DD dd, hn::Vec<DD> code, hn::Vec<DD> code_min, hn::Vec<DD> code_max, size_t j,
                               size_t used, ConversionCounts* counts) {
  const auto in_use = hn::FirstN(dd, used > j ? used - j : 0);
  counts->low += static_cast<int64_t>(hn::CountTrue(dd, hn::And(in_use, hn::Lt(code, code_min))));
  counts->high += static_cast<int64_t>(hn::CountTrue(dd, hn::And(in_use, hn::Gt(code, code_max))));
}

// sums[col] += weight * what the converter makes of currents[col].
template <Output kOutput, typename T>
HWY_INLINE void Convert(const T* HWY_RESTRICT currents, size_t cols, const Adc& adc, double share_of_off, double weight,
                        double* HWY_RESTRICT sums, ConversionCounts* counts, size_t used) {
  const hn::ScalableTag<double> dd;
  const auto share = hn::Set(dd, share_of_off);
  const auto per_lsb = hn::Set(dd, 1 / adc.lsb);
  const auto lsb = hn::Set(dd, adc.lsb);
  const auto code_min = hn::Set(dd, adc.code_min);
  const auto code_max = hn::Set(dd, adc.code_max);
  const auto factor = hn::Set(dd, weight);
  for (size_t j = 0; j < cols; j += hn::Lanes(dd)) {
    auto x = LoadDouble(dd, currents + j);
    if (kOutput != Output::kCurrent) {
      x = hn::Round(hn::Mul(hn::Add(x, share), per_lsb));
      if (counts) CountSaturated(dd, x, code_min, code_max, j, used, counts);
      x = hn::Sub(hn::Mul(hn::Min(hn::Max(x, code_min), code_max), lsb), share);
      if (kOutput == Output::kWholeLevels) x = hn::Round(x);
    }
    // A weight is a power of two: fused or not, the product is exact.
    hn::StoreU(hn::MulAdd(factor, x, hn::LoadU(dd, sums + j)), dd, sums + j);
  }
}

template <size_t kRows, Output kOutput, typename T>
HWY_INLINE void ReadRows(const PanelReads<T>& reads, size_t matrix, size_t first_vector) {
  const size_t rows = static_cast<size_t>(reads.rows);
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const size_t count = static_cast<size_t>(reads.reads);
  const T* levels = reads.levels + matrix * rows * cols;
  HWY_ALIGN T currents[kRows * kPanelCols];
  for (size_t r = 0; r < count; ++r) {
    const size_t at = r * vectors + first_vector;
    Currents(reads.digits + at * rows, rows, levels, rows, cols, kRows, currents);
    for (size_t v = 0; v < kRows; ++v) {
      const double share = kOutput == Output::kCurrent ? 0 : reads.shares[at + v];
      Convert<kOutput>(currents + v * kPanelCols, cols, reads.readout.adc, share, reads.weights[matrix * count + r],
                       reads.sums + (first_vector + v) * cols, reads.counts, static_cast<size_t>(reads.used_cols));
    }
  }
}

// A matrix stays in the first-level cache while all digits of the block pass by.
template <Output kOutput, typename T>
HWY_INLINE void ReadMatrices(const PanelReads<T>& reads) {
  const size_t vectors = static_cast<size_t>(reads.vectors);
  for (size_t m = 0; m < static_cast<size_t>(reads.matrices); ++m) {
    size_t v = 0;
    for (; v + kBlockRows <= vectors; v += kBlockRows) ReadRows<kBlockRows, kOutput>(reads, m, v);
    for (; v < vectors; ++v) ReadRows<1, kOutput>(reads, m, v);
  }
}

template <typename T>
HWY_INLINE void ReadPanelT(const PanelReads<T>& reads) {
  if (reads.readout.adc.bits == 0) {
    ReadMatrices<Output::kCurrent>(reads);
  } else if (reads.readout.whole_levels) {
    ReadMatrices<Output::kWholeLevels>(reads);
  } else {
    ReadMatrices<Output::kCode>(reads);
  }
}

HWY_INLINE hn::Vec<hn::ScalableTag<float>> ToFloating(hn::ScalableTag<float> d,
                                                      hn::Vec<hn::ScalableTag<int32_t>> digits) {
  return hn::ConvertTo(d, digits);
}

HWY_INLINE hn::Vec<hn::ScalableTag<double>> ToFloating(hn::ScalableTag<double> d,
                                                       hn::Vec<hn::Rebind<int32_t, hn::ScalableTag<double>>> digits) {
  return hn::PromoteTo(d, digits);
}

// One stream of one vector: digits[i] = (max(sign * codes[i], 0) >> shift) & (2^bits - 1). Returns their sum.
template <typename T>
HWY_INLINE int64_t CutRow(const int32_t* HWY_RESTRICT codes, size_t rows, bool negative, int shift, int32_t mask_value,
                          T* HWY_RESTRICT digits) {
  const hn::ScalableTag<T> d;
  const hn::Rebind<int32_t, decltype(d)> di;
  const auto mask = hn::Set(di, mask_value);
  const auto zero = hn::Zero(di);
  auto sum = zero;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= rows; i += hn::Lanes(d)) {
    const auto code = hn::LoadU(di, codes + i);
    const auto magnitude = hn::Max(negative ? hn::Sub(zero, code) : code, zero);
    const auto digit = hn::And(hn::ShiftRightSame(magnitude, shift), mask);
    sum = hn::Add(sum, digit);
    hn::StoreU(ToFloating(d, digit), d, digits + i);
  }
  int64_t total = hn::GetLane(hn::SumOfLanes(di, sum));
  for (; i < rows; ++i) {
    const int32_t signed_code = negative ? -codes[i] : codes[i];
    const int32_t digit = signed_code > 0 ? (signed_code >> shift) & mask_value : 0;
    total += digit;
    digits[i] = static_cast<T>(digit);
  }
  return total;
}

template <typename T>
HWY_INLINE void CutDigitsT(const DigitCut<T>& cut) {
  const size_t rows = static_cast<size_t>(cut.rows);
  const size_t vectors = static_cast<size_t>(cut.vectors);
  for (size_t v = 0; v < vectors; ++v) {
    for (int pass = 0; pass < cut.passes; ++pass) {
      for (int stream = 0; stream < cut.streams; ++stream) {
        const size_t at = static_cast<size_t>(pass * cut.streams + stream) * vectors + v;
        cut.digit_sums[at] = static_cast<double>(
            CutRow(cut.codes + static_cast<int64_t>(v) * cut.code_stride, rows, pass == 1, stream * cut.dac_bits,
                   static_cast<int32_t>((1 << cut.dac_bits) - 1), cut.digits + at * rows));
      }
    }
  }
}

void ConvertCurrentsT(const Readout& readout, const double* currents, size_t cols, double share, double weight,
                      double* sums, ConversionCounts* counts, size_t used) {
  if (readout.adc.bits == 0) {
    Convert<Output::kCurrent>(currents, cols, readout.adc, share, weight, sums, counts, used);
  } else if (readout.whole_levels) {
    Convert<Output::kWholeLevels>(currents, cols, readout.adc, share, weight, sums, counts, used);
  } else {
    Convert<Output::kCode>(currents, cols, readout.adc, share, weight, sums, counts, used);
  }
}

void ReadPanelFloat(const PanelReads<float>& reads) { ReadPanelT(reads); }
void ReadPanelDouble(const PanelReads<double>& reads) { ReadPanelT(reads); }
void CutDigitsFloat(const DigitCut<float>& cut) { CutDigitsT(cut); }
void CutDigitsDouble(const DigitCut<double>& cut) { CutDigitsT(cut); }

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(ReadPanelFloat);
HWY_EXPORT(ReadPanelDouble);
HWY_EXPORT(ConvertCurrentsT);
HWY_EXPORT(CutDigitsFloat);
HWY_EXPORT(CutDigitsDouble);

void ReadPanelCpu(const PanelReads<float>& reads) { HWY_DYNAMIC_DISPATCH(ReadPanelFloat)(reads); }
void ReadPanelCpu(const PanelReads<double>& reads) { HWY_DYNAMIC_DISPATCH(ReadPanelDouble)(reads); }
void ConvertCurrentsCpu(const Readout& readout, const double* currents, int cols, double share, double weight,
                        double* sums, ConversionCounts* counts, int used_cols) {
  HWY_DYNAMIC_DISPATCH(ConvertCurrentsT)
  (readout, currents, static_cast<size_t>(cols), share, weight, sums, counts, static_cast<size_t>(used_cols));
}
void CutDigitsCpu(const DigitCut<float>& cut) { HWY_DYNAMIC_DISPATCH(CutDigitsFloat)(cut); }
void CutDigitsCpu(const DigitCut<double>& cut) { HWY_DYNAMIC_DISPATCH(CutDigitsDouble)(cut); }

}  // namespace rxnn
#endif
