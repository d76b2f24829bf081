// Images out of bytes that nobody vouches for.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

#include "caffe/common.hpp"

namespace caffe {

// What an image may have: 11585 x 11585 pixels, say, 400 MB in colour. A few bytes of a header can announce more than a
// machine has; Net's blobs hold fewer values anyway.
constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 27;

// The image, decoded with OpenCV's `flag`; or an empty one, and in `failure` why. The size that the header announces is
// checked before memory is taken for it.
cv::Mat DecodeImage(const string& bytes, int flag, string* failure);

}  // namespace caffe
