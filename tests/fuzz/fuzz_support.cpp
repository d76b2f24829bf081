#include "tests/fuzz/fuzz_support.hpp"

#include <glog/logging.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

// A blob of more is refused as if the machine had no more; any other allocation of that size is reported: what is no
// blob must not grow with a number in a file. libFuzzer's own tables need 20 MB.
extern "C" const char* __asan_default_options() {
  return "max_allocation_size_mb=64:allocator_may_return_null=1:detect_leaks=1:quarantine_size_mb=16";
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  FLAGS_minloglevel = google::GLOG_FATAL;
  return 0;
}

namespace rxnn::fuzz {
namespace {

void Write(int file, const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(file, data, size);
    if (written <= 0) std::abort();
    data += written;
    size -= written;
  }
}

std::string* folder_to_remove = nullptr;

}  // namespace

std::string MemoryFile(const std::uint8_t* data, std::size_t size) {
  static const int file = memfd_create("input", 0);
  if (ftruncate(file, 0) != 0 || lseek(file, 0, SEEK_SET) != 0) std::abort();
  Write(file, data, size);
  return "/proc/self/fd/" + std::to_string(file);
}

std::string MemoryFolder() {
  std::string path = "/dev/shm/rxnn_fuzz.XXXXXX";
  if (mkdtemp(path.data()) == nullptr) std::abort();
  static std::string folder = path;
  folder_to_remove = &folder;
  std::atexit([] { std::filesystem::remove_all(*folder_to_remove); });
  return path;
}

}  // namespace rxnn::fuzz
