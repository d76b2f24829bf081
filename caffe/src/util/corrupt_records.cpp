#include "caffe/util/corrupt_records.hpp"

#include <atomic>
#include <mutex>

namespace caffe {
namespace {

std::atomic<bool> skip_corrupt{false};
std::mutex mutex;
// Guarded by mutex.
set<string>& Skipped() {
  static set<string> skipped;
  return skipped;
}

}  // namespace

void CorruptRecords::set_skip(bool skip) { skip_corrupt = skip; }
bool CorruptRecords::skip() { return skip_corrupt; }

void CorruptRecords::Add(const string& description) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (Skipped().insert(description).second) LOG(WARNING) << "Skipped " << description;
}

size_t CorruptRecords::count() {
  const std::lock_guard<std::mutex> lock(mutex);
  return Skipped().size();
}

}  // namespace caffe
