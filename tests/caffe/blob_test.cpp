#include "caffe/blob.hpp"

#include "caffe/util/io.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

using caffe::Blob;

template <typename Dtype>
class BlobTest : public ::testing::Test {};
TYPED_TEST_SUITE(BlobTest, BothTypes);

TYPED_TEST(BlobTest, HasAShape) {
  Blob<TypeParam> blob;
  EXPECT_EQ(blob.num_axes(), 0);
  EXPECT_EQ(blob.count(), 0);
  blob.Reshape({2, 3, 4});
  EXPECT_EQ(blob.shape_string(), "2 3 4 (24)");
  EXPECT_EQ(blob.shape(-1), 4);
  EXPECT_EQ(blob.count(1), 12);
  EXPECT_EQ(blob.count(0, 2), 6);
  EXPECT_EQ(blob.count(2, 2), 1);
  EXPECT_EQ(blob.CanonicalAxisIndex(-3), 0);
  EXPECT_EQ(blob.offset({1, 2, 3}), 23);
  EXPECT_EQ(blob.offset({1}), 12);
  blob.Reshape(std::vector<int>());
  EXPECT_EQ(blob.count(), 1) << "no axes: one number";
  blob.Reshape({3, 0, 2});
  EXPECT_EQ(blob.count(), 0);
}

TYPED_TEST(BlobTest, HasTheFourOldAxes) {
  Blob<TypeParam> blob(2, 3, 4, 5);
  EXPECT_EQ(blob.num(), 2);
  EXPECT_EQ(blob.channels(), 3);
  EXPECT_EQ(blob.height(), 4);
  EXPECT_EQ(blob.width(), 5);
  EXPECT_EQ(blob.offset(1, 2, 3, 4), 119);
  blob.Reshape({6, 7});
  EXPECT_EQ(blob.channels(), 7);
  EXPECT_EQ(blob.width(), 1);
  EXPECT_EQ(blob.LegacyShape(-4), 1);
  EXPECT_EQ(blob.LegacyShape(-1), 7);
  blob.Reshape({1, 1, 1, 1, 1});
  ExpectError([&] { blob.num(); }, "5 axes");
}

TYPED_TEST(BlobTest, RefusesImpossibleShapes) {
  Blob<TypeParam> blob({2, 3});
  ExpectError([&] { blob.Reshape({2, -1}); }, "-1");
  ExpectError([&] { blob.Reshape({1 << 20, 1 << 20}); }, "too large");
  ExpectError([&] { blob.Reshape(std::vector<int>(33, 1)); }, "at most 32 axes");
  ExpectError([&] { blob.shape(2); }, "axis 2 does not exist in a blob of shape 2 3 (6)");
  ExpectError([&] { blob.shape(-3); }, "axis -3 does not exist");
  ExpectError([&] { blob.offset({0, 3}); }, "index 3 of axis 1");
  EXPECT_EQ(blob.shape(), (std::vector<int>{2, 3})) << "as before";
}

TYPED_TEST(BlobTest, KeepsItsMemoryWhenItShrinks) {
  Blob<TypeParam> blob({4, 3});
  TypeParam* data = blob.mutable_cpu_data();
  EXPECT_EQ(Data(blob), std::vector<double>(12, 0));
  data[0] = 5;
  blob.Reshape({2, 3});
  EXPECT_EQ(blob.cpu_data(), data);
  blob.Reshape({3, 4});
  EXPECT_EQ(blob.cpu_data(), data);
  EXPECT_EQ(blob.cpu_data()[0], 5);
  blob.Reshape({13});
  EXPECT_EQ(Data(blob), std::vector<double>(13, 0));
}

TYPED_TEST(BlobTest, SumsAndScales) {
  const auto blob = MakeBlob<TypeParam>({2, 2}, {1, -2, 3, -4});
  std::copy_n(blob->cpu_data(), 4, blob->mutable_cpu_diff());
  EXPECT_EQ(blob->asum_data(), 10);
  EXPECT_EQ(blob->sumsq_data(), 30);
  blob->scale_diff(2);
  EXPECT_EQ(blob->asum_diff(), 20);
  EXPECT_EQ(blob->sumsq_diff(), 120);
  blob->scale_data(0.5);
  EXPECT_EQ(Data(*blob), (std::vector<double>{0.5, -1, 1.5, -2}));
  blob->Update();
  EXPECT_EQ(Data(*blob), (std::vector<double>{-1.5, 3, -4.5, 6}));
  const Blob<TypeParam> untouched({3});
  EXPECT_EQ(untouched.asum_data() + untouched.asum_diff() + untouched.sumsq_data() + untouched.sumsq_diff(), 0);
}

TYPED_TEST(BlobTest, CopiesAndShares) {
  const auto source = MakeBlob<TypeParam>({2, 2}, {1, 2, 3, 4});
  source->mutable_cpu_diff()[3] = 7;
  Blob<TypeParam> copy({2, 2});
  copy.CopyFrom(*source);
  EXPECT_EQ(Data(copy), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(copy.cpu_diff()[3], 0);
  copy.CopyFrom(*source, /*copy_diff=*/true);
  EXPECT_EQ(copy.cpu_diff()[3], 7);
  Blob<TypeParam> other({4});
  ExpectError([&] { other.CopyFrom(*source); }, "cannot copy a blob of shape 2 2 (4) into one of shape 4 (4)");
  other.CopyFrom(*source, false, /*reshape=*/true);
  EXPECT_EQ(other.shape(), source->shape());
  other.ShareData(*source);
  EXPECT_EQ(other.cpu_data(), source->cpu_data());
  EXPECT_NE(other.cpu_diff(), source->cpu_diff());
  other.ShareDiff(*source);
  EXPECT_EQ(other.cpu_diff(), source->cpu_diff());
  ExpectError([&] { Blob<TypeParam>({3}).ShareData(*source); }, "3 vs. 4");
}

TYPED_TEST(BlobTest, GoesIntoAMessageAndBack) {
  const auto blob = RandomBlob<TypeParam>({2, 3});
  blob->mutable_cpu_diff()[5] = TypeParam(0.1);
  caffe::BlobProto proto;
  blob->ToProto(&proto, /*write_diff=*/true);
  EXPECT_EQ(proto.double_data_size() > 0, (std::is_same_v<TypeParam, double>));
  Blob<TypeParam> back;
  back.FromProto(proto);
  EXPECT_EQ(back.shape(), blob->shape());
  EXPECT_EQ(Data(back), Data(*blob));
  EXPECT_EQ(Diff(back), Diff(*blob));
  EXPECT_TRUE(blob->ShapeEquals(proto));
  Blob<TypeParam> other({3, 2});
  EXPECT_FALSE(other.ShapeEquals(proto));
  ExpectError([&] { other.FromProto(proto, /*reshape=*/false); }, "expected 3 2 (6)");
  blob->ToProto(&proto);
  EXPECT_EQ(proto.diff_size() + proto.double_diff_size(), 0);
}

TYPED_TEST(BlobTest, ReadsMessagesOfEitherType) {
  caffe::BlobProto proto;
  proto.set_num(1);
  proto.set_channels(2);
  proto.set_height(1);
  proto.set_width(1);
  proto.add_double_data(0.25);
  proto.add_double_data(0.5);
  Blob<TypeParam> blob;
  blob.FromProto(proto);
  EXPECT_EQ(blob.shape(), (std::vector<int>{1, 2, 1, 1}));
  EXPECT_EQ(Data(blob), (std::vector<double>{0.25, 0.5}));
  EXPECT_TRUE((Blob<TypeParam>({2, 1, 1}).ShapeEquals(proto)));
  EXPECT_FALSE((Blob<TypeParam>({1, 2}).ShapeEquals(proto)));
  proto.clear_double_data();
  proto.add_data(1);
  ExpectError([&] { blob.FromProto(proto); }, "holds 1 data values, its shape asks for 2");
}

TYPED_TEST(BlobTest, UsesMemoryOfOthers) {
  TypeParam memory[] = {1, 2, 3, 4};
  {
    Blob<TypeParam> blob({4});
    blob.mutable_cpu_data()[0] = 9;
    blob.set_cpu_data(memory);
    EXPECT_EQ(blob.cpu_data(), memory);
    blob.mutable_cpu_data()[1] = 5;
  }
  EXPECT_EQ(memory[1], 5);
}

}  // namespace
}  // namespace rxnn::testing
