#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

#include "crossbar/block_reader.hpp"
#include "crossbar/code_block_reader.hpp"
#include "crossbar/folded_reader.hpp"
#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

// Reads all blocks, each thread with a Reader of its own.
template <typename Reader, typename... Arguments>
void MultiplyWith(const CrossbarState& state, const Batch& batch, const SumSink& take, const Arguments&... arguments) {
  const std::vector<Block> blocks =
      CutBlocks(batch, static_cast<int>(Reader::Panels(state).size()), Reader::Limits(state));
  ParallelWork(static_cast<std::int64_t>(blocks.size()), [&] {
    return
        [&, reader = Reader(state, batch, arguments...)](std::int64_t i) mutable { reader.Multiply(blocks[i], take); };
  });
}

void MultiplyBatch(const CrossbarState& state, const Batch& batch, const SumSink& take) {
  if (state.scheme.folded && !state.scheme.wide) {
    MultiplyWith<FoldedReader>(state, batch, take);
  } else if (state.code_readout) {
    MultiplyWith<CodeBlockReader>(state, batch, take);
  } else if (state.scheme.wide) {
    MultiplyWith<BlockReader<double>>(state, batch, take, state.MakeReadout());
  } else {
    MultiplyWith<BlockReader<float>>(state, batch, take, state.MakeReadout());
  }
}

template <typename T>
CurrentHistogram ObserveAs(const CrossbarState& state, const Batch& batch) {
  const std::vector<Block> blocks =
      CutBlocks(batch, static_cast<int>(state.panels.size()), BlockReader<T>::Limits(state));
  CurrentHistogram all;
  std::mutex mutex;
  ParallelWork(static_cast<std::int64_t>(blocks.size()), [&] {
    return [&, reader = BlockReader<T>(state, batch, Readout())](std::int64_t i) mutable {
      const CurrentHistogram seen = reader.Observe(blocks[i]);
      const std::lock_guard<std::mutex> lock(mutex);
      all.Add(seen);
    };
  });
  return all;
}

CurrentHistogram ObserveBatch(const CrossbarState& state, const Batch& batch) {
  if (state.hardware.adc_bits == 0 || state.hardware.adc_range != AdcRange::kCalibrated) return {};
  if (batch.vectors.count() == 0) return {};
  return state.scheme.wide ? ObserveAs<double>(state, batch) : ObserveAs<float>(state, batch);
}

}  // namespace

void CrossbarMatrix::Multiply(const InputVectors& vectors, std::uint64_t first_read, const SumSink& take) const {
  state_->CheckProgrammed();
  MultiplyBatch(*state_, {vectors, 0, state_->groups, first_read}, take);
}

void CrossbarMatrix::Multiply(int group, const std::int32_t* codes, int count, bool has_negative,
                              std::uint64_t first_read, double* sums) const {
  state_->CheckProgrammed();
  state_->CheckCodes(group, codes, count, has_negative);
  const CodedVectors vectors(state_->hardware, codes, count, inputs(), has_negative);
  const std::int64_t stride = outputs();
  MultiplyBatch(*state_, {vectors, group, 1, first_read}, [&](const SumBlock& block) {
    for (std::int64_t v = 0; v < block.vectors; ++v) {
      std::copy_n(block.sums + v * block.stride, block.outputs,
                  sums + (block.first_vector + v) * stride + block.first_output);
    }
  });
}

CurrentHistogram CrossbarMatrix::ObserveCurrents(const InputVectors& vectors) const {
  state_->CheckProgrammed();
  return ObserveBatch(*state_, {vectors, 0, state_->groups, 0});
}

CurrentHistogram CrossbarMatrix::ObserveCurrents(int group, const std::int32_t* codes, int count,
                                                 bool has_negative) const {
  state_->CheckProgrammed();
  state_->CheckCodes(group, codes, count, has_negative);
  const CodedVectors vectors(state_->hardware, codes, count, inputs(), has_negative);
  return ObserveBatch(*state_, {vectors, group, 1, 0});
}

}  // namespace rxnn
