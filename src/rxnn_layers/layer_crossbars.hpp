// The crossbars of one layer, kept in step with the layer's blobs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/benchmark.hpp"
#include "rxnn/crossbar_matrix.hpp"

namespace rxnn {

// The copy of a layer's crossbars on a GPU (gpu/crossbar_layers.cpp).
struct LayerOnGpu;

// Throws Error where `hardware` reads stored conductances and they were made, as a weights file says, for `made_for`,
// which differs in more than its inputs and converters.
void CheckStoredFor(const caffe::CrossbarParameter& hardware, const caffe::CrossbarParameter& made_for);

// What a crossbar layer's blobs hold:
//   FROM_WEIGHTS  [weights, bias], as in the plain layer;
//   STORED        [levels (group, polarity, slice, K, N), weight scales (C_out), bias], see CrossbarMatrix.
// The bias is there when the layer has one.
template <typename Dtype>
class LayerCrossbars {
 public:
  using Blobs = std::vector<std::shared_ptr<caffe::Blob<Dtype>>>;

  // Throws HardwareError for a crossbar_param that describes no hardware.
  LayerCrossbars(const caffe::LayerParameter& param, int groups, int inputs, int outputs);

  bool stored() const { return stored_; }
  const Hardware& hardware() const { return hardware_; }

  // For STORED, in place of the plain layer's blobs: makes them, the bias (null: none) filled, or, where there are some
  // (of a NetParameter), checks their shapes. Throws Error for more levels than a blob holds, before any memory is
  // taken.
  void SetUpStoredBlobs(const caffe::FillerParameter* bias_filler, Blobs* blobs) const;

  // Where the layer has a bias: its place among the blobs.
  size_t bias_index() const { return stored_ ? 2 : 1; }
  const Dtype* bias(const Blobs& blobs) const;

  // The crossbars that the blobs describe now: programmed or loaded at the first call; where the blobs' contents
  // have changed since, what changed is programmed again. `transposed`: the weights are K x N instead of N x K. The
  // reference is good until the next call.
  CrossbarMatrix& Get(const Blobs& blobs, bool transposed);

  // How often what Get gives was programmed or loaded: a copy of it is good while this stays the same.
  std::uint64_t revision() const { return revision_; }
  // Conversions that a copy has made, for Statistics.
  void AddConversions(const ConversionCounts& counts) { of_copies_.Add(counts); }
  // All conversions so far.
  ConversionCounts conversions() const;
  // Whether the same inputs give other outputs later: noise goes on, and the first batch calibrates.
  bool depends_on_history() const {
    return hardware_.has_noise() || (hardware_.adc_bits > 0 && hardware_.adc_range == AdcRange::kCalibrated);
  }

  // Conversions of its ADCs so far, and the fractions of them below and above the range of their converter; nothing
  // where converters are ideal or nothing was read yet. For caffe::Layer::Statistics.
  std::vector<std::pair<std::string, double>> Statistics() const;

  // For caffe::Layer::TimeParts and PartSeconds: mapping (always counted), quantising and packing, and the reads.
  void TimeParts(bool on);
  std::vector<std::pair<std::string, double>> PartSeconds() const;
  // Does work that belongs to quantising.
  template <typename Work>
  void Quantize(const Work& work) {
    caffe::CPUTimer timer;
    timer.Start();
    work();
    if (time_parts_) quantize_seconds_ += timer.Seconds();
  }

  // Numbers `count` reads, for read noise: returns the first number.
  std::uint64_t TakeReads(std::uint64_t count);

 private:
  std::vector<int> LevelShape() const;

  std::string name_;
  Hardware hardware_;
  bool stored_;
  int groups_;
  int inputs_;
  int outputs_;
  std::unique_ptr<CrossbarMatrix> matrix_;
  const Dtype* borrowed_ = nullptr;           // the levels that matrix_ reads where they are
  std::optional<std::uint64_t> fingerprint_;  // of the blobs that matrix_ stands for
  std::uint64_t revision_ = 0;
  ConversionCounts of_copies_;
  std::uint64_t reads_ = 0;
  bool time_parts_ = false;
  double map_seconds_ = 0;
  double quantize_seconds_ = 0;
};

}  // namespace rxnn
