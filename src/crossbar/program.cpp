// From weights to levels: quantise, cut into digits, program, extract.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"
#include "rxnn/circuit.hpp"
#include "rxnn/device.hpp"

namespace rxnn {
namespace {

ArrayPlace PlaceOf(const CrossbarState& state, std::int64_t array) {
  ArrayPlace place;
  place.polarity = static_cast<int>(array % state.scheme.polarities);
  array /= state.scheme.polarities;
  place.slice = static_cast<int>(array % state.scheme.slices);
  array /= state.scheme.slices;
  place.col_tile = static_cast<int>(array % state.grid.col_tiles);
  array /= state.grid.col_tiles;
  place.row_tile = static_cast<int>(array % state.grid.row_tiles);
  place.group = static_cast<int>(array / state.grid.row_tiles);
  return place;
}

std::uint32_t IdOf(const CrossbarState& state, const ArrayPlace& place) {
  return state.ArrayId(place.group, place.row_tile, place.col_tile, place.slice, place.polarity);
}

void CheckPlace(const CrossbarState& state, const ArrayPlace& place) {
  const auto check = [&](const char* what, int value, int count) {
    if (value >= 0 && value < count) return;
    std::ostringstream message;
    message << "crossbar matrix " << state.name << ": " << what << " " << value << " is out of range, expected 0 to "
            << count - 1;
    throw std::invalid_argument(message.str());
  };
  check(state.packs.shared() ? "pack" : "group", place.group, state.packs.count);
  check("row tile", place.row_tile, state.grid.row_tiles);
  check("column tile", place.col_tile, state.grid.col_tiles);
  check("slice", place.slice, state.scheme.slices);
  check("polarity", place.polarity, state.scheme.polarities);
}

// Digits of a whole array; cells that hold no weight are at digit 0. `codes`: (groups * outputs) x inputs.
void CutDigits(const CrossbarState& state, const std::int32_t* codes, const ArrayPlace& place,
               std::vector<std::uint16_t>* digits) {
  const TileGrid& grid = state.grid;
  const GroupPacks& packs = state.packs;
  digits->assign(static_cast<std::size_t>(grid.rows) * grid.cols, std::uint16_t{0});
  const int first_row = grid.first_row(place.row_tile);
  const int end_row = first_row + state.used_rows(place.group, place.row_tile);
  for (int j = 0; j < state.used_cols(place.group, place.col_tile); ++j) {
    const int col = grid.first_col(place.col_tile) + j;  // of the pack's matrix
    const std::int64_t output = static_cast<std::int64_t>(place.group) * grid.outputs + col;
    const int group_row = col / packs.outputs * packs.inputs;  // the first of the column's group
    const std::int32_t* column = codes + output * packs.inputs - group_row;
    const int end = std::min(end_row, group_row + packs.inputs);
    for (int row = std::max(first_row, group_row); row < end; ++row) {
      (*digits)[static_cast<std::size_t>(row - first_row) * grid.cols + j] =
          static_cast<std::uint16_t>(WeightDigit(state.hardware, column[row], place.slice, place.polarity));
    }
  }
}

// The devices of one array, as they are programmed.
std::vector<double> ProgramDevices(const CrossbarState& state, const ArrayPlace& place,
                                   const std::vector<std::uint16_t>& digits) {
  const std::uint32_t id = IdOf(state, place);
  std::vector<double> g = ProgramCells(state.hardware, state.random, id, digits);
  state.faults.Apply(id, g.data());
  return g;
}

// Ideal levels are digits; a detour through siemens would only round them.
bool LevelsAreDigits(const Hardware& hardware) { return hardware.ideal_cells() && hardware.wires.ideal(); }

// Programs arrays one by one into state.levels. One per thread: it keeps buffers.
class ArrayProgrammer {
 public:
  ArrayProgrammer(CrossbarState* state, const std::int32_t* codes) : state_(*state), codes_(codes) {}

  // Programs and extracts the array at `place`.
  void Solve(const ArrayPlace& place) {
    Digits(place);
    const Hardware& hardware = state_.hardware;
    if (LevelsAreDigits(hardware)) return;
    g_ = ProgramDevices(state_, place, digits_);
    try {
      MakeLinearCells(hardware, state_.random, state_.used_rows(place.group, place.row_tile), g_.data());
    } catch (const SolveError& error) {
      std::ostringstream message;
      message << "crossbar matrix " << state_.name << ", array " << IdOf(state_, place) << ": " << error.what();
      throw SolveError(message.str());
    }
    if (!hardware.wires.ideal()) {
      EquivalentConductance(g_.data(), hardware.rows, hardware.cols, hardware.wires, g_.data());
    }
  }

  // Stores what Solve found as the levels of `place`, whose array is the same.
  RelativeChange Store(const ArrayPlace& place) {
    const Hardware& hardware = state_.hardware;
    RelativeChange change;
    if (LevelsAreDigits(hardware)) {
      StoreLevels(place, [this](std::size_t cell) { return static_cast<double>(digits_[cell]); });
      return change;
    }
    StoreLevels(place, [&](std::size_t cell) { return (g_[cell] - hardware.g_off()) / hardware.g_step(); });
    const TileGrid& grid = state_.grid;
    for (int i = 0; i < state_.used_rows(place.group, place.row_tile); ++i) {
      for (int j = 0; j < state_.used_cols(place.group, place.col_tile); ++j) {
        if (!state_.packs.holds_weight(grid.first_row(place.row_tile) + i, grid.first_col(place.col_tile) + j))
          continue;
        const std::size_t cell = static_cast<std::size_t>(i) * grid.cols + j;
        const double nominal = NominalConductance(hardware, digits_[cell]);
        const double relative = std::fabs(g_[cell] - nominal) / nominal;
        change.sum += relative;
        change.worst = std::max(change.worst, relative);
      }
    }
    return change;
  }

  // Good until the next call.
  const std::vector<std::uint16_t>& Digits(const ArrayPlace& place) {
    CutDigits(state_, codes_, place, &digits_);
    return digits_;
  }

 private:
  // levels = level(cell) for the rows and columns in use.
  template <typename Level>
  void StoreLevels(const ArrayPlace& place, const Level& level) {
    const TileGrid& grid = state_.grid;
    for (int i = 0; i < state_.used_rows(place.group, place.row_tile); ++i) {
      float* levels =
          state_.levels.own_row(place.group, place.polarity, place.slice, grid.first_row(place.row_tile) + i) +
          grid.first_col(place.col_tile);
      for (int j = 0; j < state_.used_cols(place.group, place.col_tile); ++j) {
        levels[j] = static_cast<float>(level(static_cast<std::size_t>(i) * grid.cols + j));
      }
    }
  }

  CrossbarState& state_;
  const std::int32_t* codes_;
  std::vector<std::uint16_t> digits_;
  std::vector<double> g_;  // siemens, of the array solved last
};

std::uint64_t Hash(const std::vector<std::uint16_t>& digits) {
  std::uint64_t hash = 0;
  for (const std::uint16_t digit : digits) {
    hash = (hash ^ digit) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

std::vector<std::uint64_t> HashArrays(CrossbarState* state, const std::int32_t* codes) {
  std::vector<std::uint64_t> hashes(state->num_arrays());
  ParallelWork(state->num_arrays(), [&] {
    return [&, programmer = ArrayProgrammer(state, codes)](std::int64_t array) mutable {
      hashes[array] = Hash(programmer.Digits(PlaceOf(*state, array)));
    };
  });
  return hashes;
}

// Those whose digits are not the ones that they were programmed with last.
std::vector<std::int64_t> ChangedArrays(const CrossbarState& state, const std::vector<std::uint64_t>& hashes) {
  std::vector<std::int64_t> changed;
  for (std::int64_t array = 0; array < state.num_arrays(); ++array) {
    if (state.digit_hashes.empty() || state.digit_hashes[array] != hashes[array]) changed.push_back(array);
  }
  return changed;
}

// Arrays with the same cells, to be solved once: all-off ones above all, as in the upper slices of small weights.
using Twins = std::vector<std::int64_t>;

std::vector<Twins> FindTwins(CrossbarState* state, const std::int32_t* codes, const std::vector<std::int64_t>& arrays,
                             const std::vector<std::uint64_t>& hashes) {
  std::vector<Twins> groups;
  // Where cells vary no two arrays are the same, and where nothing is to be solved it does not matter.
  if (!state->hardware.cells_are_alike() || LevelsAreDigits(state->hardware)) {
    for (const std::int64_t array : arrays) groups.push_back({array});
    return groups;
  }

  std::unordered_multimap<std::uint64_t, std::size_t> group_of;
  ArrayProgrammer first(state, codes), other(state, codes);
  for (const std::int64_t array : arrays) {
    const auto [begin, end] = group_of.equal_range(hashes[array]);
    const ArrayPlace place = PlaceOf(*state, array);
    const auto switched_alike = [&](const ArrayPlace& twin) {
      const bool rows_matter = state->hardware.cell_type != CellType::kOneR || !state->hardware.linear_cells();
      return !rows_matter ||
             state->used_rows(twin.group, twin.row_tile) == state->used_rows(place.group, place.row_tile);
    };
    const auto same = std::find_if(begin, end, [&](const auto& entry) {
      const ArrayPlace twin = PlaceOf(*state, groups[entry.second].front());
      return switched_alike(twin) && first.Digits(twin) == other.Digits(place);
    });
    if (same != end) {
      groups[same->second].push_back(array);
    } else {
      group_of.emplace(hashes[array], groups.size());
      groups.push_back({array});
    }
  }
  return groups;
}

}  // namespace

ProgramReport CrossbarMatrix::Program(const float* weights, const Progress& progress) {
  CrossbarState& state = *state_;
  const TileGrid& grid = state.grid;
  state.scales.clear();  // a failure leaves the matrix without weights, not with half of them
  const GroupPacks& packs = state.packs;
  WeightCodes codes = QuantizeWeights(state.hardware, weights, packs.groups * packs.outputs, packs.inputs);
  const std::int64_t arrays = state.num_arrays();
  std::vector<std::uint64_t> hashes = HashArrays(&state, codes.codes.data());
  const std::vector<std::int64_t> changed = ChangedArrays(state, hashes);
  const std::vector<Twins> groups = FindTwins(&state, codes.codes.data(), changed, hashes);

  if (state.digit_hashes.empty()) {
    state.levels = LevelStore(state.level_shape());
    if (packs.groups % packs.together != 0) state.levels.Clear();  // the last pack stores zeros where it lacks groups
    state.changes.assign(arrays, RelativeChange());
  }
  state.digit_hashes.clear();
  state.calibrated.reset();
  std::int64_t done = arrays - static_cast<std::int64_t>(changed.size());
  std::mutex progress_mutex;
  ParallelWork(static_cast<std::int64_t>(groups.size()), [&] {
    return [&, programmer = ArrayProgrammer(&state, codes.codes.data())](std::int64_t group) mutable {
      programmer.Solve(PlaceOf(state, groups[group].front()));
      for (const std::int64_t array : groups[group]) {
        state.changes[array] = programmer.Store(PlaceOf(state, array));
        if (progress) {
          const std::lock_guard<std::mutex> lock(progress_mutex);
          progress(++done, arrays);
        }
      }
    };
  });
  state.scales = std::move(codes.scales);
  state.digit_hashes = std::move(hashes);
  state.Pack();

  ProgramReport report;
  report.tiles = state.num_tiles();
  report.arrays = arrays;
  report.programmed_arrays = static_cast<std::int64_t>(changed.size());
  report.distinct_arrays = static_cast<std::int64_t>(groups.size());
  const double cells_used =
      static_cast<double>(packs.groups) * packs.inputs * packs.outputs * state.scheme.slices * state.scheme.polarities;
  report.utilisation = cells_used / (static_cast<double>(arrays) * grid.rows * grid.cols);
  for (const RelativeChange& change : state.changes) {
    report.mean_relative_change += change.sum / cells_used;
    report.worst_relative_change = std::max(report.worst_relative_change, change.worst);
  }
  return report;
}

std::uint32_t CrossbarMatrix::ArrayNumber(const ArrayPlace& place) const {
  CheckPlace(*state_, place);
  return IdOf(*state_, place);
}

std::vector<double> CrossbarMatrix::CellConductances(const float* weights, const ArrayPlace& place) const {
  const CrossbarState& state = *state_;
  CheckPlace(state, place);
  const GroupPacks& packs = state.packs;
  const WeightCodes codes = QuantizeWeights(state.hardware, weights, packs.groups * packs.outputs, packs.inputs);
  std::vector<std::uint16_t> digits;
  CutDigits(state, codes.codes.data(), place, &digits);
  std::vector<double> g = ProgramDevices(state, place, digits);
  if (state.hardware.linear_cells()) {
    AddAccessTransistors(state.hardware, state.used_rows(place.group, place.row_tile), g.data());
  }
  return g;
}

}  // namespace rxnn
