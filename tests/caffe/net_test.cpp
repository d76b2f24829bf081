// How a net is built, runs, and hands its parameters on.
#include "caffe/net.hpp"

#include <fstream>

#include "caffe/util/io.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

using caffe::Net;
using caffe::TEST;
using caffe::TRAIN;
using Names = std::vector<std::string>;

template <typename Dtype>
class NetTest : public ::testing::Test {};
TYPED_TEST_SUITE(NetTest, BothTypes);

const std::string kInputs = InputLayer("data", {4, 5}) + InputLayer("label", {4});

// ---- Which layers take part

TEST(NetFilter, RulesChooseLayers) {
  struct Case {
    const char* rules;
    const char* state;
    bool in;
  };
  const Case cases[] = {
      {"", "phase: TRAIN", true},
      {"include { phase: TRAIN }", "phase: TRAIN", true},
      {"include { phase: TRAIN }", "phase: TEST", false},
      {"exclude { phase: TRAIN }", "phase: TRAIN", false},
      {"exclude { phase: TRAIN }", "phase: TEST", true},
      {"include { phase: TRAIN } include { phase: TEST }", "phase: TEST", true},
      {"exclude { phase: TRAIN } exclude { phase: TEST }", "phase: TEST", false},
      {"include { }", "phase: TEST", true},
      {"include { min_level: 2 }", "level: 1", false},
      {"include { min_level: 2 }", "level: 2", true},
      {"include { max_level: 2 }", "level: 2", true},
      {"include { max_level: 2 }", "level: 3", false},
      {"include { min_level: 0 }", "", true},
      {"include { stage: 'a' }", "", false},
      {"include { stage: 'a' }", "stage: 'b' stage: 'a'", true},
      {"include { stage: 'a' stage: 'b' }", "stage: 'a'", false},
      {"include { stage: 'a' stage: 'b' }", "stage: 'b' stage: 'a'", true},
      {"include { stage: 'a' } include { stage: 'b' }", "stage: 'b'", true},
      {"include { not_stage: 'a' }", "stage: 'a'", false},
      {"include { not_stage: 'a' }", "stage: 'b'", true},
      {"include { stage: 'a' not_stage: 'b' }", "stage: 'a' stage: 'b'", false},
      {"include { phase: TEST stage: 'a' min_level: 1 }", "phase: TEST stage: 'a' level: 1", true},
      {"include { phase: TEST stage: 'a' min_level: 1 }", "phase: TEST stage: 'a'", false},
      {"exclude { phase: TEST stage: 'a' }", "phase: TEST", true},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(std::string(test.rules) + " | " + test.state);
    caffe::NetParameter param, filtered;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        std::string("layer { name: 'x' ") + test.rules + " } state { " + test.state + " }", &param));
    Net<float>::FilterNet(param, &filtered);
    EXPECT_EQ(filtered.layer_size() == 1, test.in);
  }
  caffe::NetParameter filtered;
  ExpectError([&] { Net<float>::FilterNet(NetText("layer { name: 'x' include { } exclude { } }"), &filtered); },
              "layer 'x' has both include and exclude rules");
}

TEST(NetFilter, OfAFileTakesPhaseLevelAndStages) {
  const TemporaryDirectory folder;
  std::ofstream(folder / "net.prototxt") << kInputs << IpLayer("always", "data", 2)
                                         << IpLayer("train", "data", 2, "include { phase: TRAIN }")
                                         << IpLayer("deep", "data", 2, "include { min_level: 3 }")
                                         << IpLayer("staged", "data", 2, "include { stage: 's' }");
  const Net<float> test(folder / "net.prototxt", TEST);
  EXPECT_EQ(test.phase(), TEST);
  EXPECT_FALSE(test.has_layer("train") || test.has_layer("deep") || test.has_layer("staged"));
  const std::vector<std::string> stages = {"r", "s"};
  const Net<float> train(folder / "net.prototxt", TRAIN, 3, &stages);
  EXPECT_EQ(train.phase(), TRAIN);
  EXPECT_TRUE(train.has_layer("train") && train.has_layer("deep") && train.has_layer("staged"));
  ExpectError([] { Net<float>("no.prototxt", TEST); }, "File not found: no.prototxt");
}

// ---- Blobs

TEST(NetBlobs, InputsAndOutputs) {
  const auto net = MakeNet<float>(kInputs + IpLayer("z", "data", 2) + IpLayer("a", "data", 3));
  EXPECT_EQ(net->num_inputs(), 2);
  EXPECT_EQ(net->input_blobs()[1], net->blob_by_name("label").get());
  Names outputs;
  for (const int id : net->output_blob_indices()) outputs.push_back(net->blob_names()[id]);
  EXPECT_EQ(outputs, (Names{"a", "label", "z"}));  // by name
  EXPECT_EQ(net->output_blobs()[0], net->blob_by_name("a").get());
  EXPECT_EQ(net->blob_by_name("no"), nullptr);
  EXPECT_EQ(net->layer_by_name("no"), nullptr);
  EXPECT_STREQ(net->layer_by_name("a")->type(), "InnerProduct");
}

TYPED_TEST(NetTest, RunsInPlaceLayersOnTheSameBlob) {
  const std::string start = kInputs + IpLayer("ip", "data", 3);
  const auto in_place = MakeNet<TypeParam>(start + SimpleLayer("TanH", "tanh", "ip", "ip") +
                                           SimpleLayer("ReLU", "relu", "ip", "ip") + LossLayer("loss", "ip"));
  const auto apart = MakeNet<TypeParam>(start + SimpleLayer("TanH", "tanh", "ip", "b") +
                                        SimpleLayer("ReLU", "relu", "b", "c") + LossLayer("loss", "c"));
  EXPECT_EQ(in_place->blobs().size(), apart->blobs().size() - 2);
  EXPECT_EQ(in_place->top_vecs()[3], in_place->bottom_vecs()[3]);
  for (const auto& net : {in_place.get(), apart.get()}) {
    FillInputs(net);
    net->ForwardBackward();
  }
  EXPECT_EQ(Data(*in_place->blob_by_name("loss")), Data(*apart->blob_by_name("loss")));
  EXPECT_EQ(Diff(*in_place->params()[0]), Diff(*apart->params()[0]));
}

TYPED_TEST(NetTest, SumsTheGradientsOfSeveralReaders) {
  // loss(2 x) twice and loss(x) once, against each alone.
  const std::string start = kInputs + IpLayer("ip", "data", 3);
  const std::string twice = SimpleLayer("Power", "twice", "ip", "twice", "power_param { scale: 2 }");
  const auto gradient = [&](const std::string& losses) {
    const auto net = MakeNet<TypeParam>(start + losses, TRAIN);
    FillInputs(net.get());
    net->ForwardBackward();
    return Diff(*net->params()[0]);
  };
  const auto all = MakeNet<TypeParam>(start + twice + LossLayer("l1", "ip") + LossLayer("l2", "twice"), TRAIN);
  EXPECT_TRUE(all->has_layer("ip_ip_0_split"));
  EXPECT_TRUE(all->has_layer("label_label_0_split"));
  const std::vector<double> sum = gradient(twice + LossLayer("l1", "ip") + LossLayer("l2", "twice"));
  std::vector<double> parts = gradient(LossLayer("l1", "ip"));
  const std::vector<double> second = gradient(twice + LossLayer("l2", "twice"));
  for (size_t i = 0; i < parts.size(); ++i) parts[i] += second[i];
  ExpectAllNear(sum, parts, SumTolerance<TypeParam>(8, 1));
}

// ---- Losses

TYPED_TEST(NetTest, WeighsLosses) {
  const auto plain = MakeNet<TypeParam>(kInputs + IpLayer("ip", "data", 3) + LossLayer("loss", "ip"), TRAIN);
  const auto weighted =
      MakeNet<TypeParam>(kInputs + IpLayer("ip", "data", 3) + LossLayer("loss", "ip", "loss_weight: 4"), TRAIN);
  FillInputs(plain.get());
  FillInputs(weighted.get());
  const double loss = plain->ForwardBackward();
  EXPECT_NEAR(weighted->ForwardBackward(), 4 * loss, 4 * tolerance::kFewRoundings<TypeParam>);
  EXPECT_EQ(weighted->blob_loss_weights()[weighted->output_blob_indices()[0]], 4);
  std::vector<double> expected = Diff(*plain->params()[0]);
  for (double& value : expected) value *= 4;  // exact in binary
  EXPECT_EQ(Diff(*weighted->params()[0]), expected);
  const auto none =
      MakeNet<TypeParam>(kInputs + IpLayer("ip", "data", 3) + LossLayer("loss", "ip", "loss_weight: 0"), TRAIN);
  FillInputs(none.get());
  EXPECT_EQ(none->ForwardBackward(), 0);
  EXPECT_FALSE(none->layer_need_backward()[2]);
}

TYPED_TEST(NetTest, AnyTopCanBeALoss) {
  // The objective is half the sum of a top that another layer reads as well.
  const auto net = MakeNet<TypeParam>(InputLayer("data", {2, 3}) + IpLayer("ip", "data", 2, "loss_weight: 0.5") +
                                          SimpleLayer("Power", "reader", "ip", "out"),
                                      TRAIN);
  FillInputs(net.get());
  const double loss = net->ForwardBackward();
  double sum = 0;
  for (const double value : Data(*net->blob_by_name("ip"))) sum += value;
  EXPECT_NEAR(loss, 0.5 * sum, SumTolerance<TypeParam>(4, 4));
  EXPECT_EQ(Diff(*net->params()[1]), (std::vector<double>{1, 1}));  // 2 images, half each
}

TEST(NetLosses, MayHaveNoName) {
  const auto net = MakeNet<float>(kInputs + IpLayer("ip", "data", 3) +
                                      "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'label' }",
                                  TRAIN);
  FillInputs(net.get());
  EXPECT_GT(net->ForwardBackward(), 0);
  EXPECT_EQ(net->num_outputs(), 0);
}

// ---- Who gets gradients

const std::string kTwoIp = kInputs + IpLayer("first", "data", 4) + IpLayer("second", "first", 3);

TEST(NetBackward, ReachesWhatLearns) {
  const auto net = MakeNet<float>(kTwoIp + LossLayer("loss", "second"), TRAIN);
  EXPECT_EQ(net->layer_need_backward(), (std::vector<bool>{false, false, true, true, true}));
  EXPECT_EQ(net->bottom_need_backward()[2], (std::vector<bool>{false}));  // data
  EXPECT_EQ(net->bottom_need_backward()[4], (std::vector<bool>{true, false}));
}

TEST(NetBackward, StopsAtFrozenLayers) {
  const std::string frozen = "param { lr_mult: 0 } param { lr_mult: 0 }";
  const auto net = MakeNet<float>(
      kInputs + IpLayer("first", "data", 4, frozen) + IpLayer("second", "first", 3) + LossLayer("loss", "second"),
      TRAIN);
  EXPECT_FALSE(net->layer_need_backward()[2]);
  EXPECT_FALSE(net->bottom_need_backward()[3][0]);
  EXPECT_FALSE(net->layers()[2]->param_propagate_down(0));
  FillInputs(net.get());
  net->ForwardBackward();
  EXPECT_EQ(net->params()[0]->asum_diff(), 0);
  EXPECT_GT(net->params()[2]->asum_diff(), 0);
}

TEST(NetBackward, StopsWherePropagateDownSays) {
  const auto net =
      MakeNet<float>(kInputs + IpLayer("first", "data", 4) + IpLayer("second", "first", 3, "propagate_down: false") +
                         LossLayer("loss", "second"),
                     TRAIN);
  EXPECT_EQ(net->layer_need_backward(), (std::vector<bool>{false, false, false, true, true}));
  ExpectError([] { MakeNet<float>(kInputs + IpLayer("x", "data", 4, "propagate_down: [true, true]")); },
              "layer 'x': propagate_down must be given for none or for each of its 1 bottoms");
}

TEST(NetBackward, SkipsBranchesWithoutLoss) {
  const auto net = MakeNet<float>(kTwoIp + IpLayer("side", "first", 2) + LossLayer("loss", "second"), TRAIN);
  const auto index = std::find(net->layer_names().begin(), net->layer_names().end(), "side");
  EXPECT_FALSE(net->layer_need_backward()[index - net->layer_names().begin()]);
  FillInputs(net.get());
  net->ForwardBackward();
  EXPECT_EQ(net->layer_by_name("side")->blobs()[0]->asum_diff(), 0);
  EXPECT_GT(net->layer_by_name("first")->blobs()[0]->asum_diff(), 0);
}

TEST(NetBackward, ForceReachesTheInputs) {
  const std::string frozen = "param { lr_mult: 0 } param { lr_mult: 0 }";
  const std::string text = kInputs + IpLayer("ip", "data", 3, frozen) + LossLayer("loss", "ip");
  const auto free = MakeNet<double>(text, TRAIN);
  const auto forced = MakeNet<double>("force_backward: true " + text, TRAIN);
  for (const auto& net : {free.get(), forced.get()}) {
    FillInputs(net);
    net->ForwardBackward();
  }
  EXPECT_EQ(free->blob_by_name("data")->asum_diff(), 0);
  EXPECT_EQ(forced->bottom_need_backward()[3], (std::vector<bool>{true, false})) << "labels have no gradient";
  // Against finite differences of the loss.
  caffe::Blob<double>& data = *forced->blob_by_name("data");
  const double step = tolerance::kGradientStepDouble;
  for (int i = 0; i < data.count(); ++i) {
    const double value = data.cpu_data()[i];
    double above, below;
    data.mutable_cpu_data()[i] = value + step;
    forced->Forward(&above);
    data.mutable_cpu_data()[i] = value - step;
    forced->Forward(&below);
    data.mutable_cpu_data()[i] = value;
    EXPECT_NEAR(data.cpu_diff()[i], (above - below) / (2 * step), tolerance::kGradientRelativeDouble);
  }
}

// ---- Parts of a net

TEST(NetParts, MakeTheWhole) {
  const auto whole = MakeNet<float>(kTwoIp + LossLayer("loss", "second"), TRAIN);
  const auto parts = MakeNet<float>(kTwoIp + LossLayer("loss", "second"), TRAIN);
  FillInputs(whole.get());
  FillInputs(parts.get());
  const float loss = whole->ForwardBackward();
  EXPECT_EQ(parts->ForwardTo(2), 0);
  EXPECT_EQ(parts->ForwardFromTo(3, 3), 0);
  EXPECT_EQ(parts->ForwardFrom(4), loss);
  parts->BackwardFrom(4);
  parts->ClearParamDiffs();
  parts->BackwardFromTo(4, 3);
  EXPECT_EQ(parts->params()[0]->asum_diff(), 0);
  parts->BackwardFrom(2);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Diff(*parts->params()[i]), Diff(*whole->params()[i]));
  ExpectError([&] { parts->ForwardFromTo(0, 5); }, "Check failed");
  ExpectError([&] { parts->ForwardFrom(-1); }, "Check failed");
}

TEST(NetParts, CallbacksSeeEveryLayer) {
  class Note : public Net<float>::Callback {
   public:
    Note(std::string* notes, char sign) : notes_(notes), sign_(sign) {}

   protected:
    void run(int layer) override { *notes_ += sign_ + std::to_string(layer); }

   private:
    std::string* notes_;
    char sign_;
  };
  std::string notes;
  Note before(&notes, '<'), after(&notes, '>'), back(&notes, '('), done(&notes, ')');
  const auto net = MakeNet<float>(InputLayer("data", {1, 2}) + IpLayer("ip", "data", 1));
  net->add_before_forward(&before);
  net->add_after_forward(&after);
  net->add_before_backward(&back);
  net->add_after_backward(&done);
  net->ForwardBackward();
  EXPECT_EQ(notes, "<0>0<1>1(1)1(0)0");
}

TEST(NetParts, NewInputShapesReachAllLayers) {
  const std::string conv =
      "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 3 "
      "kernel_size: 3 weight_filler { type: 'xavier' } } } " +
      SimpleLayer("Pooling", "pool", "conv", "pool", "pooling_param { kernel_size: 2 stride: 2 }");
  const auto net = MakeNet<float>(InputLayer("data", {1, 2, 6, 6}) + conv);
  const auto larger = MakeNet<float>(InputLayer("data", {2, 2, 9, 7}) + conv);
  net->Forward();
  net->input_blobs()[0]->Reshape({2, 2, 9, 7});
  net->Reshape();
  EXPECT_EQ(net->output_blobs()[0]->shape(), larger->output_blobs()[0]->shape());
  FillInputs(net.get());
  FillInputs(larger.get());
  EXPECT_EQ(Data(*net->Forward()[0]), Data(*larger->Forward()[0]));
  net->input_blobs()[0]->Reshape({1, 2, 6, 6});
  net->Forward();  // also without Reshape
  EXPECT_EQ(net->output_blobs()[0]->shape(), (std::vector<int>{1, 3, 2, 2}));
}

TEST(NetUpdate, SubtractsEachDiffOnce) {
  const auto net = MakeNet<float>(InputLayer("data", {2, 3}) + IpLayer("a", "data", 3, "param { name: 'w' }") +
                                  IpLayer("b", "a", 3, "param { name: 'w' }"));
  ASSERT_EQ(net->params().size(), 4u);
  ASSERT_EQ(net->learnable_params().size(), 3u);
  std::vector<double> expected = Data(*net->params()[0]);
  caffe::caffe_set(9, 0.25f, net->params()[0]->mutable_cpu_diff());
  for (double& value : expected) value = static_cast<float>(value) - 0.25f;
  net->Update();
  EXPECT_EQ(Data(*net->params()[2]), expected);
  net->ClearParamDiffs();
  EXPECT_EQ(net->params()[0]->asum_diff(), 0);
}

}  // namespace
}  // namespace rxnn::testing
