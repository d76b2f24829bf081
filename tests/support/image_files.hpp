// Images and databases of them, made for a test.
#pragma once

#include <fstream>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <random>
#include <string>
#include <vector>

#include "caffe/caffe.hpp"
#include "caffe/util/db.hpp"
#include "caffe/util/io.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {

// Random pixels, the same for the same seed.
inline cv::Mat RandomImage(int height, int width, unsigned seed, int channels = 3) {
  cv::Mat image(height, width, CV_8UC(channels));
  std::mt19937 generator(seed);
  for (int i = 0; i < height * width * channels; ++i) image.data[i] = static_cast<uchar>(generator());
  return image;
}

// Pixel (h, w) of channel c.
inline int Pixel(const cv::Mat& image, int c, int h, int w) { return image.ptr(h)[w * image.channels() + c]; }

inline caffe::Datum DatumOf(const cv::Mat& image, int label) {
  caffe::Datum datum;
  caffe::CVMatToDatum(image, &datum);
  datum.set_label(label);
  return datum;
}

// The same image as a file without loss; `extension` "png" or, with loss, "jpg".
inline caffe::Datum EncodedDatum(const cv::Mat& image, int label, const std::string& extension = "png") {
  std::vector<uchar> bytes;
  cv::imencode("." + extension, image, bytes);
  caffe::Datum datum;
  datum.set_data(std::string(bytes.begin(), bytes.end()));
  datum.set_label(label);
  datum.set_encoded(true);
  return datum;
}

inline std::string Key(int index) {
  const std::string number = std::to_string(index);
  return std::string(4 - number.size(), '0') + number;
}

inline void WriteDatabase(const std::string& path, const std::vector<std::string>& values,
                          const std::string& backend = "lmdb") {
  const std::unique_ptr<caffe::db::DB> database(caffe::db::GetDB(backend));
  database->Open(path, caffe::db::NEW);
  const std::unique_ptr<caffe::db::Transaction> transaction(database->NewTransaction());
  for (size_t i = 0; i < values.size(); ++i) transaction->Put(Key(static_cast<int>(i)), values[i]);
  transaction->Commit();
  database->Close();
}

inline void WriteDatabase(const std::string& path, const std::vector<caffe::Datum>& data,
                          const std::string& backend = "lmdb") {
  std::vector<std::string> values;
  for (const caffe::Datum& datum : data) values.push_back(datum.SerializeAsString());
  WriteDatabase(path, values, backend);
}

inline void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace rxnn::testing
