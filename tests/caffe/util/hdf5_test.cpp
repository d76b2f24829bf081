#include "caffe/util/hdf5.hpp"

#include <fstream>

#include "tests/support/layer_harness.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

TEST(Hdf5, KeepsWhatItIsGiven) {
  const TemporaryDirectory folder;
  const std::vector<float> floats = {1.5f, -2, 3.25f, 0, 1e-30f, 7};
  const std::vector<double> doubles = {0.1, 1e300};
  const std::string bytes("a\0b\xff", 4);
  {
    caffe::Hdf5Writer writer(folder / "x.h5");
    writer.Write("group/of/floats", {2, 3}, floats.data());
    writer.Write("group/doubles", {2}, doubles.data());
    writer.WriteInt("int", -42);
    writer.WriteString("text", "a b");
    writer.WriteString("empty", "");
    writer.WriteBytes("bytes", bytes);
    writer.WriteBytes("no_bytes", "");
    writer.Commit();
  }
  const caffe::Hdf5Reader reader(folder / "x.h5");
  EXPECT_TRUE(reader.Exists("group") && reader.Exists("group/of/floats"));
  EXPECT_FALSE(reader.Exists("no") || reader.Exists("no/no/no") || reader.Exists("group/no"));
  EXPECT_EQ(reader.Shape("group/of/floats"), (std::vector<int>{2, 3}));
  std::vector<float> read_floats(6);
  reader.Read("group/of/floats", read_floats.data());
  EXPECT_EQ(read_floats, floats);
  std::vector<double> read_doubles(2), converted(6);
  reader.Read("group/doubles", read_doubles.data());
  EXPECT_EQ(read_doubles, doubles);
  reader.Read("group/of/floats", converted.data());
  EXPECT_EQ(converted, std::vector<double>(floats.begin(), floats.end()));
  EXPECT_EQ(reader.ReadInt("int"), -42);
  EXPECT_EQ(reader.ReadString("text"), "a b");
  EXPECT_EQ(reader.ReadString("empty"), "");
  EXPECT_EQ(reader.ReadBytes("bytes"), bytes);
  EXPECT_EQ(reader.ReadBytes("no_bytes"), "");
}

TEST(Hdf5, CountsNumberedDatasets) {
  const TemporaryDirectory folder;
  const float value = 1;
  caffe::Hdf5Writer writer(folder / "x.h5");
  for (const char* name : {"g/0", "g/1", "g/2", "g/4"}) writer.Write(name, {1}, &value);
  writer.Commit();
  const caffe::Hdf5Reader reader(folder / "x.h5");
  EXPECT_EQ(reader.CountDatasets("g"), 3);
  EXPECT_EQ(reader.CountDatasets("no"), 0);
}

TEST(Hdf5, LeavesNothingWithoutCommit) {
  const TemporaryDirectory folder;
  const float value = 1;
  {
    caffe::Hdf5Writer writer(folder / "x.h5");
    writer.Write("a", {1}, &value);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5, NamesWhatIsWrong) {
  const TemporaryDirectory folder;
  const std::string file = folder / "x.h5";
  const auto open = [&] { caffe::Hdf5Reader reader(file); };
  ExpectError(open, "File not found: " + file);
  std::ofstream(file) << "no HDF5";
  ExpectError(open, file + ": truncated, or no HDF5 file");
  const float values[] = {1, 2};
  caffe::Hdf5Writer writer(file);
  writer.Write("a", {2}, values);
  ExpectError([&] { writer.Write("a", {2}, values); }, file + ": cannot write dataset a");
  writer.Commit();
  const caffe::Hdf5Reader reader(file);
  float value;
  ExpectError([&] { reader.Read("b", &value); }, file + ": cannot read dataset b");
  ExpectError([&] { reader.Shape("b"); }, file + ": no dataset b");
  ExpectError([&] { reader.ReadInt("a"); }, file + ": cannot read one integer from dataset a");
  ExpectError([&] { reader.ReadString("a"); }, file + ": dataset a is no text");
  ExpectError([&] { reader.ReadBytes("b"); }, file + ": no dataset b");
  ExpectError([] { caffe::Hdf5Writer("/no/such/folder/x.h5"); }, "Cannot write /no/such/folder/x.h5");
}

}  // namespace
}  // namespace rxnn::testing
