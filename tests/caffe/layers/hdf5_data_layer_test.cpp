#include "caffe/layers/hdf5_data_layer.hpp"

#include <algorithm>

#include "caffe/util/corrupt_records.hpp"
#include "caffe/util/hdf5.hpp"
#include "tests/support/data_layers.hpp"
#include "tests/support/image_files.hpp"

namespace rxnn::testing {
namespace {

// Row r of a file that starts with number `first`: the label first + r and a (2, 3) array of first + r, +0.1 ...
void WriteRows(const std::string& path, int first, int rows, int label_rows = -1, int width = 3) {
  std::vector<float> data, labels;
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < 2 * width; ++i) data.push_back(static_cast<float>(first + r + 0.125 * i));
  }
  if (label_rows < 0) label_rows = rows;
  for (int r = 0; r < label_rows; ++r) labels.push_back(static_cast<float>(first + r));
  caffe::Hdf5Writer file(path);
  file.Write("data", {rows, 2, width}, data.data());
  file.Write("label", {label_rows}, labels.data());
  file.Commit();
}

template <typename Dtype>
class HDF5DataLayerTest : public LayerTest<Dtype> {
 protected:
  void SetUp() override {
    WriteRows(folder_ / "a.h5", 0, 4);
    WriteRows(folder_ / "b.h5", 10, 3);
    WriteText(list_, (folder_ / "a.h5") + "\n" + (folder_ / "b.h5") + "\n");
  }
  std::string Text(int batch_size, const std::string& param = "",
                   const std::string& tops = "'data' top: 'label'") const {
    return "type: 'HDF5Data' top: " + tops + " hdf5_data_param { source: '" + list_ +
           "' batch_size: " + std::to_string(batch_size) + " " + param + " }";
  }
  std::vector<double> Labels(LayerHarness<Dtype>* run, int batches) const {
    std::vector<double> labels;
    for (int i = 0; i < batches; ++i) {
      run->Forward();
      for (int n = 0; n < run->out(1).count(); ++n) {
        const double label = run->out(1).cpu_data()[n];
        labels.push_back(label);
        // The row goes with its label.
        for (int k = 0; k < 6; ++k) EXPECT_EQ(run->out(0).cpu_data()[n * 6 + k], label + 0.125 * k);
      }
    }
    return labels;
  }

  TemporaryDirectory folder_;
  std::string list_ = folder_ / "list.txt";
};
TYPED_TEST_SUITE(HDF5DataLayerTest, BothTypes);

TYPED_TEST(HDF5DataLayerTest, ReadsFileAfterFile) {
  LayerHarness<TypeParam> run(this->Text(5), {}, 2);
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{5, 2, 3}));
  EXPECT_EQ(run.out(1).shape(), std::vector<int>{5});
  EXPECT_EQ(this->Labels(&run, 3), (std::vector<double>{0, 1, 2, 3, 10, 11, 12, 0, 1, 2, 3, 10, 11, 12, 0}));
}

TYPED_TEST(HDF5DataLayerTest, SolversTakeTurnsInTraining) {
  caffe::Caffe::set_solver_count(2);
  caffe::Caffe::set_solver_rank(1);
  LayerHarness<TypeParam> train(this->Text(4), {}, 2, caffe::TRAIN), test(this->Text(4), {}, 2, caffe::TEST);
  EXPECT_EQ(this->Labels(&train, 1), (std::vector<double>{1, 3, 11, 0}));
  EXPECT_EQ(this->Labels(&test, 1), (std::vector<double>{0, 1, 2, 3}));
  caffe::Caffe::set_solver_count(1);
  caffe::Caffe::set_solver_rank(0);
}

TYPED_TEST(HDF5DataLayerTest, TopsAreDatasetsByName) {
  LayerHarness<TypeParam> run(this->Text(2, "", "'label'"), {}, 1);
  run.Forward();
  ExpectAllNear(Data(run.out()), {0, 1}, 0);
}

TYPED_TEST(HDF5DataLayerTest, ShufflesFilesAndRows) {
  caffe::Caffe::set_random_seed(2);
  LayerHarness<TypeParam> run(this->Text(7, "shuffle: true"), {}, 2);
  std::set<std::vector<double>> orders;
  bool second_first = false;
  for (int pass = 0; pass < 10; ++pass) {
    auto labels = this->Labels(&run, 1);
    orders.insert(labels);
    second_first = second_first || labels[0] >= 10;
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, (std::vector<double>{0, 1, 2, 3, 10, 11, 12}));
  }
  EXPECT_GT(orders.size(), 5u);
  EXPECT_TRUE(second_first);
  // One file alone has its rows shuffled too.
  WriteText(this->list_, (this->folder_ / "a.h5") + "\n");
  LayerHarness<TypeParam> one(this->Text(4, "shuffle: true"), {}, 2);
  orders.clear();
  for (int pass = 0; pass < 10; ++pass) orders.insert(this->Labels(&one, 1));
  EXPECT_GT(orders.size(), 4u);
}

TYPED_TEST(HDF5DataLayerTest, GoesOnWhereItWasSaved) {
  LayerHarness<TypeParam> run(this->Text(3, "shuffle: true"), {}, 2), resumed(this->Text(3, "shuffle: true"), {}, 2);
  for (const int before : {0, 2, 5}) {
    this->Labels(&run, before);
    ResumableOf(resumed)->RestoreState(ResumableOf(run)->SaveState());
    EXPECT_EQ(this->Labels(&resumed, 6), this->Labels(&run, 6));
  }
  ExpectError([&] { ResumableOf(run)->RestoreState("1 7 0"); }, "it has only 2 files");
  ExpectError([&] { ResumableOf(run)->RestoreState("1 0 9"); }, "rows");
}

TYPED_TEST(HDF5DataLayerTest, SaysWhatIsWrong) {
  const auto make = [this](const std::string& tops = "'data' top: 'label'", int batch_size = 1) {
    return [=] { LayerHarness<TypeParam>(this->Text(batch_size, "", tops), {}, 2); };
  };
  const std::string file = this->folder_ / "a.h5";
  ExpectError(make("'data' top: 'other'"), file + ": no dataset 'other'");
  ExpectError(make("'data' top: 'label'", 0), "batch_size above 0");
  WriteRows(file, 0, 4, 3);
  ExpectError(make(), file + ": dataset 'label' has 3 rows, 'data' has 4");
  WriteText(file, "no HDF5 file");
  ExpectError(make(), file);
  WriteText(this->list_, (this->folder_ / "c.h5") + "\n");
  ExpectError(make(), "File not found: " + (this->folder_ / "c.h5"));
  WriteText(this->list_, "\n");
  ExpectError(make(), "names no HDF5 file");
  this->list_ = this->folder_ / "none";
  ExpectError(make(), "File not found: " + this->list_);
}

TYPED_TEST(HDF5DataLayerTest, PassesOverCorruptFilesWhenTold) {
  const std::string damaged = this->folder_ / "b.h5";
  std::filesystem::resize_file(damaged, std::filesystem::file_size(damaged) - 1);
  WriteRows(this->folder_ / "c.h5", 20, 2);
  WriteText(this->list_, damaged + "\n" + (this->folder_ / "a.h5") + "\n" + (this->folder_ / "none.h5") + "\n" +
                             (this->folder_ / "c.h5") + "\n" + damaged + "\n");
  ExpectError([&] { LayerHarness<TypeParam>(this->Text(3), {}, 2); }, damaged + ": truncated");
  const size_t before = caffe::CorruptRecords::count();
  caffe::CorruptRecords::set_skip(true);
  LayerHarness<TypeParam> run(this->Text(3), {}, 2);
  EXPECT_EQ(this->Labels(&run, 3), (std::vector<double>{0, 1, 2, 3, 20, 21, 0, 1, 2}));
  EXPECT_EQ(caffe::CorruptRecords::count() - before, 2u);
  // Shuffled, a pass may begin with the file that ended the one before.
  LayerHarness<TypeParam> shuffled(this->Text(6, "shuffle: true"), {}, 2);
  for (int pass = 0; pass < 20; ++pass) {
    auto labels = this->Labels(&shuffled, 1);
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, (std::vector<double>{0, 1, 2, 3, 20, 21}));
  }
  WriteText(this->list_, damaged + "\n");
  ExpectError([&] { LayerHarness<TypeParam>(this->Text(1), {}, 2); }, this->list_ + ": none of its files can be read");
  caffe::CorruptRecords::set_skip(false);
}

TYPED_TEST(HDF5DataLayerTest, FilesMustAgree) {
  WriteRows(this->folder_ / "b.h5", 10, 3, 3, 4);
  LayerHarness<TypeParam> run(this->Text(4), {}, 2);
  ExpectError([&] { this->Labels(&run, 1); }, "b.h5: dataset 'data' has the shape 3 2 4 (24)");
}

}  // namespace
}  // namespace rxnn::testing
