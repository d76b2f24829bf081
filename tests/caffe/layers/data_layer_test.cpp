#include "caffe/layers/data_layer.hpp"

#include <filesystem>
#include <thread>

#include "caffe/util/corrupt_records.hpp"
#include "tests/support/data_layers.hpp"
#include "tests/support/image_files.hpp"

namespace rxnn::testing {
namespace {

using caffe::Datum;

constexpr int kHeight = 5, kWidth = 4;

std::vector<Datum> Images(int count) {
  std::vector<Datum> data;
  for (int i = 0; i < count; ++i) data.push_back(DatumOf(RandomImage(kHeight, kWidth, i), 10 + i));
  return data;
}

template <typename Dtype>
class DataLayerTest : public LayerTest<Dtype> {
 protected:
  // `param` goes into data_param, `more` after it.
  std::string Text(int batch_size, const std::string& param = "", const std::string& more = "") const {
    return "type: 'Data' data_param { source: '" + path_ + "' backend: LMDB batch_size: " + std::to_string(batch_size) +
           " " + param + " } " + more;
  }

  TemporaryDirectory folder_;
  std::string path_ = folder_ / "db";
};
TYPED_TEST_SUITE(DataLayerTest, BothTypes);

TYPED_TEST(DataLayerTest, ReadsInOrderAndStartsAgain) {
  WriteDatabase(this->path_, Images(5));
  LayerHarness<TypeParam> run(this->Text(3), {}, 2);
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{3, 3, kHeight, kWidth}));
  EXPECT_EQ(run.out(1).shape(), std::vector<int>{3});
  int record = 0;
  for (int batch = 0; batch < 12; ++batch) {
    run.Forward();
    for (int n = 0; n < 3; ++n, record = (record + 1) % 5) {
      EXPECT_EQ(run.out(1).cpu_data()[n], 10 + record);
      const cv::Mat image = RandomImage(kHeight, kWidth, record);
      for (int c = 0; c < 3; ++c) {
        for (int h = 0; h < kHeight; ++h) {
          for (int w = 0; w < kWidth; ++w) ASSERT_EQ(run.out(0).data_at(n, c, h, w), Pixel(image, c, h, w));
        }
      }
    }
  }
}

TYPED_TEST(DataLayerTest, OneTopIsTheImages) {
  WriteDatabase(this->path_, Images(2));
  LayerHarness<TypeParam> run(this->Text(2, "", "transform_param { scale: 0.5 crop_size: 3 }"), {}, 1);
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{2, 3, 3, 3}));
  EXPECT_EQ(run.out().data_at(1, 2, 0, 0), TypeParam(0.5) * Pixel(RandomImage(kHeight, kWidth, 1), 2, 1, 0));
}

TYPED_TEST(DataLayerTest, DecodesImages) {
  std::vector<Datum> data;
  for (int i = 0; i < 8; ++i) data.push_back(EncodedDatum(RandomImage(kHeight, kWidth, i), i));
  WriteDatabase(this->path_, data);
  LayerHarness<TypeParam> run(this->Text(8), {}, 2);
  run.Forward();
  for (int n = 0; n < 8; ++n) {
    EXPECT_EQ(run.out(0).data_at(n, 1, 4, 3), Pixel(RandomImage(kHeight, kWidth, n), 1, 4, 3));
  }
}

// With batches of one, images may differ in size.
TYPED_TEST(DataLayerTest, ShapesFollowTheFirstImageOfABatch) {
  WriteDatabase(this->path_, {DatumOf(RandomImage(2, 3, 1), 0), DatumOf(RandomImage(6, 7, 2), 1)});
  LayerHarness<TypeParam> run(this->Text(1), {}, 2);
  for (int i = 0; i < 6; ++i) {
    run.Forward();
    EXPECT_EQ(run.out(0).shape(), i % 2 == 0 ? (std::vector<int>{1, 3, 2, 3}) : (std::vector<int>{1, 3, 6, 7}));
    EXPECT_EQ(run.out(0).data_at(0, 2, 1, 2), Pixel(i % 2 == 0 ? RandomImage(2, 3, 1) : RandomImage(6, 7, 2), 2, 1, 2));
  }
}

TYPED_TEST(DataLayerTest, RandomCropsRepeatUnderASeed) {
  WriteDatabase(this->path_, Images(5));
  const auto draw = [this](unsigned seed, const std::string& prefetch) {
    caffe::Caffe::set_random_seed(seed);
    LayerHarness<TypeParam> run(this->Text(4, "prefetch: " + prefetch, "transform_param { crop_size: 2 mirror: true }"),
                                {}, 2, caffe::TRAIN);
    std::vector<double> values;
    for (int i = 0; i < 5; ++i) {
      run.Forward();
      const auto batch = Data(run.out(0));
      values.insert(values.end(), batch.begin(), batch.end());
    }
    return values;
  };
  EXPECT_EQ(draw(1, "4"), draw(1, "1"));
  EXPECT_NE(draw(1, "4"), draw(2, "4"));
}

TYPED_TEST(DataLayerTest, SkipsAtRandom) {
  WriteDatabase(this->path_, Images(4));
  std::set<double> first;
  for (int seed = 0; seed < 30; ++seed) {
    caffe::Caffe::set_random_seed(seed);
    LayerHarness<TypeParam> run(this->Text(1, "rand_skip: 3"), {}, 2);
    run.Forward();
    first.insert(run.out(1).cpu_data()[0]);
  }
  EXPECT_EQ(first, (std::set<double>{10, 11, 12}));
}

// Hours of reading, if each record were passed.
TYPED_TEST(DataLayerTest, SkipsManyTimesItsRecordsAtOnce) {
  WriteDatabase(this->path_, Images(5));
  std::set<double> first;
  for (int seed = 0; seed < 40; ++seed) {
    caffe::Caffe::set_random_seed(seed);
    LayerHarness<TypeParam> run(this->Text(1, "rand_skip: 4294967295"), {}, 2);
    caffe::Caffe::set_random_seed(seed);
    const unsigned skipped = caffe::caffe_rng_rand() % 4294967295u;
    run.Forward();
    EXPECT_EQ(run.out(1).cpu_data()[0], 10 + skipped % 5);
    first.insert(run.out(1).cpu_data()[0]);
  }
  EXPECT_EQ(first.size(), 5u);
}

TYPED_TEST(DataLayerTest, SolversTakeTurnsInTraining) {
  WriteDatabase(this->path_, Images(5));
  caffe::Caffe::set_solver_count(3);
  for (int rank = 0; rank < 3; ++rank) {
    caffe::Caffe::set_solver_rank(rank);
    LayerHarness<TypeParam> train(this->Text(2), {}, 2, caffe::TRAIN), test(this->Text(2), {}, 2, caffe::TEST);
    std::vector<double> expected;
    for (int i = 0; i < 6; ++i) expected.push_back(10 + (3 * i + rank) % 5);
    EXPECT_EQ(NextLabels(&train, 3), expected);
    EXPECT_EQ(NextLabels(&test, 2), (std::vector<double>{10, 11, 12, 13}));
  }
  caffe::Caffe::set_solver_count(1);
  caffe::Caffe::set_solver_rank(0);
}

TYPED_TEST(DataLayerTest, TwoLayersReadOneDatabase) {
  WriteDatabase(this->path_, Images(3));
  LayerHarness<TypeParam> one(this->Text(2), {}, 2), two(this->Text(1), {}, 2);
  EXPECT_EQ(NextLabels(&one, 2), (std::vector<double>{10, 11, 12, 10}));
  EXPECT_EQ(NextLabels(&two, 2), (std::vector<double>{10, 11}));
}

// However far the thread has read ahead, the saved place is that of the last batch put out.
TYPED_TEST(DataLayerTest, GoesOnWhereItWasSaved) {
  WriteDatabase(this->path_, Images(7));
  const std::string text = this->Text(2, "", "transform_param { crop_size: 3 mirror: true }");
  LayerHarness<TypeParam> run(text, {}, 2, caffe::TRAIN), resumed(text, {}, 2, caffe::TRAIN);
  for (const int before : {0, 1, 5}) {
    for (int i = 0; i < before; ++i) run.Forward();
    ExpectGoesOn(&run, &resumed);
  }
  ExpectError([&] { ResumableOf(resumed)->RestoreState("nonsense"); }, "damaged");
  std::string other = ResumableOf(run)->SaveState();
  other.resize(other.find('\n') + 1);
  ExpectError([&] { ResumableOf(resumed)->RestoreState(other + "9999"); }, "has no record '9999'");
  resumed.Forward();
}

TYPED_TEST(DataLayerTest, EndsAtAnyTime) {
  WriteDatabase(this->path_, Images(3));
  for (int forwards = 0; forwards < 20; ++forwards) {
    LayerHarness<TypeParam> run(this->Text(2, "prefetch: 2"), {}, 2);
    for (int i = 0; i < forwards % 4; ++i) run.Forward();
    if (forwards % 2) std::this_thread::sleep_for(std::chrono::microseconds(100 * forwards));
  }
}

TYPED_TEST(DataLayerTest, CountsTheTimeItWaited) {
  WriteDatabase(this->path_, Images(3));
  LayerHarness<TypeParam> run(this->Text(2), {}, 2);
  const auto* layer = dynamic_cast<caffe::BasePrefetchingDataLayer<TypeParam>*>(run.layer.get());
  EXPECT_EQ(layer->seconds_waited(), 0);
  run.Forward();
  EXPECT_GT(layer->seconds_waited(), 0);
  EXPECT_LT(layer->seconds_waited(), 10);
}

// The good batches come first, then the error, as often as asked.
TYPED_TEST(DataLayerTest, NamesACorruptRecord) {
  std::vector<std::string> values;
  for (const Datum& datum : Images(6)) values.push_back(datum.SerializeAsString());
  values[4] = "\xff\xff no datum";
  WriteDatabase(this->path_, values);
  LayerHarness<TypeParam> run(this->Text(2), {}, 2);
  EXPECT_EQ(NextLabels(&run, 2), (std::vector<double>{10, 11, 12, 13}));
  for (int i = 0; i < 3; ++i) {
    ExpectError([&] { run.Forward(); }, "record '0004' of " + this->path_ + ": corrupt: it is no Datum message");
  }
}

TYPED_TEST(DataLayerTest, PassesOverCorruptRecordsWhenTold) {
  std::vector<Datum> encoded;
  for (int i = 0; i < 6; ++i) encoded.push_back(EncodedDatum(RandomImage(kHeight, kWidth, i), 10 + i, "jpg"));
  caffe::CorruptRecords::set_skip(true);
  for (const bool is_encoded : {false, true}) {
    this->path_ = this->folder_ / (is_encoded ? "encoded" : "raw");
    std::vector<Datum> data = is_encoded ? encoded : Images(6);
    data[3].mutable_data()->pop_back();
    std::vector<std::string> values;
    for (const Datum& datum : data) values.push_back(datum.SerializeAsString());
    values[0] = "\xff\xff no datum";
    WriteDatabase(this->path_, values);
    const size_t before = caffe::CorruptRecords::count();
    LayerHarness<TypeParam> run(this->Text(3), {}, 2);
    EXPECT_EQ(NextLabels(&run, 3), (std::vector<double>{11, 12, 14, 15, 11, 12, 14, 15, 11}));
    EXPECT_EQ(caffe::CorruptRecords::count() - before, 2u);
  }
  this->path_ = this->folder_ / "all";
  WriteDatabase(this->path_, std::vector<std::string>{"\xff"});
  ExpectError([&] { LayerHarness<TypeParam>(this->Text(1), {}, 2); }, "none of the last 10000 records can be read");
  caffe::CorruptRecords::set_skip(false);
}

TYPED_TEST(DataLayerTest, NamesAnImageThatDoesNotDecodeOrFit) {
  std::vector<Datum> data = Images(6);
  data[3] = EncodedDatum(RandomImage(64, 64, 1), 1, "jpg");
  data[3].mutable_data()->resize(data[3].data().size() / 2);
  WriteDatabase(this->path_, data);
  LayerHarness<TypeParam> run(this->Text(6), {}, 2);
  ExpectError([&] { run.Forward(); }, "record '0003' of " + this->path_ + ": an encoded image");
  this->path_ = this->folder_ / "sizes";
  data[3] = DatumOf(RandomImage(kHeight + 1, kWidth, 1), 1);
  WriteDatabase(this->path_, data);
  LayerHarness<TypeParam> sizes(this->Text(6), {}, 2);
  ExpectError([&] { sizes.Forward(); }, "record '0003' of " + this->path_ + ": the image gives 3 channels of 6 x 4");
}

TYPED_TEST(DataLayerTest, SaysWhatIsWrong) {
  const auto make = [](const std::string& text) { return [=] { LayerHarness<TypeParam>(text, {}, 2); }; };
  ExpectError(make(this->Text(1)), "Database not found: " + this->path_);
  WriteDatabase(this->path_, std::vector<std::string>());
  ExpectError(make(this->Text(1)), "has no records");
  ExpectError(make(this->Text(0)), "batch_size above 0");
  ExpectError(make(this->Text(1, "prefetch: 0")), "prefetch 0");
  this->path_ = this->folder_ / "bad_first";
  WriteDatabase(this->path_, std::vector<std::string>{"\xff\xff"});
  ExpectError(make(this->Text(1)), "record '0000'");
}

}  // namespace
}  // namespace rxnn::testing
