#include "rxnn_layers/layer_crossbars.hpp"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <type_traits>

#include "caffe/filler.hpp"
#include "crossbar/parallel.hpp"
#include "rxnn_layers/hardware_proto.hpp"

namespace rxnn {
namespace {

// A fast 64-bit fingerprint: scripts write into blobs through views that nobody announces, so contents are compared.
std::uint64_t Fingerprint(const void* data, size_t bytes, std::uint64_t seed) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
  constexpr int kLanes = 4;  // independent chains, so that multiplications overlap
  std::uint64_t lanes[kLanes] = {seed, seed + 1, seed + 2, seed + 3};
  const auto* cursor = static_cast<const unsigned char*>(data);
  const auto mix = [](std::uint64_t lane, std::uint64_t word) {
    lane = (lane ^ word) * kMultiplier;
    return lane ^ (lane >> 29);
  };
  for (; bytes >= sizeof(lanes); bytes -= sizeof(lanes), cursor += sizeof(lanes)) {
    std::uint64_t words[kLanes];
    std::memcpy(words, cursor, sizeof(words));
    for (int i = 0; i < kLanes; ++i) lanes[i] = mix(lanes[i], words[i]);
  }
  std::uint64_t tail[kLanes] = {};
  std::memcpy(tail, cursor, bytes);
  std::uint64_t result = bytes;
  for (int i = 0; i < kLanes; ++i) result = mix(result, mix(lanes[i], tail[i]));
  return result;
}

// The same in pieces, on all cores: it is done at every forward, before anything else.
template <typename Dtype>
std::uint64_t Fingerprint(const caffe::Blob<Dtype>& blob, std::uint64_t seed) {
  constexpr size_t kPiece = 1 << 18;
  const auto* data = reinterpret_cast<const unsigned char*>(blob.cpu_data());
  const size_t bytes = sizeof(Dtype) * static_cast<size_t>(blob.count());
  std::vector<std::uint64_t> pieces((bytes + kPiece - 1) / kPiece);
  ParallelWork(static_cast<std::int64_t>(pieces.size()), [&] {
    return [&](std::int64_t i) {
      const size_t first = static_cast<size_t>(i) * kPiece;
      pieces[i] = Fingerprint(data + first, std::min(kPiece, bytes - first), seed);
    };
  });
  return Fingerprint(pieces.data(), pieces.size() * sizeof(pieces[0]), seed);
}

// The blob's values as float, `transposed` from rows x cols to cols x rows; points into the blob when it can.
template <typename Dtype>
const float* AsFloat(const caffe::Blob<Dtype>& blob, bool transposed, int rows, int cols, std::vector<float>* buffer) {
  const Dtype* data = blob.cpu_data();
  if constexpr (std::is_same_v<Dtype, float>) {
    if (!transposed) return data;
  }
  buffer->resize(blob.count());
  if (transposed) {
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) {
        (*buffer)[static_cast<size_t>(j) * rows + i] = static_cast<float>(data[static_cast<size_t>(i) * cols + j]);
      }
    }
  } else {
    for (int i = 0; i < blob.count(); ++i) (*buffer)[i] = static_cast<float>(data[i]);
  }
  return buffer->data();
}

// Whether a field says how conductances are read, not what they are.
bool IsOfReading(const std::string& field) {
  static const std::set<std::string> others = {"conductance", "input_bits", "input_range", "read_noise_sigma",
                                               "v_read_volt"};
  return field.rfind("adc_", 0) == 0 || field.rfind("dac_", 0) == 0 || others.count(field) > 0;
}

// Its value or values, as in a prototxt.
std::string TextOf(const caffe::CrossbarParameter& hardware, const google::protobuf::FieldDescriptor& field) {
  std::string text, value;
  const int count = field.is_repeated() ? hardware.GetReflection()->FieldSize(hardware, &field) : -1;
  for (int i = 0; i < count; ++i) {
    google::protobuf::TextFormat::PrintFieldValueToString(hardware, &field, i, &value);
    text += (i > 0 ? ", " : "") + value;
  }
  if (field.is_repeated()) return "[" + text + "]";
  google::protobuf::TextFormat::PrintFieldValueToString(hardware, &field, -1, &text);
  return text;
}

}  // namespace

void CheckStoredFor(const caffe::CrossbarParameter& hardware, const caffe::CrossbarParameter& made_for) {
  using caffe::CrossbarParameter;
  if (hardware.conductance() != CrossbarParameter::STORED || made_for.conductance() != CrossbarParameter::STORED)
    return;
  const google::protobuf::Descriptor& fields = *CrossbarParameter::descriptor();
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *fields.field(i);
    if (IsOfReading(field.name())) continue;
    const std::string here = TextOf(hardware, field), there = TextOf(made_for, field);
    CAFFE_REQUIRE(here == there) << "its stored conductances are those of " << field.name() << ": " << there
                                 << ", the network says " << here << "; convert the weights for it, or set it back";
  }
}

template <typename Dtype>
LayerCrossbars<Dtype>::LayerCrossbars(const caffe::LayerParameter& param, int groups, int inputs, int outputs)
    : name_(param.name()),
      hardware_(HardwareFromProto(param.crossbar_param())),
      stored_(param.crossbar_param().conductance() == caffe::CrossbarParameter::STORED),
      groups_(groups),
      inputs_(inputs),
      outputs_(outputs) {
  hardware_.Validate();
}

template <typename Dtype>
std::vector<int> LayerCrossbars<Dtype>::LevelShape() const {
  const GroupPacks packs(hardware_, groups_, inputs_, outputs_);
  return {packs.count, hardware_.num_polarities(), hardware_.num_slices(), packs.pack_inputs(), packs.pack_outputs()};
}

template <typename Dtype>
void LayerCrossbars<Dtype>::SetUpStoredBlobs(const caffe::FillerParameter* bias_filler, Blobs* blobs) const {
  const std::vector<int> of_outputs = {groups_ * outputs_};
  Blobs stored;
  stored.push_back(std::make_shared<caffe::Blob<Dtype>>(LevelShape()));
  stored.push_back(std::make_shared<caffe::Blob<Dtype>>(of_outputs));
  if (bias_filler != nullptr) stored.push_back(std::make_shared<caffe::Blob<Dtype>>(of_outputs));
  if (blobs->empty()) {
    if (bias_filler != nullptr) {
      std::unique_ptr<caffe::Filler<Dtype>>(caffe::GetFiller<Dtype>(*bias_filler))->Fill(stored[2].get());
    }
    *blobs = stored;
    return;
  }
  CAFFE_REQUIRE(blobs->size() == stored.size())
      << "stored conductances come in " << stored.size() << " blobs, the weights have " << blobs->size();
  for (size_t i = 0; i < stored.size(); ++i) {
    CAFFE_REQUIRE((*blobs)[i]->shape() == stored[i]->shape())
        << "blob " << i << " of the stored conductances has shape " << (*blobs)[i]->shape_string() << ", expected "
        << stored[i]->shape_string();
  }
}

template <typename Dtype>
const Dtype* LayerCrossbars<Dtype>::bias(const Blobs& blobs) const {
  return blobs.size() > bias_index() ? blobs[bias_index()]->cpu_data() : nullptr;
}

template <typename Dtype>
CrossbarMatrix& LayerCrossbars<Dtype>::Get(const Blobs& blobs, bool transposed) {
  std::uint64_t fingerprint = Fingerprint(*blobs[0], 0);
  if (stored_) fingerprint = Fingerprint(*blobs[1], fingerprint);
  if (matrix_ && fingerprint == fingerprint_ && (!borrowed_ || borrowed_ == blobs[0]->cpu_data())) return *matrix_;

  caffe::CPUTimer timer;
  timer.Start();
  fingerprint_.reset();  // until it has worked
  std::vector<float> first;
  std::vector<float> second;
  const bool is_new = !matrix_;
  if (is_new) {
    matrix_ = std::make_unique<CrossbarMatrix>(hardware_, name_, groups_, inputs_, outputs_);
    matrix_->TakeTimes(time_parts_);
  }
  if (stored_) {
    const float* levels = AsFloat(*blobs[0], false, 0, 0, &first);
    const float* scales = AsFloat(*blobs[1], false, 0, 0, &second);
    // The levels of a large layer are gigabytes: those of the blob serve where they are.
    if (first.empty()) {
      matrix_->Borrow(levels, scales);
      borrowed_ = blobs[0]->cpu_data();
    } else {
      matrix_->Load(levels, scales);
    }
  } else {
    const ProgramReport report = matrix_->Program(AsFloat(*blobs[0], transposed, inputs_, outputs_, &first));
    // Once: in training the weights change with every iteration.
    const GroupPacks& packs = matrix_->packs();
    const std::string per_array = " (" + std::to_string(packs.together) + " groups on one)";
    LOG_IF(INFO, is_new && caffe::Caffe::root_solver())
        << name_ << ": " << inputs_ << " x " << outputs_ << (groups_ > 1 ? " per group" : "") << " on " << report.arrays
        << " arrays" << (packs.shared() ? per_array : "") << " of " << hardware_.rows << " x " << hardware_.cols
        << ", mean relative change of the conductances " << report.mean_relative_change;
  }
  fingerprint_ = fingerprint;
  ++revision_;
  map_seconds_ += timer.Seconds();
  return *matrix_;
}

template <typename Dtype>
ConversionCounts LayerCrossbars<Dtype>::conversions() const {
  ConversionCounts counts = matrix_ ? matrix_->conversion_counts() : ConversionCounts();
  counts.Add(of_copies_);
  return counts;
}

template <typename Dtype>
std::vector<std::pair<std::string, double>> LayerCrossbars<Dtype>::Statistics() const {
  const ConversionCounts counts = conversions();
  if (counts.conversions == 0) return {};
  const auto all = static_cast<double>(counts.conversions);
  return {{"adc_conversions", all},
          {"adc_saturated_low", static_cast<double>(counts.low) / all},
          {"adc_saturated_high", static_cast<double>(counts.high) / all}};
}

template <typename Dtype>
void LayerCrossbars<Dtype>::TimeParts(bool on) {
  time_parts_ = on;
  if (matrix_) matrix_->TakeTimes(on);
}

template <typename Dtype>
std::vector<std::pair<std::string, double>> LayerCrossbars<Dtype>::PartSeconds() const {
  const ReadTimes times = matrix_ ? matrix_->times() : ReadTimes();
  return {{"map", map_seconds_}, {"quantize/pack", quantize_seconds_ + times.inputs}, {"VMM+ADC", times.reads}};
}

template <typename Dtype>
std::uint64_t LayerCrossbars<Dtype>::TakeReads(std::uint64_t count) {
  const std::uint64_t first = reads_;
  reads_ += count;
  return first;
}

template class LayerCrossbars<float>;
template class LayerCrossbars<double>;

}  // namespace rxnn
