// What a CrossbarMatrix is made of, shared by the files that program, pack, read and check it.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crossbar/level_store.hpp"
#include "crossbar/panels.hpp"
#include "periphery/dac_bank.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/device.hpp"
#include "rxnn/random.hpp"
#include "vmm/byte_reads.hpp"
#include "vmm/code_readout.hpp"
#include "vmm/vmm.hpp"

namespace rxnn {

// How the hardware is read; follows from the hardware alone.
struct ReadScheme {
  // Reads have noise, or converters flaws: currents are looked at one by one.
  bool flawed = false;
  // Ideal converters and no flaws: all is linear, and slices, streams and signs fold into one matrix.
  bool folded = false;
  // The twin arrays of a slice are subtracted as currents, before one converter.
  bool analog = false;
  // float32 could not hold every integer current, or would blur the steps of the converter.
  bool wide = false;
  int slices = 0;
  int polarities = 0;
  int streams = 0;

  explicit ReadScheme(const Hardware& hardware);
  // Matrices that the kernels multiply with, per tile.
  int matrices() const { return folded ? 1 : analog ? slices : slices * polarities; }
  int slice(int matrix) const { return analog ? matrix : matrix / polarities; }
  int polarity(int matrix) const { return analog ? 0 : matrix % polarities; }
};

// What the levels that the kernels multiply with can do, over all matrices: [level - level] of twins where they are
// subtracted as currents.
struct LevelBounds {
  bool whole = false;  // all are whole numbers
  double lowest = 0;   // level
  double highest = 0;
  CurrentRange currents;  // of a column under the largest and smallest digits, share of g_off included
};

// |G_eq - G| / G of the cells in use of one array.
struct RelativeChange {
  double sum = 0;
  double worst = 0;
};

// Conversions of all products so far, counted from many threads.
class SharedCounts {
 public:
  void Add(const ConversionCounts& counts) {
    conversions_ += counts.conversions;
    low_ += counts.low;
    high_ += counts.high;
  }
  ConversionCounts Get() const { return {conversions_, low_, high_}; }
  void Reset() { conversions_ = low_ = high_ = 0; }

 private:
  std::atomic<std::int64_t> conversions_{0}, low_{0}, high_{0};
};

// Times of all products while they are taken, added up from many threads.
class SharedTimes {
 public:
  bool on() const { return on_; }
  void Switch(bool on) { on_ = on; }
  void Add(std::chrono::nanoseconds inputs, std::chrono::nanoseconds reads) {
    inputs_ += inputs.count();
    reads_ += reads.count();
  }
  ReadTimes Get() const { return {1e-9 * static_cast<double>(inputs_), 1e-9 * static_cast<double>(reads_)}; }

 private:
  std::atomic<bool> on_{false};
  std::atomic<std::int64_t> inputs_{0}, reads_{0};  // nanoseconds
};

// Times one thread's work on a block, from its making on: Inputs or Reads follows every piece of it. Does nothing while
// no times are taken.
class BlockTimer {
 public:
  explicit BlockTimer(SharedTimes* times) : times_(times->on() ? times : nullptr) { Lap(); }
  ~BlockTimer() {
    if (times_ != nullptr) times_->Add(inputs_ / omp_get_num_threads(), reads_ / omp_get_num_threads());
  }
  BlockTimer(const BlockTimer&) = delete;
  BlockTimer& operator=(const BlockTimer&) = delete;
  // What was done since the last call was of this kind.
  void Inputs() { inputs_ += Lap(); }
  void Reads() { reads_ += Lap(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::nanoseconds Lap() {
    if (times_ == nullptr) return {};
    const Clock::time_point now = Clock::now();
    const std::chrono::nanoseconds passed = now - last_;
    last_ = now;
    return passed;
  }

  SharedTimes* const times_;
  Clock::time_point last_;
  std::chrono::nanoseconds inputs_{0}, reads_{0};
};

// Matrices of one grid as products of bytes take them, in the order of PanelStore.
struct PanelBytes {
  PanelBytes() = default;
  // `matrices` of a grid, not written yet.
  PanelBytes(const LevelBytes& cut, const TileGrid& grid, const std::vector<Panel>& panels, int matrices);

  LevelBytes cut;
  std::size_t chunk_bytes = 0;  // of all panels of a full chunk of rows
  std::size_t matrix_bytes = 0;
  AlignedRoom<std::int8_t> bytes;

  bool empty() const { return bytes.data() == nullptr; }
  std::int8_t* panel(int matrix, int chunk, int used_rows, const Panel& panel) const {
    return bytes.data() + matrix * matrix_bytes + chunk * chunk_bytes +
           cut.panel_bytes(used_rows, static_cast<int>(panel.stored_before));
  }
};

struct CrossbarState {
  CrossbarState(const Hardware& hardware, std::string name, int groups, int inputs, int outputs);

  const Hardware hardware;
  const std::string name;
  const GroupPacks packs;
  const TileGrid grid;  // of one pack's matrix
  const std::vector<Panel> panels;
  const ReadScheme scheme;
  const ChipRandom random;
  const FaultMap faults;
  const DacBank dacs;
  const double off_level;  // g_off / g_step: what a cell at level 0 adds to a current

  LevelStore levels;
  std::vector<float> scales;  // of every group's outputs; empty until programmed
  // Of every array, when Program made the levels: what its digits were, and what became of its conductances.
  std::vector<std::uint64_t> digit_hashes;
  std::vector<RelativeChange> changes;
  // Ideal converters, unless scheme.wide: what slices and signs fold into, in chunks of rows and panels of its own.
  const TileGrid folded_grid;
  const std::vector<Panel> folded_panels;
  PanelStore<float> folded;
  // The same as bytes, in place of `folded`, where they can be multiplied.
  PanelBytes folded_bytes;
  LevelBounds bounds;  // where the hardware has converters
  std::optional<CurrentRange> calibrated;
  // The converters where their results can be summed as whole numbers: set once levels and range are there. Empty where
  // reads go one by one in double.
  std::optional<CodeReadout> code_readout;
  std::vector<CodeReadout::Shares> code_shares;  // for every sum of digits; one for all where it has no share
  std::optional<LevelBytes> level_bytes;         // levels and g_off as bytes; empty where they do not fit
  // Differences of twins that are subtracted as currents, which would be made at every read: of every pack's matrices
  // as bytes, where bytes are read, else as floats.
  PanelBytes twin_bytes;
  PanelStore<float> twins;
  mutable SharedCounts counts;
  mutable SharedTimes times;

  // Where the last pack has fewer groups than the others, it uses less of an array.
  int used_rows(int pack, int row_tile) const {
    return std::min(grid.rows, packs.groups_in(pack) * packs.inputs - grid.first_row(row_tile));
  }
  int used_cols(int pack, int col_tile) const {
    return std::min(grid.cols, packs.groups_in(pack) * packs.outputs - grid.first_col(col_tile));
  }
  // A panel with the columns that a pack uses; may have none.
  Panel PanelOf(int pack, int panel) const {
    Panel used = panels[panel];
    used.cols = std::clamp(packs.groups_in(pack) * packs.outputs - used.first_col, 0, used.cols);
    return used;
  }

  // The array's number within the layer; names its draws.
  std::uint32_t ArrayId(int pack, int row_tile, int col_tile, int slice, int polarity) const;
  std::int64_t num_tiles() const;
  std::int64_t num_arrays() const;

  // The normal deviates of `count` columns from `column` on (places in the array) in one read of one array. `vector`
  // numbers the input vectors since the chip was made, `read` is pass * streams + stream.
  void ReadNoise(std::uint32_t array, std::uint64_t vector, int read, int column, int count, double* normals) const;
  // The number that names one of these draws.
  std::uint64_t ReadNoiseIndex(std::uint64_t vector, int read, int column) const;
  // Reads that an input vector may take: both signs, needed or not.
  int most_reads() const { return 2 * scheme.streams; }

  // Once the levels are there: folds them, or finds bounds and plans the reads.
  void Pack();
  // Sets bounds.
  void FindBounds();
  // Sets code_readout, code_shares, level_bytes, and twin_bytes or twins.
  void PlanReads();
  // What one level of g_off adds to a current per digit: off_level, or 0 where twins are subtracted as currents.
  double share_per_digit() const { return scheme.analog ? 0 : off_level; }

  // Converter and rounding of every column. Throws std::logic_error where the range is still to be calibrated.
  Readout MakeReadout() const;

  LevelStore::Shape level_shape() const {
    return {packs.count, scheme.polarities, scheme.slices, grid.inputs, grid.outputs};
  }

  // Throws std::logic_error unless programmed.
  void CheckProgrammed() const;
  // Throws for a pack that is not there, a negative count, or a code that is not allowed.
  void CheckCodes(int pack, const std::int32_t* codes, int count, bool has_negative) const;
};

}  // namespace rxnn
