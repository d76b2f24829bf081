#include "caffe/util/image_list.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <opencv2/imgcodecs.hpp>

#include "caffe/util/io.hpp"
#include "image_decode.hpp"

namespace caffe {

vector<ImageListEntry> ReadImageList(const string& filename) {
  std::ifstream stream = OpenFile(filename);
  vector<ImageListEntry> entries;
  string text;
  for (int line = 1; std::getline(stream, text); ++line) {
    const size_t end = text.find_last_not_of(" \t\r");
    if (end == string::npos) continue;
    text.resize(end + 1);
    const size_t space = text.find_last_of(" \t");
    ImageListEntry entry{text.substr(0, space == string::npos ? 0 : space), 0, line};
    const char* const label = text.data() + (space == string::npos ? 0 : space + 1);
    const char* const label_end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(label, label_end, entry.label);
    CAFFE_REQUIRE(!entry.name.empty() && error == std::errc() && parsed == label_end)
        << filename << ":" << line << ": expected \"<image> <label>\" with a whole number as label, found \"" << text
        << "\"";
    entries.push_back(std::move(entry));
  }
  CAFFE_REQUIRE(!stream.bad()) << "Cannot read " << filename << ": " << std::strerror(errno);
  return entries;
}

string WhyUnreadable(const string& image) {
  string failure;
  try {
    DecodeImage(ReadWholeFile(image), cv::IMREAD_COLOR, &failure);
  } catch (const Error& error) {
    return error.what();
  }
  return image + " cannot be decoded: " + failure;
}

}  // namespace caffe
