// The kernels of src/vmm on one panel of one array, against sgemm on the same M, N, K: every stream of every vector is
// one row of a product. What is prepared for a panel (tables) counts; the digits of the vectors, which all panels
// share, do not.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "benchmarks/against_sgemm.hpp"
#include "hwy/aligned_allocator.h"
#include "hwy/targets.h"
#include "vmm/code_reads.hpp"
#include "vmm/folded.hpp"

namespace rxnn {
namespace {

constexpr int kVectors = 264;

// One panel and the digits of some vectors, at random.
struct Panel {
  int rows, cols, streams, dac_bits;
  std::vector<std::uint8_t> codes;
  std::vector<std::int32_t> digit_sums;
  std::vector<CodeReadout::Shares> shares;
  hwy::AlignedFreeUniquePtr<float[]> levels;
  std::vector<std::int32_t> sums;
  CodeReads reads;

  // An 8-bit converter over the largest current, or over `span` of it both ways.
  Panel(int rows, int cols, int streams, int dac_bits, double span)
      : rows(rows), cols(cols), streams(streams), dac_bits(dac_bits), sums(kVectors * cols) {
    std::mt19937 engine(1);
    std::uniform_int_distribution<int> code(0, (1 << (streams * dac_bits)) - 1);
    for (int i = 0; i < kVectors * rows + kChunkRows; ++i) codes.push_back(static_cast<std::uint8_t>(code(engine)));
    std::uniform_real_distribution<float> level(span > 0 ? -3.0f : 0.0f, 3.0f);
    levels = hwy::AllocateAligned<float>(rows * cols);
    for (int i = 0; i < rows * cols; ++i) levels[i] = level(engine);
    const double most = rows * ((1 << dac_bits) - 1) * (3 + 1.0 / 3);
    Readout readout;
    readout.adc = Adc(8, -span * most, span > 0 ? span * most : most);
    readout.whole_levels = readout.adc.lsb <= 1;
    reads.readout = CodeReadout::Make(readout, {span > 0 ? -most : 0, most}, rows / 3.0).value();
    reads.rows = rows;
    reads.cols = cols;
    reads.vectors = kVectors;
    reads.streams = streams;
    reads.dac_bits = dac_bits;
    reads.levels = levels.get();
    reads.level_stride = cols;
    reads.sums = sums.data();
    digit_sums.resize(kVectors * streams);
  }

  CodeCut Cut() const { return {codes.data(), nullptr, rows, rows, kVectors, streams, dac_bits}; }
  void MakeShares(const std::vector<std::int32_t>& of_sums) {
    for (const std::int32_t sum : of_sums) shares.push_back(reads.readout.SharesOf(sum / 3.0));
  }
};

// One-bit digits, read from tables.
void ReadTables(benchmark::State& bench, double goal) {
  Panel panel(static_cast<int>(bench.range(0)), static_cast<int>(bench.range(1)), 8, 1, 0);
  panel.reads.level_share = 1.0f / 3;
  const int chunks = (panel.rows + kChunkRows - 1) / kChunkRows;
  const int count = kVectors * panel.streams;
  std::vector<std::uint64_t> words(count * chunks);
  CutBits(panel.Cut(), words.data(), panel.digit_sums.data());
  std::vector<std::int32_t> order(kVectors), first(panel.streams + 2);
  OrderVectors(panel.digit_sums.data(), kVectors, panel.streams, true, order.data(), first.data());
  std::vector<std::uint16_t> offsets(static_cast<std::size_t>(count) * chunks * kChunkOffsets);
  TableOffsets(words.data(), order.data(), kVectors, panel.streams, chunks, offsets.data());
  panel.MakeShares(panel.digit_sums);
  const auto scratch = hwy::AllocateAligned<float>(kTableFloats + count * kTableCols);
  RunAgainstSgemm(bench, count, panel.cols, panel.rows, 1, goal, [&] {
    ReadTables(panel.reads, {offsets.data(), panel.shares.data(), order.data(), first.data()}, scratch.get());
  });
}

void BM_Tables(benchmark::State& bench) { ReadTables(bench, bench.range(0) == 64 && bench.range(1) == 64 ? 3.0 : 0); }

// Digits of any width, multiplied.
void BM_Products(benchmark::State& bench) {
  const int dac_bits = static_cast<int>(bench.range(2));
  Panel panel(static_cast<int>(bench.range(0)), static_cast<int>(bench.range(1)), 8 / dac_bits, dac_bits, 0.2);
  const std::int64_t row_stride = (panel.rows + kDigitPad - 1) / kDigitPad * kDigitPad;
  std::vector<float> digits(panel.digit_sums.size() * row_stride);
  CutDigits(panel.Cut(), row_stride, digits.data(), panel.digit_sums.data());
  panel.MakeShares(std::vector<std::int32_t>(panel.digit_sums.size(), 0));
  RunAgainstSgemm(bench, kVectors * panel.streams, panel.cols, panel.rows, 1, 0.8, [&] {
    ReadCodes(panel.reads, {digits.data(), row_stride, panel.shares.data()});
  });
}

// Ideal converters.
void BM_Folded(benchmark::State& bench) {
  Panel panel(static_cast<int>(bench.range(0)), static_cast<int>(bench.range(1)), 1, 8, 0);
  std::vector<float> codes(panel.codes.begin(), panel.codes.end());
  std::vector<double> sums(kVectors * panel.cols);
  FoldedReads reads;
  reads.rows = panel.rows;
  reads.cols = panel.cols;
  reads.vectors = kVectors;
  reads.codes = codes.data();
  reads.row_stride = panel.rows;
  reads.levels = panel.levels.get();
  reads.add = true;
  reads.sums = sums.data();
  RunAgainstSgemm(bench, kVectors, panel.cols, panel.rows, 1, 0.9, [&] { ReadFolded(reads); });
}

// BM_Tables on each instruction set that this machine has.
void BM_Target(benchmark::State& bench) {
  const std::int64_t target = std::int64_t{1} << bench.range(2);
  bench.SetLabel(hwy::TargetName(target));
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  ReadTables(bench, 0);
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

void Common(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMicrosecond)->UseManualTime()->Iterations(200);
}

BENCHMARK(BM_Tables)
    ->Apply(Common)
    ->ArgNames({"rows", "cols"})
    ->Args({64, 64})
    ->Args({64, 16})
    ->Args({128, 64})
    ->Args({256, 64})
    ->Args({16, 64});
BENCHMARK(BM_Products)
    ->Apply(Common)
    ->ArgNames({"rows", "cols", "dac_bits"})
    ->Args({64, 64, 8})
    ->Args({64, 64, 4})
    ->Args({64, 64, 2})
    ->Args({128, 64, 8})
    ->Args({64, 16, 8});
BENCHMARK(BM_Folded)->Apply(Common)->ArgNames({"rows", "cols"})->Args({64, 64})->Args({128, 64})->Args({128, 16});
BENCHMARK(BM_Target)
    ->Apply(Common)
    ->ArgNames({"rows", "cols", "target"})
    ->Apply([](benchmark::internal::Benchmark* bench) {
      for (int bit = 0; bit < 62; ++bit) {
        if ((hwy::SupportedTargets() & HWY_TARGETS) >> bit & 1) bench->Args({64, 64, bit});
      }
    });

}  // namespace
}  // namespace rxnn
