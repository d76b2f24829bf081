#include "caffe/error.hpp"

namespace caffe::internal {

FatalMessage::~FatalMessage() noexcept(false) {
  if (std::uncaught_exceptions() > pending_) return;
  if (file_ != nullptr) {
    const std::string path = file_;
    stream_ << " [" << path.substr(path.find_last_of('/') + 1) << ":" << line_ << "]";
  }
  throw Error(stream_.str());
}

}  // namespace caffe::internal
