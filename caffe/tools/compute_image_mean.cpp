// The mean image of a database.
#include <memory>

#include "caffe/util/db.hpp"
#include "caffe/util/in_threads.hpp"
#include "caffe/util/io.hpp"
#include "tool_main.hpp"

DEFINE_string(backend, "lmdb", "Kind of database: lmdb or leveldb.");

namespace caffe::tools {
namespace {

// Sums of each value over images of one shape.
class ImageSum {
 public:
  void Add(const Datum& datum) {
    if (count_ == 0) {
      channels_ = datum.channels();
      height_ = datum.height();
      width_ = datum.width();
      // In two steps: the product of three absurd dimensions would overflow.
      const std::int64_t rows = std::int64_t{channels_} * height_;
      const std::int64_t size = rows <= INT_MAX ? rows * width_ : -1;
      CAFFE_REQUIRE(channels_ > 0 && height_ > 0 && width_ > 0 && size > 0 && size <= INT_MAX)
          << "has the impossible shape " << Shape(datum);
      sums_.assign(size, 0);
    }
    CAFFE_REQUIRE(datum.channels() == channels_ && datum.height() == height_ && datum.width() == width_)
        << "has the shape " << Shape(datum) << ", the first record " << channels_ << " x " << height_ << " x " << width_
        << "; a mean needs images of one shape (convert_imageset --resize_height --resize_width)";
    const size_t size = datum.data().empty() ? datum.float_data_size() : datum.data().size();
    CAFFE_REQUIRE(size == sums_.size()) << "holds " << size << " values, its shape asks for " << sums_.size();
    if (datum.data().empty()) {
      for (size_t i = 0; i < size; ++i) sums_[i] += datum.float_data(static_cast<int>(i));
    } else {
      for (size_t i = 0; i < size; ++i) sums_[i] += static_cast<std::uint8_t>(datum.data()[i]);
    }
    ++count_;
  }

  std::int64_t count() const { return count_; }
  int channels() const { return channels_; }

  BlobProto Mean() const {
    BlobProto mean;
    mean.set_num(1);
    mean.set_channels(channels_);
    mean.set_height(height_);
    mean.set_width(width_);
    for (const double sum : sums_) mean.add_data(static_cast<float>(sum / count_));
    return mean;
  }

  double ChannelMean(int channel) const {
    const size_t area = sums_.size() / channels_;
    double sum = 0;
    for (size_t i = channel * area; i < (channel + 1) * area; ++i) sum += sums_[i];
    return sum / count_ / area;
  }

 private:
  static string Shape(const Datum& datum) {
    return std::to_string(datum.channels()) + " x " + std::to_string(datum.height()) + " x " +
           std::to_string(datum.width());
  }

  int channels_ = 0, height_ = 0, width_ = 0;
  std::int64_t count_ = 0;
  vector<double> sums_;
};

template <typename Action>
void InRecord(const string& database, const string& key, Action action) {
  try {
    action();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("record '" + db::PrintableKey(key) + "' of " + database + ": " + error.what());
  }
}

ImageSum SumOf(const string& source) {
  const std::unique_ptr<db::DB> database(db::GetDB(FLAGS_backend));
  database->Open(source, db::READ);
  const std::unique_ptr<db::Cursor> cursor(database->NewCursor());
  CAFFE_REQUIRE(cursor->valid()) << "the database " << source << " has no records";

  LOG(INFO) << "Starting iteration";
  ImageSum sum;
  // A block at a time: decoded in threads, added up in order.
  constexpr size_t kBlock = 64;
  while (cursor->valid()) {
    vector<string> keys, values;
    for (; cursor->valid() && keys.size() < kBlock; cursor->Next()) {
      keys.push_back(cursor->key());
      values.push_back(cursor->value());
    }
    vector<Datum> data(keys.size());
    InThreads(static_cast<int>(keys.size()), static_cast<int>(std::thread::hardware_concurrency()), [&](int i) {
      InRecord(source, keys[i], [&] {
        CAFFE_REQUIRE(data[i].ParseFromString(values[i])) << "corrupt: it is no Datum message";
        DecodeDatumNative(&data[i]);
      });
    });
    for (size_t i = 0; i < keys.size(); ++i) {
      InRecord(source, keys[i], [&] { sum.Add(data[i]); });
      if (sum.count() % 10000 == 0) LOG(INFO) << "Processed " << sum.count() << " files.";
    }
  }
  if (sum.count() % 10000 != 0) LOG(INFO) << "Processed " << sum.count() << " files.";
  return sum;
}

int Run(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    ShowUsage();
    return 1;
  }
  const ImageSum sum = SumOf(argv[1]);
  if (argc == 3) {
    LOG(INFO) << "Write to " << argv[2];
    WriteProtoToBinaryFile(sum.Mean(), argv[2]);
  }
  LOG(INFO) << "Number of channels: " << sum.channels();
  for (int c = 0; c < sum.channels(); ++c) {
    LOG(INFO) << "mean_value channel [" << c << "]: " << sum.ChannelMean(c);
  }
  return 0;
}

const char* const kUsage =
    "Computes the mean image of a database of images of one size, and the mean of each channel.\n"
    "usage: compute_image_mean [FLAGS] INPUT_DB [OUTPUT_FILE]\n\n"
    "OUTPUT_FILE is what mean_file in transform_param names.";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "compute_image_mean", caffe::tools::kUsage, caffe::tools::Run);
}
