#include <algorithm>

#include "actions.hpp"
#include "caffe/layers/base_data_layer.hpp"
#include "caffe/net_replica.hpp"
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

using Replicas = vector<std::unique_ptr<NetReplica<float>>>;

// The net on all GPUs but the first, where it is.
Replicas OnOtherGpus(Net<float>* net, const vector<int>& gpus) {
  Replicas replicas;
  for (size_t rank = 1; rank < gpus.size(); ++rank) {
    for (const auto& layer : net->layers()) {
      CAFFE_REQUIRE(!layer->NeedsBatchesInOrder())
          << "layer '" << layer->layer_param().name() << "' (" << layer->type()
          << "): what it does with a batch depends on the batches before it; give --gpu one GPU";
    }
    replicas.push_back(std::make_unique<NetReplica<float>>(net, gpus[rank], rank, gpus.size(), caffe_rng_rand()));
    replicas.back()->TakeWeights();
  }
  return replicas;
}

// The next batches, one for every GPU, in the order of the data: the replicas' first, the net's own the last.
struct Round {
  vector<Net<float>*> nets;  // a batch's outputs in each
  vector<float> losses;
};

Round RunRound(Net<float>* net, const Replicas& replicas, int batches_left) {
  Round round;
  const int others = std::min(static_cast<int>(replicas.size()), batches_left - 1);
  round.losses.resize(others + 1);
  for (int i = 0; i < others; ++i) {
    NetReplica<float>& replica = *replicas[i];
    replica.TakeBatch();
    round.nets.push_back(&replica.net());
    replica.thread().Start([&replica, loss = &round.losses[i]] {
      // Outputs come to the host in the thread that waits for the GPU.
      for (const Blob<float>* output : replica.net().Forward(loss)) output->cpu_data();
    });
  }
  round.nets.push_back(net);
  net->Forward(&round.losses[others]);
  for (int i = 0; i < others; ++i) replicas[i]->thread().Wait();
  return round;
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
  const Replicas replicas = OnOtherGpus(&net, options.gpus);
  LOG(INFO) << "Running for " << options.iterations << " iterations.";

  vector<Score> scores;
  double loss = 0;
  CPUTimer timer;
  timer.Start();
  for (int batch = 0; batch < options.iterations;) {
    const Round round = RunRound(&net, replicas, options.iterations - batch);
    for (size_t i = 0; i < round.nets.size(); ++i, ++batch) {
      loss += round.losses[i];
      if (batch == 0) scores = ScoresOf(*round.nets[i]);
      AddBatch(*round.nets[i], batch, &scores);
    }
  }

  LogData(net, timer.Seconds());
  for (const auto& replica : replicas) {
    for (size_t i = 0; i < net.layers().size(); ++i) {
      if (!IsSource(net, i)) net.layers()[i]->AddStatisticsOf(*replica->net().layers()[i]);
    }
  }
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
