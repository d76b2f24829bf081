// Failures of the engine. Bad input throws; nothing aborts.
//
// CHECK, CHECK_EQ ... and LOG(FATAL) keep their glog spelling, so that a layer written for Caffe compiles unchanged,
// but throw caffe::Error with the message streamed into them instead of aborting the process. Use CAFFE_REQUIRE for
// what a user can get wrong: its message is the streamed text alone. CHECK is for invariants: it quotes the condition
// and the place in the source.
#pragma once

#include <glog/logging.h>

#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace caffe {

// what() is one line for the user: what is wrong, where, and what was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace internal {

// Collects a message and throws it as caffe::Error at the end of the full expression; while another exception is
// already on its way it stays silent.
class FatalMessage {
 public:
  // A requirement: the message alone.
  FatalMessage() : pending_(std::uncaught_exceptions()) {}
  // A failed check: the place is appended.
  FatalMessage(const char* file, int line) : pending_(std::uncaught_exceptions()), file_(file), line_(line) {}
  // A failed comparison, text made by glog. Takes ownership, as glog's own sink does.
  FatalMessage(const char* file, int line, const google::CheckOpString& result) : FatalMessage(file, line) {
    stream_ << "Check failed: " << *result.str_ << " ";
    delete result.str_;
  }
  FatalMessage(const FatalMessage&) = delete;
  FatalMessage& operator=(const FatalMessage&) = delete;
  ~FatalMessage() noexcept(false);

  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
  int pending_;
  const char* file_ = nullptr;
  int line_ = 0;
};

template <typename T>
T CheckNotNull(const char* file, int line, const char* text, T&& pointer) {
  if (pointer == nullptr) {
    FatalMessage(file, line).stream() << "Check failed: " << text;
  }
  return std::forward<T>(pointer);
}

}  // namespace internal
}  // namespace caffe

// Throws caffe::Error with the streamed message unless `condition` holds.
#define CAFFE_REQUIRE(condition) \
  if (condition) {               \
  } else /* NOLINT */            \
    ::caffe::internal::FatalMessage().stream()

#undef COMPACT_GOOGLE_LOG_FATAL
#define COMPACT_GOOGLE_LOG_FATAL ::caffe::internal::FatalMessage(__FILE__, __LINE__)
#undef CHECK_OP
#define CHECK_OP(name, op, val1, val2) CHECK_OP_LOG(name, op, val1, val2, ::caffe::internal::FatalMessage)
#undef CHECK_NOTNULL
#define CHECK_NOTNULL(val) ::caffe::internal::CheckNotNull(__FILE__, __LINE__, "'" #val "' must be non-null", (val))
