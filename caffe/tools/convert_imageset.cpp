// Makes a database of the images of a list.
#include <algorithm>
#include <memory>

#include "caffe/util/db.hpp"
#include "caffe/util/image_list.hpp"
#include "caffe/util/in_threads.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/rng.hpp"
#include "new_database.hpp"
#include "tool_main.hpp"

DEFINE_bool(gray, false, "Store grey images, of one channel.");
DEFINE_bool(shuffle, false, "Shuffle the list, images and labels together.");
DEFINE_string(backend, "lmdb", "Kind of database: lmdb or leveldb.");
DEFINE_int32(resize_width, 0, "Width the images are resized to; 0: as they are.");
DEFINE_int32(resize_height, 0, "Height the images are resized to; 0: as they are.");
DEFINE_bool(check_size, false, "Refuse images of different sizes.");
DEFINE_bool(encoded, false, "Store the images encoded, as JPEG or PNG.");
DEFINE_string(encode_type, "",
              "Encoding of the stored images, with --encoded: jpg, png, ... Empty: as their files are.");

namespace caffe::tools {
namespace {

constexpr int kCommitEvery = 1000;

// The encoding of a stored image, empty for raw values.
string EncodingOf(const string& filename) {
  if (!FLAGS_encode_type.empty() || !FLAGS_encoded) return FLAGS_encode_type;
  const size_t dot = filename.rfind('.');
  CAFFE_REQUIRE(dot != string::npos) << filename << " has no ending that says how it is encoded: give --encode_type";
  string extension = filename.substr(dot + 1);
  std::transform(extension.begin(), extension.end(), extension.begin(), ::tolower);
  return extension;
}

// Key of a record: its place in the (shuffled) list, so that records come in this order, and the image's name.
string KeyOf(size_t index, const string& name) {
  const string number = std::to_string(index);
  return string(number.size() < 8 ? 8 - number.size() : 0, '0') + number + "_" + name;
}

class SizeCheck {
 public:
  void Check(const Datum& datum) {
    const size_t size = datum.data().size();
    if (!size_) size_ = std::make_unique<size_t>(size);
    CAFFE_REQUIRE(size == *size_) << "has " << size << " bytes of data, the first image has " << *size_;
  }

 private:
  std::unique_ptr<size_t> size_;
};

int Run(int argc, char** argv) {
  if (argc < 4) {
    ShowUsage();
    return 1;
  }
  CAFFE_REQUIRE(argc == 4) << "takes ROOTFOLDER/ LISTFILE DB_NAME, got " << argc - 1 << " arguments";
  CAFFE_REQUIRE(FLAGS_resize_height >= 0 && FLAGS_resize_width >= 0)
      << "--resize_height and --resize_width must not be "
      << "negative";
  CAFFE_REQUIRE((FLAGS_resize_height > 0) == (FLAGS_resize_width > 0))
      << "give both --resize_height and --resize_width, or none";
  if (!FLAGS_encode_type.empty() && !FLAGS_encoded) LOG(INFO) << "encode_type specified, assuming encoded=true.";

  const string root = argv[1];
  const string list = argv[2];
  vector<ImageListEntry> images = ReadImageList(list);
  CAFFE_REQUIRE(!images.empty()) << list << ": names no image";
  if (FLAGS_shuffle) {
    LOG(INFO) << "Shuffling data";
    shuffle(images.begin(), images.end());
  }
  LOG(INFO) << "A total of " << images.size() << " images.";

  NewDatabase database(argv[3], FLAGS_backend);
  const std::unique_ptr<db::Transaction> transaction(database.db().NewTransaction());
  SizeCheck sizes;
  // Images are decoded in threads, a block at a time, and stored in order.
  constexpr size_t kBlock = 64;
  size_t stored = 0;
  for (size_t begin = 0; begin < images.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, images.size() - begin);
    vector<Datum> data(count);
    database.CheckInterrupts();
    InThreads(static_cast<int>(count), static_cast<int>(std::thread::hardware_concurrency()), [&](int i) {
      const ImageListEntry& image = images[begin + i];
      InListEntry(list, image, [&] {
        CAFFE_REQUIRE(ReadImageToDatum(root + image.name, image.label, FLAGS_resize_height, FLAGS_resize_width,
                                       !FLAGS_gray, EncodingOf(image.name), &data[i]))
            << WhyUnreadable(root + image.name);
      });
    });
    for (size_t i = 0; i < count; ++i) {
      const ImageListEntry& image = images[begin + i];
      if (FLAGS_check_size) InListEntry(list, image, [&] { sizes.Check(data[i]); });
      transaction->Put(KeyOf(begin + i, image.name), data[i].SerializeAsString());
      if (++stored % kCommitEvery == 0) {
        transaction->Commit();
        LOG(INFO) << "Processed " << stored << " files.";
      }
    }
  }
  if (stored % kCommitEvery != 0) {
    transaction->Commit();
    LOG(INFO) << "Processed " << stored << " files.";
  }
  database.CheckInterrupts();
  database.Publish();
  return 0;
}

const char* const kUsage =
    "Converts a set of images into a database for the Data layer.\n"
    "usage: convert_imageset [FLAGS] ROOTFOLDER/ LISTFILE DB_NAME\n\n"
    "Each line of LISTFILE is the name of an image, put after ROOTFOLDER/, a space, and its label, a whole number.\n"
    "DB_NAME must not exist; it is there when all images are in it, and not before.";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "convert_imageset", caffe::tools::kUsage, caffe::tools::Run);
}
