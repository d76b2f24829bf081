#include "caffe/util/io.hpp"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "image_decode.hpp"

namespace caffe {
namespace fs = std::filesystem;
namespace {

// Complaints of the text parser, one line each: "<file>:<line>:<column>: <what>".
class TextErrors : public google::protobuf::io::ErrorCollector {
 public:
  explicit TextErrors(const string& origin) : origin_(origin) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column, const string& message) override {
    if (!text_.empty()) text_ += "; ";
    // The parser counts from 0; a line of -1 speaks of the file as a whole.
    text_ += origin_;
    if (line >= 0) text_ += ":" + std::to_string(line + 1) + ":" + std::to_string(column + 1);
    text_ += ": " + message;
  }
  void AddWarning(int line, google::protobuf::io::ColumnNumber column, const string& message) override {
    LOG(WARNING) << origin_ << ":" << line + 1 << ":" << column + 1 << ": " << message;
  }

  // In one line.
  const string& text() const { return text_; }

 private:
  string origin_;
  string text_;
};

// What a path leads to that is no file.
const char* KindOf(fs::file_type type) {
  switch (type) {
    case fs::file_type::directory:
      return "a directory";
    case fs::file_type::fifo:
      return "a pipe";
    case fs::file_type::character:
    case fs::file_type::block:
      return "a device";
    case fs::file_type::socket:
      return "a socket";
    default:
      return "something else";
  }
}

void RequireReadableSize(const string& filename, std::uintmax_t bytes) {
  CAFFE_REQUIRE(bytes <= kMaxProtobufBytes) << filename << " has " << bytes << " bytes, expected 2 GiB at most";
}

// Has what was written to a file or a folder brought to the disk.
bool Sync(const string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY);
  if (descriptor < 0) return false;
  const bool ok = fsync(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  errno = error;
  return ok || error == EINVAL;  // of a file system that knows no such thing
}

// Calls write(descriptor) on a file beside `filename` and renames it; leaves nothing behind when that fails.
template <typename Write>
void WriteAndRename(const string& filename, Write write) {
  string temporary = filename + ".XXXXXX";
  const int descriptor = mkstemp(temporary.data());
  CAFFE_REQUIRE(descriptor >= 0) << "Cannot write " << filename << ": " << std::strerror(errno);
  const mode_t mask = umask(0);
  umask(mask);
  bool ok = fchmod(descriptor, 0666 & ~mask) == 0 && write(descriptor);
  ok = close(descriptor) == 0 && ok;
  const string reason = std::strerror(errno);
  if (!ok) unlink(temporary.c_str());
  CAFFE_REQUIRE(ok) << "Cannot write " << filename << ": " << reason;
  MoveIntoPlace(temporary, filename);
}

}  // namespace

void RequireFile(const string& filename) {
  // The system would see a shorter name, of another file.
  CAFFE_REQUIRE(filename.find('\0') == string::npos) << "No file has a zero byte in its name: " << filename;
  std::error_code error;
  const fs::file_type type = fs::status(filename, error).type();
  CAFFE_REQUIRE(type != fs::file_type::not_found) << "File not found: " << filename;
  CAFFE_REQUIRE(type != fs::file_type::none) << "Cannot open " << filename << ": " << error.message();
  CAFFE_REQUIRE(type == fs::file_type::regular) << "Expected a file, found " << KindOf(type) << ": " << filename;
}

std::ifstream OpenFile(const string& filename, ios::openmode mode) {
  RequireFile(filename);
  RequireReadableSize(filename, fs::file_size(filename));
  std::ifstream stream(filename, mode);
  CAFFE_REQUIRE(stream) << "Cannot open " << filename << ": " << std::strerror(errno);
  return stream;
}

string ReadWholeFile(const string& filename) {
  std::ifstream stream = OpenFile(filename, ios::in | ios::binary);
  // The size is a guess: files of /proc have 0 and more to read. A byte beyond it is where most end.
  string content(fs::file_size(filename) + 1, '\0');
  size_t size = 0;
  while (stream.read(content.data() + size, static_cast<std::streamsize>(content.size() - size))) {
    size = content.size();
    RequireReadableSize(filename, size);
    content.resize(2 * size);
  }
  CAFFE_REQUIRE(!stream.bad()) << "Cannot read " << filename << ": " << std::strerror(errno);
  content.resize(size + stream.gcount());
  return content;
}

void MoveIntoPlace(const string& temporary, const string& filename) {
  const bool ok = Sync(temporary) && std::rename(temporary.c_str(), filename.c_str()) == 0;
  const string reason = std::strerror(errno);
  if (!ok) unlink(temporary.c_str());
  CAFFE_REQUIRE(ok) << "Cannot write " << filename << ": " << reason;
  // The new name; the file is whole without, so that a folder that cannot be opened is no error.
  Sync(fs::absolute(filename).parent_path());
}

void ReadProtoFromText(const string& text, const string& origin, Message* proto) {
  TextErrors errors(origin);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(text, proto)) {
    throw Error("Failed to parse " + proto->GetDescriptor()->name() + ": " + errors.text());
  }
}

void ReadProtoFromTextFileOrDie(const string& filename, Message* proto) {
  ReadProtoFromText(ReadWholeFile(filename), filename, proto);
}

bool ReadProtoFromTextFile(const string& filename, Message* proto) {
  try {
    ReadProtoFromTextFileOrDie(filename, proto);
    return true;
  } catch (const Error& error) {
    LOG(ERROR) << error.what();
    return false;
  }
}

void WriteProtoToTextFile(const Message& proto, const string& filename) {
  WriteAndRename(filename, [&](int descriptor) {
    google::protobuf::io::FileOutputStream output(descriptor);
    return google::protobuf::TextFormat::Print(proto, &output) && output.Flush();
  });
}

void ReadProtoFromBinaryFileOrDie(const string& filename, Message* proto) {
  RequireFile(filename);
  RequireReadableSize(filename, fs::file_size(filename));
  const int descriptor = open(filename.c_str(), O_RDONLY);
  CAFFE_REQUIRE(descriptor >= 0) << "Cannot open " << filename << ": " << std::strerror(errno);
  google::protobuf::io::FileInputStream raw(descriptor);
  raw.SetCloseOnDelete(true);
  google::protobuf::io::CodedInputStream coded(&raw);
  coded.SetTotalBytesLimit(INT_MAX);
  // Nothing at all parses too, as a message of defaults.
  CAFFE_REQUIRE(proto->ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage() && coded.CurrentPosition() > 0)
      << "Failed to parse " << proto->GetDescriptor()->name() << " file: " << filename
      << " (truncated, or no binary protobuf file of this kind)";
}

bool ReadProtoFromBinaryFile(const string& filename, Message* proto) {
  try {
    ReadProtoFromBinaryFileOrDie(filename, proto);
    return true;
  } catch (const Error& error) {
    LOG(ERROR) << error.what();
    return false;
  }
}

void WriteProtoToBinaryFile(const Message& proto, const string& filename) {
  const size_t bytes = proto.ByteSizeLong();
  CAFFE_REQUIRE(bytes <= kMaxProtobufBytes)
      << "Cannot write " << filename << ": " << bytes
      << " bytes are more than a protobuf file holds (2 GiB); weights that large go to HDF5 (.caffemodel.h5)";
  WriteAndRename(filename, [&](int descriptor) { return proto.SerializeToFileDescriptor(descriptor); });
}

namespace {

bool ReadBytes(const string& filename, string* bytes) {
  try {
    *bytes = ReadWholeFile(filename);
    return true;
  } catch (const Error& error) {
    LOG(ERROR) << error.what();
    return false;
  }
}

}  // namespace

cv::Mat ReadImageToCVMat(const string& filename, int height, int width, bool is_color) {
  CAFFE_REQUIRE(std::int64_t{std::max(height, 0)} * std::max(width, 0) <= kMaxImagePixels)
      << "an image of " << height << " x " << width << " pixels is too large, " << kMaxImagePixels << " are possible";
  string bytes, failure;
  if (!ReadBytes(filename, &bytes)) return cv::Mat();
  const cv::Mat image = DecodeImage(bytes, is_color ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE, &failure);
  if (image.empty()) {
    LOG(ERROR) << "Could not decode " << filename << ": " << failure;
    return image;
  }
  if (height <= 0 || width <= 0) return image;
  cv::Mat resized;
  cv::resize(image, resized, cv::Size(width, height));
  return resized;
}

cv::Mat ReadImageToCVMat(const string& filename, int height, int width) {
  return ReadImageToCVMat(filename, height, width, true);
}

cv::Mat ReadImageToCVMat(const string& filename, bool is_color) { return ReadImageToCVMat(filename, 0, 0, is_color); }

cv::Mat ReadImageToCVMat(const string& filename) { return ReadImageToCVMat(filename, 0, 0, true); }

namespace {

cv::Mat DecodeDatumWithFlag(const Datum& datum, int flag) {
  CHECK(datum.encoded()) << "the datum is not encoded";
  string failure;
  cv::Mat image = DecodeImage(datum.data(), flag, &failure);
  CAFFE_REQUIRE(!image.empty()) << "an encoded image of " << datum.data().size()
                                << " bytes cannot be decoded: " << failure;
  return image;
}

// Whether the bytes of the file already are what `encoding` asks for.
bool HasEncoding(const string& filename, string encoding) {
  const auto lower = [](string text) {
    std::transform(text.begin(), text.end(), text.begin(), ::tolower);
    return text;
  };
  const size_t dot = filename.rfind('.');
  const string extension = dot == string::npos ? "" : lower(filename.substr(dot + 1));
  encoding = lower(encoding);
  return extension == encoding || (extension == "jpeg" && encoding == "jpg") ||
         (extension == "jpg" && encoding == "jpeg");
}

}  // namespace

cv::Mat DecodeDatumToCVMat(const Datum& datum, bool is_color) {
  return DecodeDatumWithFlag(datum, is_color ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE);
}

cv::Mat DecodeDatumToCVMatNative(const Datum& datum) { return DecodeDatumWithFlag(datum, cv::IMREAD_UNCHANGED); }

bool ReadImageToDatum(const string& filename, int label, int height, int width, bool is_color,
                      const std::string& encoding, Datum* datum) {
  const cv::Mat image = ReadImageToCVMat(filename, height, width, is_color);
  if (image.empty()) return false;
  if (encoding.empty()) {
    CVMatToDatum(image, datum);
    datum->set_label(label);
    return true;
  }
  const bool as_stored = (image.channels() == 3) == is_color && height <= 0 && width <= 0;
  if (as_stored && HasEncoding(filename, encoding)) return ReadFileToDatum(filename, label, datum);
  vector<uchar> bytes;
  CAFFE_REQUIRE(cv::haveImageWriter("." + encoding) && cv::imencode("." + encoding, image, bytes))
      << "images cannot be encoded as " << encoding;
  datum->set_data(string(bytes.begin(), bytes.end()));
  datum->set_label(label);
  datum->set_encoded(true);
  return true;
}

bool ReadImageToDatum(const string& filename, int label, int height, int width, bool is_color, Datum* datum) {
  return ReadImageToDatum(filename, label, height, width, is_color, "", datum);
}

bool ReadImageToDatum(const string& filename, int label, Datum* datum) {
  return ReadImageToDatum(filename, label, 0, 0, true, datum);
}

bool ReadFileToDatum(const string& filename, int label, Datum* datum) {
  if (!ReadBytes(filename, datum->mutable_data())) return false;
  datum->set_label(label);
  datum->set_encoded(true);
  return true;
}

void MakeTempDir(string* temp_dirname) {
  string path = (fs::temp_directory_path() / "caffe.XXXXXX").string();
  CAFFE_REQUIRE(mkdtemp(path.data()) != nullptr) << "cannot make a directory " << path << ": " << std::strerror(errno);
  *temp_dirname = path;
}

void MakeTempFilename(string* temp_filename) {
  MakeTempDir(temp_filename);
  *temp_filename += "/file";
}

bool DecodeDatum(Datum* datum, bool is_color) {
  if (!datum->encoded()) return false;
  CVMatToDatum(DecodeDatumToCVMat(*datum, is_color), datum);
  return true;
}

bool DecodeDatumNative(Datum* datum) {
  if (!datum->encoded()) return false;
  CVMatToDatum(DecodeDatumToCVMatNative(*datum), datum);
  return true;
}

void CVMatToDatum(const cv::Mat& image, Datum* datum) {
  CAFFE_REQUIRE(image.depth() == CV_8U) << "an image must have 8 bits per value";
  const int channels = image.channels();
  datum->set_channels(channels);
  datum->set_height(image.rows);
  datum->set_width(image.cols);
  datum->clear_float_data();
  datum->set_encoded(false);
  string planes(static_cast<size_t>(channels) * image.rows * image.cols, '\0');
  for (int h = 0; h < image.rows; ++h) {
    const uchar* row = image.ptr<uchar>(h);
    for (int w = 0; w < image.cols; ++w) {
      for (int c = 0; c < channels; ++c) {
        planes[(static_cast<size_t>(c) * image.rows + h) * image.cols + w] = static_cast<char>(row[w * channels + c]);
      }
    }
  }
  datum->set_data(std::move(planes));
}

}  // namespace caffe
