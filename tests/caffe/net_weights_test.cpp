// Weights of convolutions in TEST phase are held in the layout that oneDNN computes with alone: whoever asks for them
// gets what they were, and whatever is changed takes effect.
#include <algorithm>
#include <functional>

#include "caffe/net.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn::testing {
namespace {

using caffe::HostView;
using caffe::Net;

std::string Conv(const std::string& name, const std::string& bottom, int outputs) {
  return SimpleLayer("Convolution", name, bottom, name,
                     "convolution_param { num_output: " + std::to_string(outputs) +
                         " kernel_size: 3 weight_filler { type: 'gaussian' std: 0.2 } }");
}

// One with and one without layers behind that run with it; channels that fill no block.
const std::string kNet = InputLayer("data", {3, 5, 5, 5}) + Conv("c1", "data", 21) +
                         SimpleLayer("BatchNorm", "n1", "c1", "c1") +
                         SimpleLayer("Scale", "s1", "c1", "c1", "scale_param { bias_term: true }") +
                         SimpleLayer("ReLU", "r1", "c1", "c1") + Conv("c2", "c1", 18);

// Weights as a file brings them: nobody has held a pointer to them.
struct Loaded {
  Loaded() : net(MakeNet<float>(kNet)) {
    MakeNet<float>(kNet)->ToProto(&saved);
    const auto values = [this](int layer, int blob) {
      return saved.mutable_layer(layer)->mutable_blobs(blob)->mutable_data()->begin();
    };
    values(1, 0)[0] = -0.0f;
    values(1, 0)[1] = 1e-42f;  // denormal
    values(2, 2)[0] = 2;
    for (int c = 0; c < 21; ++c) {
      values(2, 0)[c] = 0.1f * static_cast<float>(c % 5);
      values(2, 1)[c] = 1 + static_cast<float>(c % 3);
      values(3, 0)[c] = 0.5f * static_cast<float>(c % 4 - 1);  // -0.5, 0, 0.5, 1
      values(3, 1)[c] = 1 - 0.1f * static_cast<float>(c);
    }
    net->CopyTrainedLayersFrom(saved);
    FillInputs(net.get());
  }

  caffe::Blob<float>& Weights(const std::string& layer) const { return *net->layer_by_name(layer)->blobs()[0]; }

  // That the net, with its weights as they are now, does what one of doubles does, which has no foreign layouts.
  void ExpectTrue() const {
    net->Forward();
    caffe::NetParameter now;
    net->ToProto(&now);
    const auto truth = MakeNet<double>(kNet);
    truth->CopyTrainedLayersFrom(now);
    const caffe::Blob<float>& input = *net->input_blobs()[0];
    truth->input_blobs()[0]->Reshape(input.shape());
    std::copy_n(input.cpu_data(), input.count(), truth->input_blobs()[0]->mutable_cpu_data());
    truth->Forward();
    const caffe::Blob<double>& expected = *truth->output_blobs()[0];
    const float* values = net->output_blobs()[0]->cpu_data();
    double largest = 0;
    for (int i = 0; i < expected.count(); ++i) largest = std::max(largest, std::abs(expected.cpu_data()[i]));
    ASSERT_GT(largest, 0);
    for (int i = 0; i < expected.count(); ++i) {
      ASSERT_NEAR(values[i], expected.cpu_data()[i], tolerance::kLayerRelative * largest) << "at " << i;
    }
  }

  std::unique_ptr<Net<float>> net;
  caffe::NetParameter saved;
};

TEST(NetWeights, AreOnceInMemoryAndComeBackToTheBit) {
  Loaded loaded;
  for (int pass = 0; pass < 2; ++pass) loaded.net->Forward();
  for (const char* layer : {"c1", "c2"}) EXPECT_NE(loaded.Weights(layer).data()->foreign(), nullptr) << layer;
  caffe::NetParameter now;
  loaded.net->ToProto(&now);
  for (int i = 0; i < now.layer_size(); ++i) {
    EXPECT_EQ(now.layer(i).SerializeAsString(), loaded.saved.layer(i).SerializeAsString()) << now.layer(i).name();
  }
  loaded.ExpectTrue();
}

TEST(NetWeights, AreChangedInEveryWay) {
  const auto after = [](const char* way, float factor, const std::function<void(Loaded&)>& change) {
    SCOPED_TRACE(way);
    Loaded loaded;
    const float before = loaded.saved.layer(1).blobs(0).data(7);
    loaded.net->Forward();
    change(loaded);
    loaded.ExpectTrue();
    EXPECT_EQ(loaded.Weights("c1").cpu_data()[7], factor * before);
  };
  const auto negate = [](float* values) { std::transform(values, values + 40, values, std::negate<>()); };
  after("a view", -1, [&](Loaded& loaded) {
    const caffe::Blob<float>& weights = loaded.Weights("c1");
    negate(HostView(weights.data()).values<float>());
    loaded.net->Forward();
    EXPECT_NE(weights.data()->foreign(), nullptr) << "given up again";
  });
  after("a pointer", -1, [&](Loaded& loaded) {
    float* kept = loaded.Weights("c1").mutable_cpu_data();
    negate(kept);
    loaded.net->Forward();
    EXPECT_EQ(loaded.Weights("c1").cpu_data(), kept);
  });
  after("another file", 2, [](Loaded& loaded) {
    for (float& value : *loaded.saved.mutable_layer(1)->mutable_blobs(0)->mutable_data()) value *= 2;
    loaded.net->CopyTrainedLayersFrom(loaded.saved);
  });
  after("a net that shares them", -1, [&](Loaded& loaded) {
    Net<float> other(NetText(kNet));
    other.ShareTrainedLayersWith(loaded.net.get());
    FillInputs(&other);
    other.Forward();
    negate(other.layer_by_name("c1")->blobs()[0]->mutable_cpu_data());
    other.Forward();
  });
  for (const int last : {5, 40}) {
    after("other shapes of the images", 1, [last](Loaded& loaded) {
      // Of large ones the norm goes into a copy of the weights.
      for (const int size : {40, last}) {
        loaded.net->input_blobs()[0]->Reshape({1, 5, size, size});
        FillInputs(loaded.net.get());
        loaded.net->Forward();
      }
    });
  }
}

}  // namespace
}  // namespace rxnn::testing
