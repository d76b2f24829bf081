// What is logged while this lives, message by message.
#pragma once

#include <glog/logging.h>

#include <algorithm>
#include <string>
#include <vector>

namespace rxnn::testing {

class LogCapture : public google::LogSink {
 public:
  LogCapture() { google::AddLogSink(this); }
  ~LogCapture() override { google::RemoveLogSink(this); }

  using google::LogSink::send;
  void send(google::LogSeverity severity, const char* full_filename, const char* base_filename, int line,
            const google::LogMessageTime& time, const char* message, size_t length) override {
    messages_.emplace_back(message, length);
  }

  const std::vector<std::string>& messages() const { return messages_; }
  bool Has(const std::string& message) const {
    return std::find(messages_.begin(), messages_.end(), message) != messages_.end();
  }
  int CountOf(const std::string& part) const {
    return static_cast<int>(std::count_if(messages_.begin(), messages_.end(), [&](const std::string& message) {
      return message.find(part) != std::string::npos;
    }));
  }

 private:
  std::vector<std::string> messages_;
};

}  // namespace rxnn::testing
