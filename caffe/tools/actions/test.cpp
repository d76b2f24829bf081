#include "actions.hpp"
#include "caffe/layers/base_data_layer.hpp"
#include "caffe/net.hpp"
#include "caffe/util/benchmark.hpp"
#include "caffe/util/corrupt_records.hpp"
#include "caffe/util/io.hpp"

namespace caffe::tools {
namespace {

// One number of an output blob, summed over the batches.
struct Score {
  int output;  // index into the net's output blobs
  double sum = 0;
};

vector<Score> ScoresOf(const Net<float>& net) {
  vector<Score> scores;
  for (int output = 0; output < net.num_outputs(); ++output) {
    scores.insert(scores.end(), net.output_blobs()[output]->count(), Score{output});
  }
  return scores;
}

const string& OutputName(const Net<float>& net, int output) {
  return net.blob_names()[net.output_blob_indices()[output]];
}

void AddBatch(const Net<float>& net, int batch, vector<Score>* scores) {
  size_t index = 0;
  for (int output = 0; output < net.num_outputs(); ++output) {
    const Blob<float>& blob = *net.output_blobs()[output];
    for (int k = 0; k < blob.count(); ++k, ++index) {
      CHECK_LT(index, scores->size()) << "the outputs grew after the first batch";
      (*scores)[index].sum += blob.cpu_data()[k];
      LOG(INFO) << "Batch " << batch << ", " << OutputName(net, output) << " = " << blob.cpu_data()[k];
    }
  }
}

// How much of `seconds` the net stood still because its data were not there yet; nothing for a net that reads none in
// the background.
void LogData(const Net<float>& net, double seconds) {
  bool reads = false;
  double waited = 0;
  for (const auto& layer : net.layers()) {
    const auto* source = dynamic_cast<const BasePrefetchingDataLayer<float>*>(layer.get());
    if (source == nullptr) continue;
    reads = true;
    waited += source->seconds_waited();
  }
  if (reads) {
    LOG(INFO) << "Waited for data: " << waited << " s of " << seconds << " s (" << 100 * waited / seconds << " %)";
  }
  if (CorruptRecords::skip()) LOG(INFO) << "Skipped " << CorruptRecords::count() << " corrupt records.";
}

// What layers counted.
void LogStatistics(const Net<float>& net) {
  for (const auto& layer : net.layers()) {
    ostringstream line;
    for (const auto& [name, value] : layer->Statistics())
      line << (line.str().empty() ? ": " : ", ") << name << " = " << value;
    if (!line.str().empty()) LOG(INFO) << layer->layer_param().name() << line.str();
  }
}

}  // namespace

void Test(const TestOptions& options) {
  CAFFE_REQUIRE(!options.net.model.empty()) << "Need a model definition to score: give --model=FILE.prototxt";
  CAFFE_REQUIRE(!options.weights.empty()) << "Need model weights to score: give --weights=FILE.caffemodel";
  CAFFE_REQUIRE(options.iterations > 0) << "--iterations is " << options.iterations << "; at least 1 is needed";
  // Before the net is built, which may take long.
  RequireFile(options.weights);

  Net<float> net(options.net.model, TEST, options.net.level, &options.net.stages);
  net.CopyTrainedLayersFrom(options.weights);
  LOG(INFO) << "Running for " << options.iterations << " iterations.";

  vector<Score> scores;
  double loss = 0;
  CPUTimer timer;
  timer.Start();
  for (int batch = 0; batch < options.iterations; ++batch) {
    float batch_loss = 0;
    net.Forward(&batch_loss);
    loss += batch_loss;
    if (batch == 0) scores = ScoresOf(net);
    AddBatch(net, batch, &scores);
  }

  LogData(net, timer.Seconds());
  LogStatistics(net);
  LOG(INFO) << "Loss: " << loss / options.iterations;
  for (const Score& score : scores) {
    const double mean = score.sum / options.iterations;
    const float weight = net.blob_loss_weights()[net.output_blob_indices()[score.output]];
    ostringstream weighted;
    if (weight != 0) weighted << " (* " << weight << " = " << weight * mean << " loss)";
    LOG(INFO) << OutputName(net, score.output) << " = " << mean << weighted.str();
  }
}

}  // namespace caffe::tools
