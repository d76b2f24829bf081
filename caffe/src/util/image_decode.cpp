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

// Gives the decoder, which has read the header and no more, the memory for its pixels, when they are not too many.
class LimitedAllocator : public cv::MatAllocator {
 public:
  explicit LimitedAllocator(std::int64_t max_pixels) : max_pixels_(max_pixels) {}

  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, size_t* step, cv::AccessFlag flags,
                         cv::UMatUsageFlags usage) const override {
    std::int64_t pixels = 1;
    for (int i = 0; i < dims; ++i) pixels *= sizes[i];
    CAFFE_REQUIRE(pixels <= max_pixels_) << "its header announces " << sizes[0] << " x " << (dims > 1 ? sizes[1] : 1)
                                         << " pixels, in a file of its length at most " << max_pixels_
                                         << " are possible";
    return cv::Mat::getStdAllocator()->allocate(dims, sizes, type, data, step, flags, usage);
  }
  bool allocate(cv::UMatData* data, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    return cv::Mat::getStdAllocator()->allocate(data, flags, usage);
  }
  void deallocate(cv::UMatData* data) const override { cv::Mat::getStdAllocator()->deallocate(data); }

 private:
  std::int64_t max_pixels_;
};

}  // namespace

cv::Mat DecodeImage(const string& bytes, int flag, string* failure) {
  *failure = "corrupt, truncated, or no image";
  if (bytes.empty() || bytes.size() > INT_MAX || IsCutJpeg(bytes)) return cv::Mat();
  // A JPEG file has a bit at least for each block of 8 x 8 pixels.
  const std::int64_t by_length = IsJpeg(bytes) ? std::int64_t{8 * 64} * bytes.size() : kMaxImagePixels;
  const LimitedAllocator allocator(std::min(by_length, kMaxImagePixels));
  cv::Mat image;
  image.allocator = const_cast<LimitedAllocator*>(&allocator);
  try {
    const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
    // After a failure `image` holds what was decoded until then.
    if (cv::imdecode(encoded, flag, &image).empty()) return cv::Mat();
    image.allocator = nullptr;  // its memory is the standard allocator's
    return image;
  } catch (const Error& error) {
    *failure = error.what();
  } catch (const cv::Exception& error) {  // a size beyond OpenCV's own bounds
    *failure = "the decoder refuses it (" + error.err + ")";
  }
  return cv::Mat();
}

}  // namespace caffe
