#include <iomanip>

#include "actions.hpp"
#include "caffe/net.hpp"
#include "caffe/util/benchmark.hpp"

namespace caffe::tools {
namespace {

constexpr double kMicroPerMilli = 1000;

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
    net->layers()[i]->Backward(net->top_vecs()[i], net->bottom_need_backward()[i], net->bottom_vecs()[i]);
    pass->layers[i] += timer.MicroSeconds();
  }
  pass->all += whole.MicroSeconds();
}

}  // namespace

void Time(const TimeOptions& options) {
  CAFFE_REQUIRE(!options.net.model.empty()) << "Need a model definition to time: give --model=FILE.prototxt";
  CAFFE_REQUIRE(options.iterations > 0) << "--iterations is " << options.iterations << "; at least 1 is needed";

  Net<float> net(options.net.model, options.phase, options.net.level, &options.net.stages);

  // Not counted: buffers are allocated at first use.
  LOG(INFO) << "Performing Forward";
  float initial_loss = 0;
  net.Forward(&initial_loss);
  LOG(INFO) << "Initial loss: " << initial_loss;
  LOG(INFO) << "Performing Backward";
  net.Backward();

  LOG(INFO) << "*** Benchmark begins ***";
  LOG(INFO) << "Testing for " << options.iterations << " iterations.";
  Pass forward(net.layers().size());
  Pass backward(net.layers().size());
  Timer total;
  total.Start();
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    Timer timer;
    timer.Start();
    TimeForward(&net, &forward);
    TimeBackward(&net, &backward);
    LOG(INFO) << "Iteration: " << iteration << " forward-backward time: " << timer.MilliSeconds() << " ms.";
  }
  const double total_ms = total.MilliSeconds();

  const auto mean_ms = [&](double micro) { return micro / kMicroPerMilli / options.iterations; };
  LOG(INFO) << "Average time per layer: ";
  for (size_t i = 0; i < net.layers().size(); ++i) {
    const string& name = net.layers()[i]->layer_param().name();
    LOG(INFO) << std::setw(10) << name << "\tforward: " << mean_ms(forward.layers[i]) << " ms.";
    LOG(INFO) << std::setw(10) << name << "\tbackward: " << mean_ms(backward.layers[i]) << " ms.";
  }
  LOG(INFO) << "Average Forward pass: " << mean_ms(forward.all) << " ms.";
  LOG(INFO) << "Average Backward pass: " << mean_ms(backward.all) << " ms.";
  LOG(INFO) << "Average Forward-Backward: " << total_ms / options.iterations << " ms.";
  LOG(INFO) << "Total Time: " << total_ms << " ms.";
  LOG(INFO) << "*** Benchmark ends ***";
}

}  // namespace caffe::tools
