// Parameters of a net: shared between layers, taken from files and other nets, written to files; and what is said of
// nets that cannot be.
#include <fstream>

#include "caffe/net.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

using caffe::Net;
using caffe::TRAIN;

const std::string kInputs = InputLayer("data", {4, 3}) + InputLayer("label", {4});
const std::string kShared = "param { name: 'w' } param { name: 'b' } ";
const std::string kTwo = kInputs + IpLayer("a", "data", 3) + IpLayer("b", "a", 2);

// ---- Shared

TEST(SharedParams, AreOneBlob) {
  const auto net = MakeNet<double>(kInputs + IpLayer("a", "data", 3, kShared) + IpLayer("b", "a", 3, kShared) +
                                       IpLayer("c", "b", 3, kShared) + LossLayer("loss", "c"),
                                   TRAIN);
  EXPECT_EQ(net->learnable_params().size(), 2u);
  EXPECT_EQ(net->param_owners(), (std::vector<int>{-1, -1, 0, 1, 0, 1}));
  EXPECT_EQ(net->learnable_param_ids(), (std::vector<int>{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(net->param_names_index().at("w"), 0);
  for (int i = 2; i < 6; ++i) {
    EXPECT_EQ(net->params()[i]->cpu_data(), net->params()[i % 2]->cpu_data());
    EXPECT_EQ(net->params()[i]->cpu_diff(), net->params()[i % 2]->cpu_diff());
  }

  // The gradient is the sum over the layers: that of a net whose layers hold equal weights of their own.
  const auto apart = MakeNet<double>(
      kInputs + IpLayer("a", "data", 3) + IpLayer("b", "a", 3) + IpLayer("c", "b", 3) + LossLayer("loss", "c"), TRAIN);
  for (int i = 0; i < 6; ++i) apart->params()[i]->CopyFrom(*net->params()[i]);
  FillInputs(net.get());
  FillInputs(apart.get());
  EXPECT_EQ(net->ForwardBackward(), apart->ForwardBackward());
  std::vector<double> sum = Diff(*apart->params()[0]);
  for (const int i : {2, 4}) {
    for (size_t k = 0; k < sum.size(); ++k) sum[k] += apart->params()[i]->cpu_diff()[k];
  }
  ExpectAllNear(Diff(*net->params()[0]), sum, SumTolerance<double>(12, 3));
}

TEST(SharedParams, SettleMultipliersBetweenLayers) {
  const auto net = MakeNet<float>(kInputs + IpLayer("a", "data", 3, "param { name: 'w' lr_mult: 2 } param { }") +
                                  IpLayer("b", "a", 3, "param { name: 'w' decay_mult: 3 } param { lr_mult: 0.5 }"));
  EXPECT_EQ(net->params_lr(), (std::vector<float>{2, 1, 0.5}));
  EXPECT_EQ(net->params_weight_decay(), (std::vector<float>{3, 1, 1}));
  EXPECT_EQ(net->has_params_lr(), (std::vector<bool>{true, false, true}));
  ExpectError(
      [] {
        MakeNet<float>(kInputs + IpLayer("a", "data", 3, "param { name: 'w' lr_mult: 2 }") +
                       IpLayer("b", "a", 3, "param { name: 'w' lr_mult: 1 }"));
      },
      "shared param 'w' has the lr_mult 2 and 1");
}

TEST(SharedParams, MustFit) {
  // 3 x 3 weights for inputs of shape (4, 3), the owner's 1 x 9 for the flattened 9.
  ExpectError([] { MakeNet<float>(kInputs + IpLayer("a", "data", 2, kShared) + IpLayer("b", "a", 2, kShared)); },
              "layer 'b' cannot share param 'w' of layer 'a': its blob has shape 2 2 (4), the owner's is 2 3 (6)");
  const std::string mode = "param { name: 'w' share_mode: PERMISSIVE } ";
  const std::string transposed = "layer { name: 'b' type: 'InnerProduct' bottom: 'label6' top: 'b' " + mode +
                                 "inner_product_param { num_output: 3 bias_term: false } }";
  const auto net = MakeNet<float>(kInputs + InputLayer("label6", {4, 2}) +
                                  IpLayer("a", "data", 2, "param { name: 'w' }") + transposed);
  EXPECT_EQ(net->params()[2]->shape(), (std::vector<int>{3, 2}));
  EXPECT_EQ(net->params()[2]->cpu_data(), net->params()[0]->cpu_data());
}

// ---- Taken from elsewhere

TEST(CopiedParams, GoByLayerName) {
  const auto source = MakeNet<float>(kInputs + IpLayer("a", "data", 3) + IpLayer("other", "a", 5));
  const auto target = MakeNet<float>(kTwo);
  for (const auto& param : target->params()) caffe::caffe_set(param->count(), 9.f, param->mutable_cpu_data());
  caffe::NetParameter param;
  source->ToProto(&param);
  const LogCapture log;
  target->CopyTrainedLayersFrom(param);
  EXPECT_TRUE(log.Has("Ignoring source layer other"));
  EXPECT_TRUE(log.Has("There are no weights for these layers, which keep those they have: b"));
  EXPECT_EQ(Data(*target->params()[0]), Data(*source->params()[0]));
  EXPECT_EQ(Data(*target->params()[1]), Data(*source->params()[1]));
  EXPECT_EQ(Data(*target->params()[2]), std::vector<double>(6, 9));  // no layer of this name
}

TEST(CopiedParams, OfAnotherShapeNameTheLayer) {
  const auto target = MakeNet<float>(kTwo);
  const auto from = [&](const std::string& text) {
    caffe::NetParameter param;
    MakeNet<float>(text)->ToProto(&param);
    target->CopyTrainedLayersFrom(param);
  };
  ExpectError(
      [&] { from(kInputs + IpLayer("a", "data", 3) + IpLayer("b", "a", 4)); },
      "Cannot take param 0 weights from layer 'b': shape mismatch. Source param shape is 4 3 (12); target param "
      "shape is 2 3 (6)");
  ExpectError(
      [&] {
        from(kInputs +
             "layer { name: 'a' type: 'InnerProduct' bottom: 'data' top: 'a' inner_product_param { "
             "num_output: 3 bias_term: false } }");
      },
      "layer 'a': the source has 1 blobs, the layer 2");
}

TEST(CopiedParams, OldFourDimensionalShapesFit) {
  const auto net = MakeNet<float>(kTwo);
  caffe::NetParameter param;
  net->ToProto(&param);
  caffe::BlobProto* blob = param.mutable_layer(2)->mutable_blobs(0);
  blob->clear_shape();
  blob->set_num(1);
  blob->set_channels(1);
  blob->set_height(3);
  blob->set_width(3);
  for (int i = 0; i < 9; ++i) blob->set_data(i, static_cast<float>(i));
  const LogCapture log;
  net->CopyTrainedLayersFrom(param);
  EXPECT_EQ(log.CountOf("no weights"), 0);
  EXPECT_EQ(Data(*net->params()[0]), (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(net->params()[0]->shape(), (std::vector<int>{3, 3}));
}

TEST(CopiedParams, SharedWithAnotherNet) {
  const auto source = MakeNet<float>(kTwo);
  caffe::Caffe::set_random_seed(2);
  Net<float> target(NetText(kTwo));
  target.ShareTrainedLayersWith(source.get());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(target.params()[i]->cpu_data(), source->params()[i]->cpu_data());
  const auto other = MakeNet<float>(kInputs + IpLayer("a", "data", 4));
  ExpectError([&] { target.ShareTrainedLayersWith(other.get()); }, "layer 'a': shape mismatch");
}

// ---- Files

template <typename Dtype>
class ParamFilesTest : public ::testing::Test {};
TYPED_TEST_SUITE(ParamFilesTest, BothTypes);

TYPED_TEST(ParamFilesTest, HoldWeightsToTheBit) {
  const TemporaryDirectory folder;
  // A slash in a name is a group in HDF5.
  const std::string text = kInputs + IpLayer("deep/er/ip", "data", 3, kShared) +
                           IpLayer("b", "deep/er/ip", 3, kShared) + LossLayer("loss", "b");
  const auto net = MakeNet<TypeParam>(text, TRAIN);
  FillInputs(net.get());
  net->ForwardBackward();
  caffe::NetParameter param;
  net->ToProto(&param, /*write_diff=*/true);
  caffe::WriteProtoToBinaryFile(param, folder / "net.caffemodel");
  net->ToHDF5(folder / "net.caffemodel.h5", /*write_diff=*/true);
  for (const char* name : {"net.caffemodel", "net.caffemodel.h5"}) {
    SCOPED_TRACE(name);
    caffe::Caffe::set_random_seed(5);
    Net<TypeParam> other(NetText(text, TRAIN));
    EXPECT_NE(Data(*other.params()[0]), Data(*net->params()[0]));
    other.CopyTrainedLayersFrom(folder / name);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(Data(*other.params()[i]), Data(*net->params()[i]));
  }
  const caffe::Hdf5Reader reader(folder / "net.caffemodel.h5");
  EXPECT_TRUE(reader.Exists("data/deep/er/ip/0") && reader.Exists("diff/deep/er/ip/0") && reader.Exists("diff/b/1"));
  EXPECT_FALSE(reader.Exists("data/b/0")) << "the owner's is enough";
  std::vector<TypeParam> diff(9);
  reader.Read("diff/deep/er/ip/0", diff.data());
  EXPECT_EQ(std::vector<double>(diff.begin(), diff.end()), Diff(*net->params()[0]));
}

TEST(ParamFiles, ThatAreWrongAreNamed) {
  const TemporaryDirectory folder;
  const auto net = MakeNet<float>(kTwo);
  caffe::NetParameter param;
  net->ToProto(&param);
  for (const bool hdf5 : {false, true}) {
    const std::string file = folder / (hdf5 ? "net.caffemodel.h5" : "net.caffemodel");
    const auto wrong = MakeNet<float>(kInputs + IpLayer("a", "data", 3) + IpLayer("b", "a", 4));
    if (hdf5) {
      wrong->ToHDF5(file);
    } else {
      wrong->ToProto(&param);
      caffe::WriteProtoToBinaryFile(param, file);
    }
    ExpectError([&] { net->CopyTrainedLayersFrom(file); }, "layer 'b': shape mismatch");
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    ExpectError([&] { net->CopyTrainedLayersFrom(file); }, file);
    std::ofstream(file) << "layer { name: 'text' }";
    ExpectError([&] { net->CopyTrainedLayersFrom(file); }, file);
  }
  ExpectError([&] { net->CopyTrainedLayersFrom("no.caffemodel"); }, "File not found: no.caffemodel");
}

// ---- Nets that cannot be

TEST(NetErrors, NameWhatIsWrong) {
  const auto fails = [](const std::string& text, const std::string& part) {
    ExpectError([&] { MakeNet<float>(text); }, part);
  };
  fails(kInputs + IpLayer("ip", "dada", 3),
        "Unknown bottom blob 'dada' (layer 'ip'): no layer before it makes this blob; "
        "there are 'data' 'label'");
  fails(kInputs + IpLayer("a", "b", 3) + IpLayer("b", "data", 3), "Unknown bottom blob 'b' (layer 'a')");
  fails(kInputs + IpLayer("ip", "data", 3) + SimpleLayer("ReLU", "relu", "data", "ip"),
        "Top blob 'ip' produced by multiple sources");
  fails(kInputs + IpLayer("ip", "data", 3) + SimpleLayer("ReLU", "ip", "ip", "x"), "two layers are called 'ip'");
  fails(kInputs + SimpleLayer("ReLu", "relu", "data", "x"), "Unknown layer type: ReLu (known types: ");
  fails(kInputs + "layer { name: 'x' bottom: 'data' top: 'x' }", "layer 'x' has no type");
  fails(kInputs + IpLayer("ip", "data", 3, "param { } param { } param { }"),
        "layer 'ip' has 3 param messages for 2 parameter blobs");
  fails(kInputs + IpLayer("ip", "data", 3, "loss_weight: 1 loss_weight: 1"), "layer 'ip' (InnerProduct): ");
  fails(kInputs + "layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip' }", "layer 'ip' (InnerProduct): ");
  fails(kInputs +
            "layer { name: 'ip' type: 'InnerProduct' bottom: 'data' bottom: 'label' top: 'ip' "
            "inner_product_param { num_output: 1 } }",
        "layer 'ip' (InnerProduct): takes exactly 1 bottom blobs, got 2");
}

TEST(NetErrors, AtRunTimeNameTheLayer) {
  const auto net = MakeNet<float>(kTwo);
  net->input_blobs()[0]->Reshape({4, 7});
  ExpectError([&] { net->Forward(); }, "layer 'a' (InnerProduct): ");
  ExpectError([&] { net->Reshape(); }, "layer 'a' (InnerProduct): ");
  net->input_blobs()[0]->Reshape({4, 3});
  net->Forward();  // as good as before
}

}  // namespace
}  // namespace rxnn::testing
