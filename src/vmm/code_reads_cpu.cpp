// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here, as in vmm_cpu.cpp.
#include "vmm/code_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/code_reads_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/blocked_product-inl.hpp"
#include "vmm/code_convert-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
// Rows of digits whose currents are kept between multiplication and converters.
constexpr size_t kKeptRows = 48;

template <Form kForm>
HWY_INLINE void ReadCodesAs(const CodeReads& reads, const CodeDigits& digits) {
  const I di;
  const size_t streams = static_cast<size_t>(reads.streams);
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t rows = static_cast<size_t>(reads.rows);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const size_t row_stride = static_cast<size_t>(digits.row_stride);
  const size_t together = kKeptRows / streams;
  const Constants constants(reads.readout);
  const bool clamps = reads.readout.clamps;
  // Copies: what is written below could be any of these numbers, for all the compiler knows.
  const int dac_bits = reads.dac_bits;
  const int shift = reads.shift;
  const bool negative = reads.negative;
  int32_t* HWY_RESTRICT sums = reads.sums;
  const VI zeros =
      hn::Set(di, static_cast<int32_t>(SummedZeros(ZeroBits<kForm>(reads.readout), streams, reads.dac_bits)));
  HWY_ALIGN float currents[kKeptRows * kPanelCols];
  for (size_t first = 0; first < vectors; first += together) {
    const size_t count = HWY_MIN(together, vectors - first);
    Currents(digits.digits + first * streams * row_stride, row_stride, reads.levels, rows, cols, count * streams,
             currents);
    for (size_t j = 0; j < cols; j += kLanes) {
      SaturatedLanes saturated;
      for (size_t v = 0; v < count; ++v) {
        const CodeReadout::Shares* shares = digits.shares + (first + v) * streams;
        const float* at = currents + v * streams * kPanelCols + j;
        VI total = hn::Zero(di);
        for (size_t s = streams; s-- > 0;) {
          const VI n =
              Convert<kForm, false>(hn::Load(F(), at + s * kPanelCols), shares[s], constants, clamps, saturated);
          total = hn::Add(hn::ShiftLeftSame(total, dac_bits), n);
        }
        AddTotal(total, zeros, shift, negative, sums + (first + v) * cols + j);
      }
      if (clamps && reads.counts) saturated.AddTo(reads, j);
    }
  }
}

void ReadCodesT(const CodeReads& reads, const CodeDigits& digits) {
  if (reads.streams == 0) return;
  switch (FormOf(reads.readout)) {
    case Form::kCodes:
      return ReadCodesAs<Form::kCodes>(reads, digits);
    case Form::kLevels:
      return ReadCodesAs<Form::kLevels>(reads, digits);
    case Form::kLevelsFused:
      return ReadCodesAs<Form::kLevelsFused>(reads, digits);
  }
}

void CutDigitsT(const CodeCut& cut, size_t row_stride, float* HWY_RESTRICT digits, int32_t* HWY_RESTRICT digit_sums) {
  const F d;
  const I di;
  const hn::Rebind<uint8_t, F> db;
  const size_t rows = static_cast<size_t>(cut.rows);
  const VI mask = hn::Set(di, static_cast<int32_t>((1 << cut.dac_bits) - 1));
  for (size_t v = 0; v < static_cast<size_t>(cut.vectors); ++v) {
    const int64_t at = static_cast<int64_t>(v) * cut.stride;
    for (int s = 0; s < cut.streams; ++s, digits += row_stride) {
      VI sum = hn::Zero(di);
      for (size_t i = 0; i < rows; i += kLanes) {
        VI code = hn::PromoteTo(di, hn::LoadU(db, cut.low + at + i));
        if (cut.high) code = hn::Or(code, hn::ShiftLeft<8>(hn::PromoteTo(di, hn::LoadU(db, cut.high + at + i))));
        const VI digit = hn::And(hn::ShiftRightSame(code, s * cut.dac_bits), mask);
        hn::StoreU(hn::ConvertTo(d, digit), d, digits + i);
        sum = hn::Add(sum, i + kLanes <= rows ? digit : hn::IfThenElseZero(hn::FirstN(di, rows - i), digit));
      }
      *digit_sums++ = hn::GetLane(hn::SumOfLanes(di, sum));
    }
  }
}

void ScaleSumsT(const int32_t* HWY_RESTRICT sums, int64_t cols, double unit, double constant,
                double* HWY_RESTRICT scaled) {
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<int32_t, decltype(d)> di;
  for (int64_t j = 0; j < cols; j += static_cast<int64_t>(hn::MaxLanes(d))) {
    const auto product = hn::Mul(hn::PromoteTo(d, hn::LoadU(di, sums + j)), hn::Set(d, unit));
    hn::StoreU(hn::Sub(product, hn::Set(d, constant)), d, scaled + j);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(ReadCodesT);
HWY_EXPORT(CutDigitsT);
HWY_EXPORT(ScaleSumsT);

void ReadCodesCpu(const CodeReads& reads, const CodeDigits& digits) { HWY_DYNAMIC_DISPATCH(ReadCodesT)(reads, digits); }
void ScaleSumsCpu(const std::int32_t* sums, int cols, double unit, double constant, double* scaled) {
  HWY_DYNAMIC_DISPATCH(ScaleSumsT)(sums, cols, unit, constant, scaled);
}
void CutDigitsCpu(const CodeCut& cut, std::int64_t row_stride, float* digits, std::int32_t* digit_sums) {
  HWY_DYNAMIC_DISPATCH(CutDigitsT)(cut, static_cast<size_t>(row_stride), digits, digit_sums);
}

}  // namespace rxnn
#endif
