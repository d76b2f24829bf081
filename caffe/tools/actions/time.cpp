#include <algorithm>
#include <deque>
#include <iomanip>

#include "actions.hpp"
#include "caffe/net.hpp"
#include "caffe/util/benchmark.hpp"
#include "caffe/util/in_layer.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe::tools {
namespace {

constexpr double kMicroPerMilli = 1e3;
constexpr double kMicroPerSecond = 1e6;

// Microseconds over all iterations: of each layer, and of the whole pass with what lies between the layers.
struct Pass {
  explicit Pass(size_t num_layers) : layers(num_layers, 0) {}
  vector<double> layers;
  double all = 0;
};

void TimeForward(Net<float>* net, Pass* pass) {
  Timer whole;
  Timer timer;
  whole.Start();
  for (size_t i = 0; i < net->layers().size(); ++i) {
    timer.Start();
    net->ForwardFromTo(static_cast<int>(i), static_cast<int>(i));
    pass->layers[i] += timer.MicroSeconds();
  }
  pass->all += whole.MicroSeconds();
}

// Every layer, needed for the gradients or not: the times do not depend on lr_mult.
void TimeBackward(Net<float>* net, Pass* pass) {
  Timer whole;
  Timer timer;
  whole.Start();
  for (size_t k = net->layers().size(); k > 0; --k) {
    const size_t i = k - 1;
    timer.Start();
    Layer<float>& layer = *net->layers()[i];
    InLayer(layer.layer_param(),
            [&] { layer.Backward(net->top_vecs()[i], net->bottom_need_backward()[i], net->bottom_vecs()[i]); });
    pass->layers[i] += timer.MicroSeconds();
  }
  pass->all += whole.MicroSeconds();
}

// Once, not counted. False, and a warning, where a layer has no gradient.
bool TryBackward(Net<float>* net) {
  Pass first(net->layers().size());
  try {
    TimeBackward(net, &first);
  } catch (const Error& error) {
    LOG(WARNING) << "Forward alone is timed: " << error.what();
    return false;
  }
  return true;
}

// Whether a layer reads labels, indices or flags from this blob: what has no gradient.
bool HoldsLabels(const Net<float>& net, int blob) {
  for (int i = 0; i < static_cast<int>(net.layers().size()); ++i) {
    const Layer<float>& layer = *net.layers()[i];
    const vector<int>& bottoms = net.bottom_ids(i);
    for (int j = 0; j < static_cast<int>(bottoms.size()); ++j) {
      if (bottoms[j] != blob) continue;
      if (!layer.AllowForceBackward(j)) return true;
      if (layer.type() != string("Split")) continue;
      for (const int copy : net.top_ids(i)) {
        if (HoldsLabels(net, copy)) return true;
      }
    }
  }
  return false;
}

// Random numbers in Input layers, but where they are labels.
void FillInputs(const Net<float>& net) {
  for (const int id : net.input_blob_indices()) {
    if (HoldsLabels(net, id)) continue;
    Blob<float>& blob = *net.blobs()[id];
    caffe_rng_gaussian<float>(blob.count(), 0, 1, blob.mutable_cpu_data());
    LOG(INFO) << "Input " << net.blob_names()[id] << " holds random numbers.";
  }
}

// Parts of a layer's forward time since it was asked to time them, and what is left for the rest.
class LayerParts {
 public:
  explicit LayerParts(Layer<float>* layer) : layer_(*layer) {
    layer_.TimeParts(true);
    start_ = layer_.PartSeconds();
  }
  ~LayerParts() { layer_.TimeParts(false); }
  LayerParts(const LayerParts&) = delete;
  LayerParts& operator=(const LayerParts&) = delete;

  // Microseconds by name, `forward_micro` in all, without parts that took no time; nothing for layers without parts.
  vector<std::pair<string, double>> Split(double forward_micro) const {
    vector<std::pair<string, double>> parts = layer_.PartSeconds();
    if (parts.empty()) return parts;
    double rest = forward_micro;
    for (size_t i = 0; i < parts.size(); ++i) {
      parts[i].second = kMicroPerSecond * (parts[i].second - start_[i].second);
      rest -= parts[i].second;
    }
    parts.erase(std::remove_if(parts.begin(), parts.end(), [](const auto& part) { return part.second == 0; }),
                parts.end());
    parts.emplace_back("rest", rest);
    return parts;
  }

 private:
  Layer<float>& layer_;
  vector<std::pair<string, double>> start_;
};

}  // namespace

void Time(const TimeOptions& options) {
  CAFFE_REQUIRE(!options.net.model.empty()) << "Need a model definition to time: give --model=FILE.prototxt";
  CAFFE_REQUIRE(options.iterations > 0) << "--iterations is " << options.iterations << "; at least 1 is needed";

  if (!options.weights.empty()) RequireFile(options.weights);
  Net<float> net(options.net.model, options.phase, options.net.level, &options.net.stages);
  if (!options.weights.empty()) net.CopyTrainedLayersFrom(options.weights);
  FillInputs(net);

  // Not counted: buffers are allocated at first use.
  LOG(INFO) << "Performing Forward";
  float initial_loss = 0;
  net.Forward(&initial_loss);
  LOG(INFO) << "Initial loss: " << initial_loss;
  LOG(INFO) << "Performing Backward";
  const bool has_backward = TryBackward(&net);

  LOG(INFO) << "*** Benchmark begins ***";
  LOG(INFO) << "Testing for " << options.iterations << " iterations.";
  Pass forward(net.layers().size());
  Pass backward(net.layers().size());
  std::deque<LayerParts> layer_parts;
  for (const auto& layer : net.layers()) layer_parts.emplace_back(layer.get());
  Timer total;
  total.Start();
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    Timer timer;
    timer.Start();
    TimeForward(&net, &forward);
    if (has_backward) TimeBackward(&net, &backward);
    LOG(INFO) << "Iteration: " << iteration << (has_backward ? " forward-backward" : " forward")
              << " time: " << timer.MilliSeconds() << " ms.";
  }
  const double total_ms = total.MilliSeconds();

  const auto mean_ms = [&](double micro) { return micro / kMicroPerMilli / options.iterations; };
  vector<std::pair<string, double>> all_parts;  // in the order in which layers name them
  LOG(INFO) << "Average time per layer: ";
  for (size_t i = 0; i < net.layers().size(); ++i) {
    const string& name = net.layers()[i]->layer_param().name();
    LOG(INFO) << std::setw(10) << name << "\tforward: " << mean_ms(forward.layers[i]) << " ms.";
    for (const auto& [part, micro] : layer_parts[i].Split(forward.layers[i])) {
      LOG(INFO) << std::setw(10) << name << "\tforward, " << part << ": " << mean_ms(micro) << " ms.";
      const auto same =
          std::find_if(all_parts.begin(), all_parts.end(), [&](const auto& p) { return p.first == part; });
      if (same == all_parts.end()) {
        all_parts.emplace_back(part, micro);
      } else {
        same->second += micro;
      }
    }
    LOG_IF(INFO, has_backward) << std::setw(10) << name << "\tbackward: " << mean_ms(backward.layers[i]) << " ms.";
  }
  LOG(INFO) << "Average Forward pass: " << mean_ms(forward.all) << " ms.";
  for (const auto& [part, micro] : all_parts) {
    LOG(INFO) << "Average Forward pass, " << part << " of layers with parts: " << mean_ms(micro) << " ms.";
  }
  LOG_IF(INFO, has_backward) << "Average Backward pass: " << mean_ms(backward.all) << " ms.";
  LOG_IF(INFO, has_backward) << "Average Forward-Backward: " << total_ms / options.iterations << " ms.";
  LOG(INFO) << "Total Time: " << total_ms << " ms.";
  LOG(INFO) << "*** Benchmark ends ***";
}

}  // namespace caffe::tools
