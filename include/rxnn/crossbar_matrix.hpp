// The weights of one layer on their arrays: programmed once, multiplied many times.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rxnn/current_histogram.hpp"
#include "rxnn/hardware.hpp"
#include "rxnn/input_vectors.hpp"
#include "rxnn/mapping.hpp"
#include "rxnn/periphery.hpp"
#include "rxnn/random.hpp"

namespace rxnn {

// What programming did to the conductances.
struct ProgramReport {
  std::int64_t tiles = 0;              // pieces of the weight matrices, or packs of matrices that share arrays
  std::int64_t arrays = 0;             // physical arrays: tiles x slices x polarities
  std::int64_t programmed_arrays = 0;  // those of them whose digits were new
  std::int64_t distinct_arrays = 0;    // those of them that were solved; the others have the same cells as one of these
  double utilisation = 0;              // cells that hold a digit / all cells, 0 to 1
  double mean_relative_change = 0;     // mean of |G_eq - G| / G over these cells, G their nominal conductance
  double worst_relative_change = 0;    // largest of the same
};

// One physical array of a layer.
struct ArrayPlace {
  int group = 0;  // of groups that share arrays: their pack
  int row_tile = 0;
  int col_tile = 0;
  int slice = 0;     // 0 is least significant
  int polarity = 0;  // 0 positive parts or OFFSET, 1 negative parts
};

// Sums of some neighbouring vectors and outputs, as Multiply hands them out: that of vector first_vector + v and output
// first_output + n of the pack is sums[v * stride + n].
struct SumBlock {
  int pack = 0;  // a group, unless groups share arrays
  int first_vector = 0;
  int vectors = 0;
  int first_output = 0;  // output n of pack p is channel p * packs().pack_outputs() + n
  int outputs = 0;
  const double* sums = nullptr;
  std::int64_t stride = 0;
};

// Called for every block of a product, from many threads at once.
using SumSink = std::function<void(const SumBlock&)>;

// Makes the linear cells that stand in an array for the devices `g` (hardware.rows x cols, siemens) of a layer with
// `random`: linear devices behind their access transistors; others at the effective conductance, transistors included,
// that fits them under curve_inputs vectors of random digits on the first `used_rows` rows. Throws SolveError where
// that does not converge.
void MakeLinearCells(const Hardware& hardware, const ChipRandom& random, int used_rows, double* g);

struct CrossbarState;  // src/crossbar/state.hpp
class LevelStore;      // src/crossbar/level_store.hpp

// Called with arrays done and arrays in all, from one thread at a time; may throw to stop.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

// Where the time of Multiply and ObserveCurrents went, seconds, on average over the threads at work.
struct ReadTimes {
  double inputs = 0;  // fetching input codes and cutting them into streams
  double reads = 0;   // products and converters
};

// `groups` independent matrices of `inputs` (K) x `outputs` (N), as the groups of a convolution. One of Program and
// Load comes first; Multiply is const and may then be called from any thread.
//
// Packs. Everything that is read is numbered by packs (GroupPacks): the matrices that arrays hold. Unless groups share
// arrays a pack is a group, and K x N its size.
//
// Levels. The equivalent conductances are held and exchanged in levels above g_off,
//   level = (G_eq - g_off) / g_step   (so G_eq = g_off + level * g_step, siemens),
// float32, as an array [pack][polarity][slice][pack's K][pack's N]. On ideal hardware a level is exactly the digit.
class CrossbarMatrix {
 public:
  // `name` is the layer's: it keys the randomness and stands in messages. Validates the hardware.
  CrossbarMatrix(const Hardware& hardware, std::string name, int groups, int inputs, int outputs);
  ~CrossbarMatrix();
  CrossbarMatrix(const CrossbarMatrix&) = delete;
  CrossbarMatrix& operator=(const CrossbarMatrix&) = delete;

  // Maps, programs and extracts. `weights`: (groups * outputs) x inputs, row-major (Caffe's layout). Called again with
  // other weights, it programs and extracts the arrays whose digits changed, and the result is that of a new matrix.
  // Where it throws (a weight that is not finite, `progress`), nothing is programmed.
  ProgramReport Program(const float* weights, const Progress& progress = {});

  const GroupPacks& packs() const;
  std::int64_t num_tiles() const;  // of all packs
  std::int64_t num_arrays() const;

  // Takes what another CrossbarMatrix of the same hardware and shape gave: num_levels() levels, groups * outputs
  // scales.
  void Load(const float* levels, const float* scales);
  // The same without a copy of the levels: they must stay where and as they are until the next call of Program, Load or
  // Borrow, or the matrix's end.
  void Borrow(const float* levels, const float* scales);

  // The number by which random draws and faults name an array: (((group * row_tiles + row_tile) * col_tiles + col_tile)
  // * slices + slice) * polarities + polarity. Throws std::invalid_argument for a place that is not there.
  std::uint32_t ArrayNumber(const ArrayPlace& place) const;

  // The conductances that Program gives the cells of one array, access transistors included, wires left out (cells that
  // are not linear: those of the devices at v_read_volt, transistors left out too):
  // hardware().rows x cols (row-major), siemens, cells that the tile does not use included. Changes nothing. Throws
  // std::invalid_argument for a place that is not there.
  std::vector<double> CellConductances(const float* weights, const ArrayPlace& place) const;

  std::int64_t num_levels() const;
  void CopyLevels(float* levels) const;
  const std::vector<float>& scales() const;  // s_w of every output, groups * outputs
  const Hardware& hardware() const;
  int groups() const;
  int inputs() const;
  int outputs() const;

  // Runs input vectors through the arrays of all packs: DACs, currents, ADCs, shift and add. The sums that go to
  // `take` are what the integer product codes * W_q would be on ideal hardware.
  //
  // What a converter makes of a column's current (units of CurrentUnit) is turned back to levels by subtracting the
  // share of g_off, (g_off / g_step) sum(digits). A converter that tells single levels apart (lsb <= 1) counts: the
  // difference is rounded to a whole number. ANALOG twins share one converter, of their difference, which g_off leaves
  // out. An ideal converter (adc_bits 0) rounds nothing.
  // `first_read` numbers the vectors for read noise. Uses all cores unless called from within a parallel region; the
  // result does not depend on it.
  void Multiply(const InputVectors& vectors, std::uint64_t first_read, const SumSink& take) const;

  // The same for `count` vectors of signed codes (count x K, row-major, |code| <= 2^input_bits - 1) and the arrays of
  // one pack, K and N those of a full pack: of what the last one lacks, codes are not looked at and sums are 0.
  // `has_negative`: run a second pass for the negative parts; without it every code must be >= 0. `sums`: count x N,
  // row-major.
  void Multiply(int pack, const std::int32_t* codes, int count, bool has_negative, std::uint64_t first_read,
                double* sums) const;

  // The readable truth of Multiply: one array, slice, stream and column after the other, in double precision.
  void MultiplyReference(int pack, const std::int32_t* codes, int count, bool has_negative, std::uint64_t first_read,
                         double* sums) const;

  // adc_range CALIBRATED: until the range is set, the column currents (units of CurrentUnit) that vectors cause are
  // observed, and the range that suits them all (adc_calibration) is set. All do nothing for other ranges.
  bool needs_calibration() const;
  CurrentHistogram ObserveCurrents(const InputVectors& vectors) const;
  CurrentHistogram ObserveCurrents(int pack, const std::int32_t* codes, int count, bool has_negative) const;
  void Calibrate(const CurrentHistogram& seen);
  void SetAdcRange(const CurrentRange& range);

  // Conversions of Multiply since the last reset, and how many of their currents were beyond the range of their
  // converter: none where converters are ideal. From any thread.
  ConversionCounts conversion_counts() const;
  void ResetConversionCounts();

  // Whether times are taken from now on: some clock reads in every block of work. Off at first. From any thread.
  void TakeTimes(bool on);
  ReadTimes times() const;

  // sums * OutputScale(output, range) is the layer's output before its bias:
  //   s_w s_x / ((2^(weight_bits-1) - 1) (2^input_bits - 1)).
  double OutputScale(int output, float input_range) const;

  // For the core itself: what else multiplies with these arrays.
  const CrossbarState& state() const { return *state_; }

 private:
  void Take(LevelStore levels, const float* scales);

  std::unique_ptr<CrossbarState> state_;
};

// What a crossbar layer computes: y (count x outputs) for x (count x inputs), each row an image of its own, without
// bias. `first_read` numbers the rows for read noise; calibrates on these rows where that is asked for.
void CrossbarMatmul(CrossbarMatrix& matrix, const float* x, int count, std::uint64_t first_read, float* y);

}  // namespace rxnn
