#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <numeric>
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

void ReadBatch(const CrossbarState& state, const Batch& batch, const SumSink& take) {
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

// The sum of a vector's codes on some rows.
std::int64_t SumCodes(const InputVectors& vectors, int bytes, InputVectors::Piece piece,
                      std::vector<std::uint8_t>* buffer) {
  std::int64_t sum = 0;
  for (piece.pass = 0; piece.pass < (vectors.scale(piece.first_vector).has_negative ? 2 : 1); ++piece.pass) {
    for (piece.byte = 0; piece.byte < bytes; ++piece.byte) {
      const std::uint8_t* codes = vectors.Load(piece, buffer).data;
      const std::int64_t part = std::accumulate(codes, codes + piece.rows, std::int64_t{0}) << (8 * piece.byte);
      sum += piece.pass == 0 ? part : -part;
    }
  }
  return sum;
}

// Hands on what readers make of packs of several groups: without the columns that a pack lacks; and for OFFSET, where
// readers take all rows of a pack for those of a column's group and subtract too much, with the other groups' share.
class PackSums {
 public:
  PackSums(const CrossbarState& state, const InputVectors& vectors, const SumSink& take)
      : state_(state), vectors_(vectors), take_(take) {}

  void operator()(SumBlock block) const {
    const GroupPacks& packs = state_.packs;
    block.outputs = std::min(block.outputs, packs.groups_in(block.pack) * packs.outputs - block.first_output);
    if (block.outputs <= 0) return;
    std::vector<double> sums;
    if (state_.hardware.signed_weights == SignedWeights::kOffset) AddOtherGroups(&block, &sums);
    take_(block);
  }

 private:
  void AddOtherGroups(SumBlock* block, std::vector<double>* sums) const {
    const GroupPacks& packs = state_.packs;
    const int bytes = state_.hardware.input_bits > 8 ? 2 : 1;
    std::vector<std::uint8_t> buffer;
    for (int v = 0; v < block->vectors; ++v) {
      std::vector<std::int64_t> of_groups;
      for (int g = 0; g < packs.groups_in(block->pack); ++g) {
        const InputVectors::Piece piece{block->pack, block->first_vector + v, 1, g * packs.inputs, packs.inputs, 0, 0};
        of_groups.push_back(SumCodes(vectors_, bytes, piece, &buffer));
      }
      const std::int64_t all = std::accumulate(of_groups.begin(), of_groups.end(), std::int64_t{0});
      for (int n = 0; n < block->outputs; ++n) {
        const std::int64_t others = all - of_groups[(block->first_output + n) / packs.outputs];
        sums->push_back(block->sums[v * block->stride + n] +
                        std::ldexp(static_cast<double>(others), state_.hardware.weight_bits - 1));
      }
    }
    block->sums = sums->data();
    block->stride = block->outputs;
  }

  const CrossbarState& state_;
  const InputVectors& vectors_;
  const SumSink& take_;
};

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

void MultiplyBatch(const CrossbarState& state, const Batch& batch, const SumSink& take) {
  if (state.packs.shared()) {
    ReadBatch(state, batch, PackSums(state, batch.vectors, take));
  } else {
    ReadBatch(state, batch, take);
  }
}

CurrentHistogram ObserveBatch(const CrossbarState& state, const Batch& batch) {
  if (state.hardware.adc_bits == 0 || state.hardware.adc_range != AdcRange::kCalibrated) return {};
  if (batch.vectors.count() == 0) return {};
  return state.scheme.wide ? ObserveAs<double>(state, batch) : ObserveAs<float>(state, batch);
}

}  // namespace

void CrossbarMatrix::Multiply(const InputVectors& vectors, std::uint64_t first_read, const SumSink& take) const {
  state_->CheckProgrammed();
  MultiplyBatch(*state_, {vectors, 0, packs().count, first_read}, take);
}

void CrossbarMatrix::Multiply(int pack, const std::int32_t* codes, int count, bool has_negative,
                              std::uint64_t first_read, double* sums) const {
  state_->CheckProgrammed();
  state_->CheckCodes(pack, codes, count, has_negative);
  const CodedVectors vectors(state_->hardware, codes, count, packs().pack_inputs(), has_negative);
  const std::int64_t stride = packs().pack_outputs();
  if (packs().shared()) std::fill_n(sums, count * stride, 0.0);
  MultiplyBatch(*state_, {vectors, pack, 1, first_read}, [&](const SumBlock& block) {
    for (std::int64_t v = 0; v < block.vectors; ++v) {
      std::copy_n(block.sums + v * block.stride, block.outputs,
                  sums + (block.first_vector + v) * stride + block.first_output);
    }
  });
}

CurrentHistogram CrossbarMatrix::ObserveCurrents(const InputVectors& vectors) const {
  state_->CheckProgrammed();
  return ObserveBatch(*state_, {vectors, 0, packs().count, 0});
}

CurrentHistogram CrossbarMatrix::ObserveCurrents(int pack, const std::int32_t* codes, int count,
                                                 bool has_negative) const {
  state_->CheckProgrammed();
  state_->CheckCodes(pack, codes, count, has_negative);
  const CodedVectors vectors(state_->hardware, codes, count, packs().pack_inputs(), has_negative);
  return ObserveBatch(*state_, {vectors, pack, 1, 0});
}

}  // namespace rxnn
