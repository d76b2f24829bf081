// Sizes beyond what a blob can have, at every place of a network where one can be asked for: refused by the layer's
// name, before memory is taken.
#include <sys/resource.h>

#include "tests/support/net_text.hpp"

namespace rxnn::testing {
namespace {

// The largest resident size that this process had, in KiB.
long PeakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

struct Case {
  const char* name;
  std::vector<std::vector<int>> bottoms;
  const char* layer;  // its type and parameters
  const char* message;
};

void PrintTo(const Case& test, std::ostream* stream) { *stream << test.layer; }

std::string CaseName(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

class NetSizesTest : public ::testing::TestWithParam<Case> {};

TEST_P(NetSizesTest, AreRefusedByName) {
  const long before = PeakMemory();
  std::string text, bottoms;
  for (size_t i = 0; i < GetParam().bottoms.size(); ++i) {
    const std::string input = "in" + std::to_string(i);
    text += InputLayer(input, GetParam().bottoms[i]);
    bottoms += " bottom: '" + input + "'";
  }
  text += "layer { name: 'tested'" + bottoms + " top: 'out' " + GetParam().layer + " }";
  ExpectError([&] { MakeNet<float>(text); }, "layer 'tested' (");
  ExpectError([&] { MakeNet<double>(text); }, GetParam().message);
  EXPECT_LT(PeakMemory() - before, 64 << 10);
}

constexpr int kMax = 2147483647;
const char* const kBlobTooLarge = "a blob of more than 2147483647 values is too large";

INSTANTIATE_TEST_SUITE_P(
    All, NetSizesTest,
    ::testing::Values(
        Case{"Input", {}, "type: 'Input' input_param { shape { dim: 65536 dim: 65536 } }", kBlobTooLarge},
        Case{"InputOfNoValues",
             {},
             "type: 'Input' input_param { shape { dim: 0 dim: 65536 dim: 65536 } }",
             kBlobTooLarge},
        Case{"InputDimension", {}, "type: 'Input' input_param { shape { dim: 2147483648 } }", "dimension 2147483648"},
        Case{"DummyData", {}, "type: 'DummyData' dummy_data_param { shape { dim: 65536 dim: 65536 } }", kBlobTooLarge},
        Case{"DummyDataOfFour",
             {},
             "type: 'DummyData' dummy_data_param { num: 65536 channels: 65536 height: 65536 width: 65536 }",
             kBlobTooLarge},
        Case{"DummyDataNum",
             {},
             "type: 'DummyData' dummy_data_param { num: 4294967295 channels: 1 height: 1 width: 1 }",
             "dimension 4294967295"},
        Case{"Parameter", {}, "type: 'Parameter' parameter_param { shape { dim: 65536 dim: 65536 } }", kBlobTooLarge},
        Case{"Reshape", {{2}}, "type: 'Reshape' reshape_param { shape { dim: 65536 dim: 65536 } }", kBlobTooLarge},
        Case{"ReshapeInferred",
             {{2}},
             "type: 'Reshape' reshape_param { shape { dim: -1 dim: 2147483647 dim: 2147483647 dim: 2147483647 } }",
             "cannot be divided into parts"},
        Case{"InnerProductWeights",
             {{1, 65536}},
             "type: 'InnerProduct' inner_product_param { num_output: 65536 }",
             kBlobTooLarge},
        Case{"InnerProductOutputs",
             {{65536, 2}},
             "type: 'InnerProduct' inner_product_param { num_output: 65536 weight_filler { type: 'constant' } }",
             kBlobTooLarge},
        Case{"Embed", {{2}}, "type: 'Embed' embed_param { num_output: 65536 input_dim: 65536 }", kBlobTooLarge},
        Case{"CrossbarInnerProduct",
             {{1, 65536}},
             "type: 'CrossbarInnerProduct' inner_product_param { num_output: 65536 }",
             kBlobTooLarge},
        Case{"Convolution",
             {{1, 65536, 1, 1}},
             "type: 'Convolution' convolution_param { num_output: 65536 kernel_size: 1 }",
             "weights of more than 2147483647 values"},
        Case{"ConvolutionColumns",
             {{1, 1, 32768, 32768}},
             "type: 'Convolution' convolution_param { num_output: 1 kernel_size: 3 pad: 1 }",
             "columns of im2col of more than 2147483647 values"},
        Case{"DeconvolutionAxis",
             {{1, 1, 65536, 1}},
             "type: 'Deconvolution' convolution_param { num_output: 1 kernel_size: 1 stride: 65536 }",
             "an axis of 4294901761 outputs"},
        Case{"DeconvolutionImage",
             {{1, 1, 65536, 65536 / 4}},
             "type: 'Deconvolution' convolution_param { num_output: 1 kernel_size: 2 stride: 2 }",
             kBlobTooLarge},
        Case{"Im2col",
             {{1, 4, 1, 1}},
             "type: 'Im2col' convolution_param { kernel_size: 32768 pad: 16384 }",
             "makes 4294967296 rows"},
        Case{"Pooling",
             {{1, 1, 1, 1}},
             "type: 'Pooling' pooling_param { kernel_h: 2147483647 kernel_w: 1 pad_h: 2147483646 }",
             "is too large for an axis of 1"},
        Case{"PoolingKernel", {{1, 1, 1, 1}}, "type: 'Pooling' pooling_param { kernel_size: 65536 }", "65536x65536"},
        Case{"PoolingPad",
             {{1, 1, 4, 4}},
             "type: 'Pooling' pooling_param { kernel_size: 2 pad: 4294967295 }",
             "a pad of more than"},
        Case{"Spp",
             {{1, 7, 16384, 16384}},
             "type: 'SPP' spp_param { pyramid_height: 15 }",
             "7 channels of 357913941 bins are too many"},
        Case{"Tile", {{2}}, "type: 'Tile' tile_param { axis: 0 tiles: 2147483647 }", "are too many"},
        Case{"TileProduct", {{65536, 2}}, "type: 'Tile' tile_param { axis: 1 tiles: 65536 }", kBlobTooLarge},
        Case{"Concat",
             {{1 << 30}, {1 << 30}},
             "type: 'Concat' concat_param { axis: 0 }",
             "bottoms 0 to 1 have more than"},
        Case{"ConcatProduct",
             {{1 << 15, 1 << 15}, {1 << 15, 1 << 15}},
             "type: 'Concat' concat_param { axis: 0 }",
             kBlobTooLarge},
        Case{"Crop",
             {{1, 1, 4, 4}, {1, 1, 2, 2}},
             "type: 'Crop' crop_param { axis: 2 offset: 4294967295 }",
             "cannot cut 2 from -1 on"},
        Case{"BatchReindex", {{1, 65536}, {65536}}, "type: 'BatchReindex'", kBlobTooLarge},
        Case{"Infogain", {{1, 65536}, {1}, {0}}, "type: 'InfogainLoss'", "expected 65536x65536"},
        Case{"LstmUnit",
             {{1, 1, 1 << 29}, {1, 1, 4}, {1, 1}},
             "type: 'LSTMUnit' top: 'second'",
             "cells of 536870912 values are too large"},
        Case{"LstmSteps",
             {{1 << 24, 1, 2}, {1 << 24, 1}},
             "type: 'LSTM' recurrent_param { num_output: 2 }",
             "16777216 steps"},
        Case{"RnnSteps", {{kMax, 1}, {kMax, 1}}, "type: 'RNN' recurrent_param { num_output: 2 }", "2147483647 steps"},
        Case{"LstmOutputs",
             {{1, 1, 2}, {1, 1}},
             "type: 'LSTM' recurrent_param { num_output: 23171 }",
             "num_output is 23171, expected 1 to 23170"},
        Case{"RnnOutputs",
             {{1, 1, 2}, {1, 1}},
             "type: 'RNN' recurrent_param { num_output: 46341 }",
             "num_output is 46341, expected 1 to 46340"},
        Case{"MemoryData",
             {},
             "type: 'MemoryData' top: 'label' memory_data_param { batch_size: 65536 channels: 65536 height: 1 width: 1 "
             "}",
             kBlobTooLarge}),
    CaseName);

}  // namespace
}  // namespace rxnn::testing
