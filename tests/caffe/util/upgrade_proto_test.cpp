// Old network files against the same networks written in today's form.
#include "caffe/util/upgrade_proto.hpp"

#include <google/protobuf/util/message_differencer.h>

#include "caffe/layer_factory.hpp"
#include "caffe/util/io.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

caffe::NetParameter Parse(const std::string& text) {
  caffe::NetParameter param;
  if (!google::protobuf::TextFormat::ParseFromString(text, &param)) throw std::invalid_argument(text);
  return param;
}

void ExpectUpgrades(const std::string& old_text, const std::string& expected) {
  caffe::NetParameter param = Parse(old_text);
  EXPECT_TRUE(caffe::NetNeedsUpgrade(param));
  EXPECT_TRUE(caffe::UpgradeNetAsNeeded("old.prototxt", &param));
  EXPECT_FALSE(caffe::NetNeedsUpgrade(param));
  google::protobuf::util::MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(Parse(expected), param)) << difference << "got:\n" << param.DebugString();
}

void ExpectRefused(const std::string& text, const std::string& part) {
  ExpectError(
      [&] {
        caffe::NetParameter param = Parse(text);
        caffe::UpgradeNetAsNeeded("old.prototxt", &param);
      },
      "old.prototxt: " + part);
}

TEST(UpgradeProto, LeavesTodaysNetsAlone) {
  caffe::NetParameter param = NetText(InputLayer("data", {2, 3}) + IpLayer("ip", "data", 2));
  EXPECT_FALSE(caffe::NetNeedsUpgrade(param));
  const caffe::NetParameter before = param;
  caffe::UpgradeNetAsNeeded("new.prototxt", &param);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(before, param));
}

TEST(UpgradeProto, V0Layers) {
  ExpectUpgrades(R"(
    name: "old"
    layers { layer { name: "data" type: "data" source: "db" batchsize: 32 rand_skip: 5 scale: 0.5 meanfile: "mean"
                     cropsize: 227 mirror: true } top: "data" top: "label" }
    layers { layer { name: "pad" type: "padding" pad: 2 } bottom: "data" top: "padded" }
    layers { layer { name: "conv" type: "conv" num_output: 96 kernelsize: 5 stride: 4 group: 2 biasterm: false
                     weight_filler { type: "gaussian" std: 0.01 } bias_filler { value: 1 }
                     blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 } bottom: "padded" top: "conv" }
    layers { layer { name: "relu" type: "relu" } bottom: "conv" top: "conv" }
    layers { layer { name: "pool" type: "pool" pool: AVE kernelsize: 3 stride: 2 pad: 1 } bottom: "conv" top: "pool" }
    layers { layer { name: "norm" type: "lrn" local_size: 3 alpha: 0.1 beta: 0.5 k: 2 } bottom: "pool" top: "norm" }
    layers { layer { name: "cat" type: "concat" concat_dim: 2 } bottom: "norm" bottom: "pool" top: "cat" }
    layers { layer { name: "ip" type: "innerproduct" num_output: 10 biasterm: true } bottom: "cat" top: "ip" }
    layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.2 } bottom: "ip" top: "ip" }
    layers { layer { name: "loss" type: "softmax_loss" } bottom: "ip" bottom: "label" top: "loss" })",
                 R"(
    name: "old"
    layer { name: "data" type: "Data" top: "data" top: "label"
            data_param { source: "db" batch_size: 32 rand_skip: 5 }
            transform_param { scale: 0.5 mean_file: "mean" crop_size: 227 mirror: true } }
    layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
            param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
            convolution_param { num_output: 96 kernel_size: 5 stride: 4 group: 2 bias_term: false pad: 2
                                weight_filler { type: "gaussian" std: 0.01 } bias_filler { value: 1 } } }
    layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
    layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
            pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
    layer { name: "norm" type: "LRN" bottom: "pool" top: "norm"
            lrn_param { local_size: 3 alpha: 0.1 beta: 0.5 k: 2 } }
    layer { name: "cat" type: "Concat" bottom: "norm" bottom: "pool" top: "cat" concat_param { concat_dim: 2 } }
    layer { name: "ip" type: "InnerProduct" bottom: "cat" top: "ip"
            inner_product_param { num_output: 10 bias_term: true } }
    layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" dropout_param { dropout_ratio: 0.2 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" })");
}

TEST(UpgradeProto, V0Sources) {
  ExpectUpgrades(R"(
    layers { layer { name: "images" type: "images" source: "list" batchsize: 4 new_height: 8 new_width: 9
                     shuffle_images: true rand_skip: 3 } top: "a" }
    layers { layer { name: "windows" type: "window_data" source: "windows" batchsize: 5 det_fg_threshold: 0.6
                     det_bg_threshold: 0.4 det_fg_fraction: 0.3 det_context_pad: 16 det_crop_mode: "square" } top: "b" }
    layers { layer { name: "h5" type: "hdf5_data" source: "h5" batchsize: 6 } top: "c" }
    layers { layer { name: "out" type: "hdf5_output" hdf5_output_param { file_name: "f" } } bottom: "c" }
    layers { layer { name: "gain" type: "infogain_loss" source: "matrix" } bottom: "a" bottom: "b" top: "d" })",
                 R"(
    layer { name: "images" type: "ImageData" top: "a"
            image_data_param { source: "list" batch_size: 4 new_height: 8 new_width: 9 shuffle: true rand_skip: 3 } }
    layer { name: "windows" type: "WindowData" top: "b"
            window_data_param { source: "windows" batch_size: 5 fg_threshold: 0.6 bg_threshold: 0.4 fg_fraction: 0.3
                                context_pad: 16 crop_mode: "square" } }
    layer { name: "h5" type: "HDF5Data" top: "c" hdf5_data_param { source: "h5" batch_size: 6 } }
    layer { name: "out" type: "HDF5Output" bottom: "c" hdf5_output_param { file_name: "f" } }
    layer { name: "gain" type: "InfogainLoss" bottom: "a" bottom: "b" top: "d"
            infogain_loss_param { source: "matrix" } })");
}

TEST(UpgradeProto, V0LayersThatCannotBe) {
  ExpectRefused("layers { layer { name: 'x' type: 'no_such' } }", "unknown V0 layer type 'no_such'");
  ExpectRefused(
      "layers { layer { name: 'p' type: 'padding' pad: 1 } bottom: 'a' top: 'b' } "
      "layers { layer { name: 'r' type: 'relu' } bottom: 'b' top: 'c' }",
      "padding layer 'p' is read by 'r', which is neither a convolution nor a pooling");
}

TEST(UpgradeProto, V1Layers) {
  ExpectUpgrades(R"(
    layers { name: "ip" type: INNER_PRODUCT bottom: "data" top: "ip" include { phase: TRAIN } exclude { min_level: 1 }
             blobs_lr: 1 blobs_lr: 2 weight_decay: 3 param: "w" param: "b" blob_share_mode: STRICT
             blob_share_mode: PERMISSIVE loss_weight: 0.5 inner_product_param { num_output: 4 }
             blobs { num: 1 channels: 1 height: 1 width: 1 data: 7 } })",
                 R"(
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" include { phase: TRAIN } exclude { min_level: 1 }
            param { name: "w" share_mode: STRICT lr_mult: 1 decay_mult: 3 }
            param { name: "b" share_mode: PERMISSIVE lr_mult: 2 }
            loss_weight: 0.5 inner_product_param { num_output: 4 }
            blobs { num: 1 channels: 1 height: 1 width: 1 data: 7 } })");
  ExpectRefused("layers { name: 'a' type: RELU } layer { name: 'b' }", "a network has both 'layer' and old 'layers'");
}

TEST(UpgradeProto, V1Types) {
  const std::map<std::string, std::string> types = {
      {"ABSVAL", "AbsVal"},
      {"ACCURACY", "Accuracy"},
      {"ARGMAX", "ArgMax"},
      {"BNLL", "BNLL"},
      {"CONCAT", "Concat"},
      {"CONTRASTIVE_LOSS", "ContrastiveLoss"},
      {"CONVOLUTION", "Convolution"},
      {"DATA", "Data"},
      {"DECONVOLUTION", "Deconvolution"},
      {"DROPOUT", "Dropout"},
      {"DUMMY_DATA", "DummyData"},
      {"ELTWISE", "Eltwise"},
      {"EUCLIDEAN_LOSS", "EuclideanLoss"},
      {"EXP", "Exp"},
      {"FLATTEN", "Flatten"},
      {"HDF5_DATA", "HDF5Data"},
      {"HDF5_OUTPUT", "HDF5Output"},
      {"HINGE_LOSS", "HingeLoss"},
      {"IM2COL", "Im2col"},
      {"IMAGE_DATA", "ImageData"},
      {"INFOGAIN_LOSS", "InfogainLoss"},
      {"INNER_PRODUCT", "InnerProduct"},
      {"LRN", "LRN"},
      {"MEMORY_DATA", "MemoryData"},
      {"MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"},
      {"MVN", "MVN"},
      {"NONE", ""},
      {"POOLING", "Pooling"},
      {"POWER", "Power"},
      {"RELU", "ReLU"},
      {"SIGMOID", "Sigmoid"},
      {"SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"},
      {"SILENCE", "Silence"},
      {"SLICE", "Slice"},
      {"SOFTMAX", "Softmax"},
      {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
      {"SPLIT", "Split"},
      {"TANH", "TanH"},
      {"THRESHOLD", "Threshold"},
      {"WINDOW_DATA", "WindowData"},
  };
  ASSERT_EQ(static_cast<int>(types.size()), caffe::V1LayerParameter::LayerType_descriptor()->value_count());
  for (const auto& [old_type, type] : types) {
    ExpectUpgrades("layers { name: 'x' type: " + old_type + " }", "layer { name: 'x' type: '" + type + "' }");
  }
}

TEST(UpgradeProto, DataFieldsThatMoved) {
  for (const char* kind : {"data", "image_data", "window_data"}) {
    const std::string param = std::string(kind) + "_param";
    ExpectUpgrades(
        "layer { type: 'x' " + param + " { source: 's' scale: 0.25 mean_file: 'm' crop_size: 24 mirror: true } }",
        "layer { type: 'x' " + param +
            " { source: 's' } transform_param { scale: 0.25 mean_file: 'm' crop_size: 24 mirror: true } }");
  }
  ExpectUpgrades("layers { name: 'd' type: DATA data_param { source: 's' scale: 2 } }",
                 "layer { name: 'd' type: 'Data' data_param { source: 's' } transform_param { scale: 2 } }");
}

TEST(UpgradeProto, Inputs) {
  const std::string expected = R"(
    layer { name: "input" type: "Input" top: "a" top: "b"
            input_param { shape { dim: 1 dim: 3 dim: 5 dim: 7 } shape { dim: 2 dim: 1 dim: 4 dim: 6 } } }
    layer { name: "relu" type: "ReLU" bottom: "a" top: "c" })";
  const std::string relu = "layer { name: 'relu' type: 'ReLU' bottom: 'a' top: 'c' }";
  ExpectUpgrades(
      "input: 'a' input_dim: 1 input_dim: 3 input_dim: 5 input_dim: 7 "
      "input: 'b' input_dim: 2 input_dim: 1 input_dim: 4 input_dim: 6 " +
          relu,
      expected);
  ExpectUpgrades(
      "input: 'a' input: 'b' input_shape { dim: 1 dim: 3 dim: 5 dim: 7 } "
      "input_shape { dim: 2 dim: 1 dim: 4 dim: 6 } " +
          relu,
      expected);
  ExpectUpgrades("input: 'a' " + relu, relu);  // a file of weights
  ExpectRefused("input: 'a' input_dim: 1 input_dim: 3", "a network with 1 inputs needs 1 input_shape or 4 input_dim");
  ExpectRefused("input: 'a' input_shape { } input_dim: 1", "a network has both input_shape and input_dim");
}

TEST(UpgradeProto, BatchNormStatisticsDoNotLearn) {
  ExpectUpgrades("layer { name: 'bn' type: 'BatchNorm' param { lr_mult: 1 } param { } param { lr_mult: 0 } }",
                 "layer { name: 'bn' type: 'BatchNorm' param { lr_mult: 0 decay_mult: 0 } "
                 "param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 } }");
}

TEST(UpgradeProto, OldFilesRun) {
  const TemporaryDirectory folder;
  caffe::WriteProtoToTextFile(
      Parse("input: 'data' input_dim: 2 input_dim: 1 input_dim: 3 input_dim: 1 "
            "layers { name: 'ip' type: INNER_PRODUCT bottom: 'data' top: 'ip' inner_product_param { num_output: 1 } }"),
      folder / "net.prototxt");
  caffe::WriteProtoToBinaryFile(Parse("input: 'data' layers { name: 'ip' type: INNER_PRODUCT bottom: 'data' top: 'ip' "
                                      "blobs { num: 1 channels: 1 height: 1 width: 3 data: 1 data: 2 data: 4 } "
                                      "blobs { num: 1 channels: 1 height: 1 width: 1 data: 8 } }"),
                                folder / "net.caffemodel");
  caffe::Net<float> net(folder / "net.prototxt", caffe::TEST);
  net.CopyTrainedLayersFrom(folder / "net.caffemodel");
  for (int i = 0; i < 6; ++i) net.input_blobs()[0]->mutable_cpu_data()[i] = static_cast<float>(i);
  EXPECT_EQ(Data(*net.Forward()[0]), (std::vector<double>{8 + 2 + 8, 8 + 3 + 8 + 20}));
}

TEST(UpgradeProto, NamesOfV1Types) {
  for (int i = 0; i < caffe::V1LayerParameter_LayerType_LayerType_ARRAYSIZE; ++i) {
    if (!caffe::V1LayerParameter_LayerType_IsValid(i)) continue;
    const auto type = static_cast<caffe::V1LayerParameter_LayerType>(i);
    caffe::V1LayerParameter old;
    old.set_type(type);
    caffe::LayerParameter layer;
    EXPECT_TRUE(caffe::UpgradeV1LayerParameter(old, &layer));
    EXPECT_EQ(layer.type(), caffe::UpgradeV1LayerType(type));
  }
  EXPECT_STREQ(caffe::UpgradeV1LayerType(caffe::V1LayerParameter_LayerType_NONE), "");
  EXPECT_STREQ(caffe::UpgradeV1LayerType(caffe::V1LayerParameter_LayerType_SOFTMAX_LOSS), "SoftmaxWithLoss");
  EXPECT_STREQ(caffe::UpgradeV1LayerType(caffe::V1LayerParameter_LayerType_HDF5_DATA), "HDF5Data");
}

TEST(UpgradeProto, PartsOfV0) {
  caffe::NetParameter folded;
  caffe::UpgradeV0PaddingLayers(
      Parse("layers { layer { name: 'pad' type: 'padding' pad: 2 } bottom: 'data' top: 'padded' }"
            "layers { layer { name: 'conv' type: 'conv' kernelsize: 3 } bottom: 'padded' top: 'conv' }"),
      &folded);
  EXPECT_EQ(folded.DebugString(),
            Parse("layers { layer { name: 'conv' type: 'conv' kernelsize: 3 pad: 2 } bottom: 'data' top: 'conv' }")
                .DebugString());
  caffe::V1LayerParameter layer;
  EXPECT_TRUE(caffe::UpgradeV0LayerParameter(folded.layers(0), &layer));
  EXPECT_EQ(layer.convolution_param().pad(0), 2u);
  EXPECT_EQ(caffe::UpgradeV0LayerType("pool"), caffe::V1LayerParameter_LayerType_POOLING);
}

}  // namespace
}  // namespace rxnn::testing
