#include "image_decode.hpp"

#include <algorithm>
#include <opencv2/imgcodecs.hpp>

namespace caffe {
namespace {

bool IsJpeg(const string& bytes) { return bytes.compare(0, 2, "\xff\xd8") == 0; }

// A JPEG file that stops before its end marker. The decoder would fill the missing part with grey.
bool IsCutJpeg(const string& bytes) {
  if (!IsJpeg(bytes)) return false;
  // The end marker cannot occur in the compressed data, but in a thumbnail before it: from the end it is near.
  for (size_t i = bytes.size() - 1; i > 1; --i) {
    if (bytes[i - 1] != '\xff') continue;
    if (bytes[i] == '\xd9') return false;
    if (bytes[i] == '\xda') return true;  // the start of a scan: what follows it has no end
  }
  return true;
}

// Of the image that this thread decodes: how large it may be, and why it gets no memory.
struct Limit {
  std::int64_t max_pixels;
  string refusal;
};
thread_local Limit* current_limit = nullptr;

// OpenCV's decoders ask for the memory of an image when they have read its header and no more, and OpenCV passes on
// only what its default allocator throws. This one is the standard one but for images that are too large.
class LimitedAllocator : public cv::MatAllocator {
 public:
  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, size_t* step, cv::AccessFlag flags,
                         cv::UMatUsageFlags usage) const override {
    std::int64_t pixels = 1;
    for (int i = 0; i < dims; ++i) pixels *= sizes[i];
    if (current_limit != nullptr && pixels > current_limit->max_pixels) {
      current_limit->refusal = "its header announces " + std::to_string(sizes[0]) + " x " +
                               std::to_string(dims > 1 ? sizes[1] : 1) + " pixels, in a file of its length at most " +
                               std::to_string(current_limit->max_pixels) + " are possible";
      throw Error(current_limit->refusal);
    }
    return cv::Mat::getStdAllocator()->allocate(dims, sizes, type, data, step, flags, usage);
  }
  bool allocate(cv::UMatData* data, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    return cv::Mat::getStdAllocator()->allocate(data, flags, usage);
  }
  void deallocate(cv::UMatData* data) const override { cv::Mat::getStdAllocator()->deallocate(data); }
};

// Never destroyed: images may live until the program ends. Installed when the library is loaded, before any thread.
[[maybe_unused]] const bool installed = [] {
  cv::Mat::setDefaultAllocator(new LimitedAllocator);
  return true;
}();

}  // namespace

cv::Mat DecodeImage(const string& bytes, int flag, string* failure) {
  *failure = "corrupt, truncated, or no image";
  if (bytes.empty() || bytes.size() > INT_MAX || IsCutJpeg(bytes)) return cv::Mat();
  // A JPEG file has a bit at least for each block of 8 x 8 pixels.
  const std::int64_t by_length = IsJpeg(bytes) ? std::int64_t{8 * 64} * bytes.size() : kMaxImagePixels;
  Limit limit{std::min(by_length, kMaxImagePixels), ""};
  current_limit = &limit;
  cv::Mat image;
  try {
    image = cv::imdecode(cv::Mat(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data())), flag);
  } catch (const Error&) {                // of the allocator
  } catch (const cv::Exception& error) {  // a size beyond OpenCV's own bounds
    *failure = "the decoder refuses it (" + error.err + ")";
  } catch (...) {
    current_limit = nullptr;
    throw;
  }
  current_limit = nullptr;
  if (!limit.refusal.empty()) *failure = limit.refusal;
  return image;
}

}  // namespace caffe
