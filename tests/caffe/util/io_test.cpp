#include "caffe/util/io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include "caffe/util/db.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/image_list.hpp"
#include "tests/support/layer_harness.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

std::vector<std::string>* file_events = nullptr;  // what fsync and rename were called for, while a test looks

}  // namespace

// In place of the C library's, for libcaffe too: they say that they were called.
extern "C" int fsync(int descriptor) {
  if (file_events != nullptr) {
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    file_events->push_back("sync " + std::filesystem::read_symlink(link).string());
  }
  return fdatasync(descriptor);
}
extern "C" int rename(const char* from, const char* to) noexcept {
  if (file_events != nullptr) file_events->push_back(std::string("rename ") + from + " " + to);
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

namespace rxnn::testing {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

// Every pixel another colour; blue, green and red differ.
cv::Mat TestImage(int height = 4, int width = 5) {
  cv::Mat image(height, width, CV_8UC3);
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width; ++w) {
      image.at<cv::Vec3b>(h, w) = cv::Vec3b(static_cast<uchar>(20 * h), static_cast<uchar>(30 * w), 200);
    }
  }
  return image;
}

TEST(ProtoFiles, TextAndBinaryKeepMessages) {
  const TemporaryDirectory folder;
  caffe::NetParameter net, text, binary;
  net.set_name("a \"name\"");
  net.add_layer()->add_loss_weight(0.1f);
  caffe::WriteProtoToTextFile(net, folder / "net.prototxt");
  caffe::WriteProtoToBinaryFile(net, folder / "net.binaryproto");
  EXPECT_TRUE(caffe::ReadProtoFromTextFile(folder / "net.prototxt", &text));
  EXPECT_TRUE(caffe::ReadProtoFromBinaryFile(folder / "net.binaryproto", &binary));
  EXPECT_EQ(text.SerializeAsString(), net.SerializeAsString());
  EXPECT_EQ(binary.SerializeAsString(), net.SerializeAsString());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2) << "no files beside";
}

TEST(ProtoFiles, ErrorsSayWhere) {
  const TemporaryDirectory folder;
  caffe::NetParameter net;
  const std::string file = folder / "net.prototxt";
  const auto read = [&] { caffe::ReadProtoFromTextFileOrDie(file, &net); };
  ExpectError(read, "File not found: " + file);
  EXPECT_FALSE(caffe::ReadProtoFromTextFile(file, &net));
  std::ofstream(file) << "name: 'x'\nlayer {\n  nmae: 'y'\n}\n";
  ExpectError(read, "Failed to parse NetParameter: " + file + ":3:7: ");
  ExpectError([&] { caffe::ReadProtoFromText("name 'x'", "memory", &net); }, "memory:1:6: ");
  ExpectError([&] { caffe::ReadProtoFromTextFileOrDie(folder.path().string(), &net); }, "found a directory");

  const auto read_binary = [&] { caffe::ReadProtoFromBinaryFileOrDie(file, &net); };
  ExpectError(read_binary, "Failed to parse NetParameter file: " + file + " (truncated");
  EXPECT_FALSE(caffe::ReadProtoFromBinaryFile(file, &net));
  std::filesystem::resize_file(file, 0);
  ExpectError(read_binary, "Failed to parse NetParameter file: " + file + " (truncated");
  ExpectError([&] { caffe::WriteProtoToBinaryFile(net, "/no/such/folder/net"); }, "Cannot write /no/such/folder/net");
}

TEST(ProtoFiles, AFailedWriteLeavesTheOldFile) {
  const TemporaryDirectory folder;
  caffe::NetParameter net;
  net.set_name("new");
  // A directory of the file's name is in the way of the rename.
  std::filesystem::create_directory(folder / "net");
  ExpectError([&] { caffe::WriteProtoToTextFile(net, folder / "net"); }, "Cannot write " + folder / "net");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

// A crash of the machine must not leave a new name with no bytes behind it: bytes, name, folder.
TEST(ProtoFiles, AreOnTheDiskBeforeTheyGetTheirName) {
  const TemporaryDirectory folder;
  const std::string file = folder / "net";
  std::vector<std::string> events;
  file_events = &events;
  caffe::WriteProtoToBinaryFile(caffe::NetParameter(), file);
  const std::vector<std::string> of_proto = std::exchange(events, {});
  caffe::Hdf5Writer hdf5(file);
  hdf5.WriteInt("iter", 1);
  hdf5.Commit();
  file_events = nullptr;
  for (const auto& found : {of_proto, events}) {
    ASSERT_EQ(found.size(), 3u) << ::testing::PrintToString(found);
    const std::string temporary = found[0].substr(std::string("sync ").size());
    EXPECT_EQ(temporary.compare(0, file.size() + 1, file + "."), 0) << temporary;
    EXPECT_EQ(found[1], "rename " + temporary + " " + file);
    EXPECT_EQ(found[2], "sync " + folder.path().string());
  }
}

// A pipe that nobody writes to would wait, a device never end.
TEST(Files, OnlyFilesAreRead) {
  const TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "folder/data.mdb");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(folder / "database");
  std::filesystem::create_symlink(folder / "pipe", folder / "database/data.mdb");
  std::ofstream(folder / "huge") << "name: 'x'";
  std::filesystem::resize_file(folder / "huge", std::uintmax_t{3} << 30);  // takes no room

  caffe::NetParameter net;
  caffe::Datum datum;
  const std::vector<std::pair<std::string, std::string>> refused = {
      {folder / "folder", "a directory"}, {folder / "pipe", "a pipe"}, {"/dev/zero", "a device"}};
  for (const auto& [path, kind] : refused) {
    const std::string message = "Expected a file, found " + kind + ": " + path;
    ExpectError([&, path = path] { caffe::ReadProtoFromTextFileOrDie(path, &net); }, message);
    ExpectError([&, path = path] { caffe::ReadProtoFromBinaryFileOrDie(path, &net); }, message);
    ExpectError([&, path = path] { caffe::ReadImageList(path); }, message);
    ExpectError([&, path = path] { caffe::Hdf5Reader reader(path); }, message);
    EXPECT_TRUE(caffe::ReadImageToCVMat(path).empty());
    EXPECT_FALSE(caffe::ReadFileToDatum(path, 1, &datum));
    EXPECT_EQ(caffe::WhyUnreadable(path), message);
  }
  for (const char* source : {"folder", "database"}) {
    ExpectError(
        [&] { std::unique_ptr<caffe::db::DB>(caffe::db::GetDB("lmdb"))->Open(folder / source, caffe::db::READ); },
        "Expected a file, found a");
  }
  const std::string too_large = folder / "huge" + " has 3221225472 bytes, expected 2 GiB at most";
  ExpectError([&] { caffe::ReadProtoFromTextFileOrDie(folder / "huge", &net); }, too_large);
  ExpectError([&] { caffe::ReadImageList(folder / "huge"); }, too_large);
  ExpectError([&] { caffe::ReadProtoFromBinaryFileOrDie(folder / "huge", &net); }, too_large);
  ExpectError([&] { caffe::ReadImageList(std::string(5000, 'x')); }, "File name too long");
  ExpectError([&] { caffe::ReadWholeFile(folder / std::string("huge\0x", 6)); }, "No file has a zero byte in its name");
}

// They call themselves regular and empty.
TEST(Files, OfProcAreReadToTheirEnd) {
  const std::string file = "/proc/self/maps";
  ASSERT_EQ(std::filesystem::file_size(file), 0u);
  const std::string read = caffe::ReadWholeFile(file);
  EXPECT_GT(read.size(), 4096u);
  EXPECT_EQ(read.back(), '\n');
  EXPECT_EQ(read.find('\0'), std::string::npos);
  EXPECT_EQ(caffe::ReadWholeFile("/proc/sys/kernel/ostype"), "Linux\n");
}

TEST(Images, AreReadAsBgr) {
  const TemporaryDirectory folder;
  const cv::Mat image = TestImage();
  cv::imwrite(folder / "x.png", image);
  const cv::Mat read = caffe::ReadImageToCVMat(folder / "x.png");
  ASSERT_EQ(read.size(), image.size());
  ExpectError([&] { caffe::ReadImageToCVMat(folder / "x.png", 100000000, 100000000, true); },
              "an image of 100000000 x 100000000 pixels is too large, 134217728 are possible");
  EXPECT_EQ(cv::norm(read, image, cv::NORM_INF), 0);
  EXPECT_EQ(caffe::ReadImageToCVMat(folder / "x.png", false).channels(), 1);
  EXPECT_EQ(caffe::ReadImageToCVMat(folder / "x.png", 8, 3).size(), cv::Size(3, 8));
  EXPECT_TRUE(caffe::ReadImageToCVMat(folder / "no.png").empty());
}

TEST(Images, BecomePlanarDatums) {
  const TemporaryDirectory folder;
  const cv::Mat image = TestImage();
  cv::imwrite(folder / "x.png", image);
  caffe::Datum datum;
  ASSERT_TRUE(caffe::ReadImageToDatum(folder / "x.png", 7, &datum));
  EXPECT_EQ(datum.label(), 7);
  ASSERT_EQ(datum.channels(), 3);
  ASSERT_EQ(datum.height(), 4);
  ASSERT_EQ(datum.width(), 5);
  for (int c = 0; c < 3; ++c) {
    for (int h = 0; h < 4; ++h) {
      for (int w = 0; w < 5; ++w) {
        EXPECT_EQ(static_cast<uchar>(datum.data()[(c * 4 + h) * 5 + w]), image.at<cv::Vec3b>(h, w)[c]);
      }
    }
  }
  EXPECT_FALSE(caffe::ReadImageToDatum(folder / "no.png", 7, &datum));
}

TEST(Images, EncodedDatumsHoldTheFile) {
  const TemporaryDirectory folder;
  cv::imwrite(folder / "x.png", TestImage());
  caffe::Datum encoded, decoded, plain;
  ASSERT_TRUE(caffe::ReadImageToDatum(folder / "x.png", 3, 0, 0, true, "png", &encoded));
  EXPECT_TRUE(encoded.encoded());
  EXPECT_EQ(encoded.data(), ReadFile(folder / "x.png"));
  EXPECT_EQ(encoded.label(), 3);
  decoded = encoded;
  EXPECT_TRUE(caffe::DecodeDatum(&decoded, true));
  ASSERT_TRUE(caffe::ReadImageToDatum(folder / "x.png", 3, &plain));
  EXPECT_EQ(decoded.data(), plain.data());
  EXPECT_FALSE(decoded.encoded());
  EXPECT_FALSE(caffe::DecodeDatum(&decoded, true)) << "nothing is left to decode";
  EXPECT_TRUE(caffe::DecodeDatumNative(&encoded));
  EXPECT_EQ(encoded.channels(), 3);
  caffe::Datum broken;
  broken.set_encoded(true);
  broken.set_data("no image");
  ExpectError([&] { caffe::DecodeDatum(&broken, true); }, "8 bytes cannot be decoded");
}

std::string BigEndian(unsigned value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// A PNG file whose header announces another size than its pixels have.
std::string PngThatAnnounces(int width, int height) {
  std::vector<uchar> png;
  cv::imencode(".png", TestImage(), png);
  std::string bytes(png.begin(), png.end());
  std::string header = "IHDR" + BigEndian(width) + BigEndian(height) + bytes.substr(24, 5);
  unsigned crc = ~0u;
  for (const char c : header) {
    crc ^= static_cast<uchar>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return bytes.replace(12, 21, header + BigEndian(~crc));
}

// The largest resident size that this process had, in bytes.
long PeakMemory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmHWM:") continue;
  long kibibytes = 0;
  status >> kibibytes;
  return kibibytes * 1024;
}

TEST(Images, AHeaderCannotAskForAnyMemory) {
  const long before = PeakMemory();
  caffe::Datum datum;
  datum.set_encoded(true);
  datum.set_data(PngThatAnnounces(5, 4));
  EXPECT_EQ(caffe::DecodeDatumToCVMat(datum, true).size(), cv::Size(5, 4)) << "the header was put together rightly";
  datum.set_data(PngThatAnnounces(32767, 32768));
  ExpectError(
      [&] { caffe::DecodeDatumToCVMat(datum, true); },
      "cannot be decoded: its header announces 32768 x 32767 pixels, in a file of its length at most 134217728");
  datum.set_data(PngThatAnnounces(1 << 20, 1 << 20));  // more than OpenCV itself reads
  ExpectError([&] { caffe::DecodeDatumToCVMat(datum, true); }, "cannot be decoded: ");

  // JPEG: the size stands behind the marker of the frame.
  std::vector<uchar> jpeg;
  cv::imencode(".jpg", TestImage(16, 16), jpeg);
  std::string bytes(jpeg.begin(), jpeg.end());
  const size_t frame = bytes.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  datum.set_data(bytes.replace(frame + 5, 4, std::string("\x20\x00\x20\x00", 4)));
  ExpectError([&] { caffe::DecodeDatumToCVMat(datum, true); }, "its header announces 8192 x 8192 pixels");
  EXPECT_LT(PeakMemory() - before, 64 << 20);

  // The message of a file names it.
  const TemporaryDirectory folder;
  std::ofstream(folder / "huge.png", std::ios::binary) << PngThatAnnounces(32767, 32768);
  EXPECT_TRUE(caffe::ReadImageToCVMat(folder / "huge.png").empty());
  EXPECT_NE(caffe::WhyUnreadable(folder / "huge.png").find("huge.png cannot be decoded: its header announces"),
            std::string::npos);
}

}  // namespace
}  // namespace rxnn::testing
