#include <algorithm>
#include <cstdint>
#include <vector>

#include "crossbar/block_reader.hpp"
#include "crossbar/code_block_reader.hpp"
#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

template <typename T>
void MultiplyAs(const CrossbarState& state, const Batch& batch, double* sums) {
  const Readout readout = state.MakeReadout();
  const std::vector<Block> blocks = CutBlocks(state, batch);
  ParallelWork(static_cast<std::int64_t>(blocks.size()), [&] {
    return [&, reader = BlockReader<T>(state, batch, readout)](std::int64_t i) mutable {
      reader.Multiply(blocks[i], sums);
    };
  });
}

template <typename Code>
void MultiplyCodes(const CrossbarState& state, const Batch& batch, double* sums) {
  const std::vector<Block> blocks = CutCodeBlocks(state, batch);
  ParallelWork(static_cast<std::int64_t>(blocks.size()), [&] {
    return
        [&, reader = CodeBlockReader<Code>(state, batch)](std::int64_t i) mutable { reader.Multiply(blocks[i], sums); };
  });
}

template <typename T>
CurrentRange ObserveAs(const CrossbarState& state, const Batch& batch) {
  const std::vector<Block> blocks = CutBlocks(state, batch);
  std::vector<CurrentRange> ranges(blocks.size());
  ParallelWork(static_cast<std::int64_t>(blocks.size()), [&] {
    return [&, reader = BlockReader<T>(state, batch, Readout())](std::int64_t i) mutable {
      ranges[i] = reader.Observe(blocks[i]);
    };
  });
  CurrentRange range = ranges.front();
  for (const CurrentRange& other : ranges) {
    range.min = std::min(range.min, other.min);
    range.max = std::max(range.max, other.max);
  }
  return range;
}

}  // namespace

void CrossbarMatrix::Multiply(int group, const std::int32_t* codes, int count, bool has_negative,
                              std::uint64_t first_read, double* sums) const {
  const Batch batch{group, codes, count, has_negative, first_read};
  state_->Check(batch);
  if (state_->code_readout) {
    if (state_->hardware.input_bits <= 8) {
      MultiplyCodes<std::uint8_t>(*state_, batch, sums);
    } else {
      MultiplyCodes<std::uint16_t>(*state_, batch, sums);
    }
  } else if (state_->scheme.wide) {
    MultiplyAs<double>(*state_, batch, sums);
  } else {
    MultiplyAs<float>(*state_, batch, sums);
  }
}

CurrentRange CrossbarMatrix::ObserveCurrents(int group, const std::int32_t* codes, int count, bool has_negative) const {
  const Hardware& hardware = state_->hardware;
  if (hardware.adc_bits == 0 || hardware.adc_range != AdcRange::kCalibrated || count == 0) return {};
  const Batch batch{group, codes, count, has_negative, 0};
  state_->Check(batch);
  return state_->scheme.wide ? ObserveAs<double>(*state_, batch) : ObserveAs<float>(*state_, batch);
}

}  // namespace rxnn
