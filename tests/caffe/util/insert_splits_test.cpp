// Nets with tops read more than once against the same nets with their Split layers written out.
#include "caffe/util/insert_splits.hpp"

#include <google/protobuf/util/message_differencer.h>

#include "tests/support/net_text.hpp"

namespace rxnn::testing {
namespace {

void ExpectSplits(const std::string& text, const std::string& expected) {
  caffe::NetParameter split;
  caffe::InsertSplits(NetText(text), &split);
  google::protobuf::util::MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(NetText(expected), split)) << difference << "got:\n" << split.DebugString();
  // What is split needs no more splits.
  caffe::NetParameter again;
  caffe::InsertSplits(split, &again);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(split, again));
}

std::string Layer(const std::string& name, const std::string& blobs) {
  return "layer { name: '" + name + "' type: 'X' " + blobs + " } ";
}

TEST(InsertSplits, LeavesAChainAlone) {
  const std::string chain = Layer("a", "top: 'x' top: 'y'") + Layer("b", "bottom: 'x' top: 'x'") +
                            Layer("c", "bottom: 'x' bottom: 'y' top: 'z'");
  ExpectSplits(chain, chain);
}

TEST(InsertSplits, GivesEveryReaderACopy) {
  ExpectSplits(Layer("a", "top: 'w' top: 'x'") + Layer("b", "bottom: 'x' top: 'y'") +
                   Layer("c", "bottom: 'y' bottom: 'x' top: 'z'") + Layer("d", "bottom: 'x' bottom: 'w'"),
               Layer("a", "top: 'w' top: 'x'") +
                   "layer { name: 'x_a_1_split' type: 'Split' bottom: 'x' top: 'x_a_1_split_0' top: 'x_a_1_split_1' "
                   "top: 'x_a_1_split_2' } " +
                   Layer("b", "bottom: 'x_a_1_split_0' top: 'y'") +
                   Layer("c", "bottom: 'y' bottom: 'x_a_1_split_1' top: 'z'") +
                   Layer("d", "bottom: 'x_a_1_split_2' bottom: 'w'"));
}

TEST(InsertSplits, TellsABlobBeforeFromAfterAnInPlaceLayer) {
  ExpectSplits(
      Layer("a", "top: 'x'") + Layer("b", "bottom: 'x' top: 'x'") + Layer("c", "bottom: 'x' top: 'y'") +
          Layer("d", "bottom: 'x' top: 'z'"),
      Layer("a", "top: 'x'") + Layer("b", "bottom: 'x' top: 'x'") +
          "layer { name: 'x_b_0_split' type: 'Split' bottom: 'x' top: 'x_b_0_split_0' top: 'x_b_0_split_1' } " +
          Layer("c", "bottom: 'x_b_0_split_0' top: 'y'") + Layer("d", "bottom: 'x_b_0_split_1' top: 'z'"));
}

TEST(InsertSplits, NamesTheBottomThatNobodyMakes) {
  caffe::NetParameter split;
  ExpectError([&] { caffe::InsertSplits(NetText(Layer("a", "top: 'x'") + Layer("b", "bottom: 'y'")), &split); },
              "Unknown bottom blob 'y' (layer 'b'): no layer before it makes this blob; there are 'x'");
  ExpectError([&] { caffe::InsertSplits(NetText(Layer("b", "bottom: 'y'")), &split); }, "there are none");
}

TEST(InsertSplits, Names) {
  EXPECT_EQ(caffe::SplitLayerName("conv", "blob", 3), "blob_conv_3_split");
  EXPECT_EQ(caffe::SplitBlobName("conv", "blob", 3, 1), "blob_conv_3_split_1");
}

}  // namespace
}  // namespace rxnn::testing
