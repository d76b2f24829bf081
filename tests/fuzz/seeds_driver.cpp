// Runs a fuzz target without libFuzzer: on each seed, then on changed seeds, the same ones in every run.
//   x_fuzzer RUNS FOLDER_OF_SEEDS, or x_fuzzer FILE to run it on one file
// An input that ends the program, or takes more than 20 s, is left in ./crash-input.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

constexpr unsigned kSecondsAnInput = 20;
std::string input;

void KeepInput() {
  const int file = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0 || write(file, input.data(), input.size()) < 0) return;
  close(file);
}

void OnSignal(int signal_number) {
  KeepInput();
  std::signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void Run(std::string bytes) {
  input = std::move(bytes);
  alarm(kSecondsAnInput);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  alarm(0);
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

// Changes seeds a little: bits, bytes, numbers at the edges of their types, parts doubled, dropped or taken from
// another.
class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string Next() {
    std::string bytes = seeds_[Below(seeds_.size())];
    for (std::size_t changes = 1 + Below(6); changes > 0; --changes) Change(&bytes);
    return bytes;
  }

 private:
  std::size_t Below(std::size_t bound) { return rng_() % bound; }

  void Change(std::string* bytes) {
    static const std::vector<std::string> edges = {"0",
                                                   "-1",
                                                   "1",
                                                   "2147483647",
                                                   "4294967295",
                                                   "65536",
                                                   "1e38",
                                                   "nan",
                                                   "18446744073709551615",
                                                   "{",
                                                   "}",
                                                   "'",
                                                   std::string("\xff\xff\xff\xff\x0f"),
                                                   std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                                                   std::string("\x00\x00\x00\x80", 4),
                                                   std::string("\x80\x80\x80\x80\x08"),
                                                   std::string(300, 'x')};
    if (bytes->empty()) bytes->push_back('\n');
    const std::size_t at = Below(bytes->size());
    const std::size_t length = std::min(bytes->size() - at, 1 + Below(Below(4) == 0 ? bytes->size() : 8));
    switch (Below(7)) {
      case 0:
        (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1 << Below(8));
        break;
      case 1:
        (*bytes)[at] = static_cast<char>(rng_());
        break;
      case 2:
        bytes->erase(at, length);
        break;
      case 3:
        bytes->insert(at, bytes->substr(at, length));
        break;
      case 4:
        ReplaceNumber(bytes, at, edges[Below(edges.size())]);
        break;
      case 5:
        bytes->replace(at, length, edges[Below(edges.size())]);
        break;
      default: {
        const std::string& other = seeds_[Below(seeds_.size())];
        if (other.empty()) break;
        const std::size_t from = Below(other.size());
        bytes->replace(at, length, other, from, 1 + Below(other.size() - from));
      }
    }
  }

  // The first number of the text from there on.
  static void ReplaceNumber(std::string* bytes, std::size_t at, const std::string& by) {
    const std::size_t begin = bytes->find_first_of("0123456789", at);
    if (begin == std::string::npos) return;
    bytes->replace(begin, std::min(bytes->find_first_not_of("0123456789", begin), bytes->size()) - begin, by);
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 rng_{1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: %s RUNS FOLDER_OF_SEEDS\n       %s FILE\n", argv[0], argv[0]);
    return 1;
  }
  LLVMFuzzerInitialize(&argc, &argv);
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGALRM}) {
    if (__sanitizer_set_death_callback == nullptr || number == SIGALRM) std::signal(number, OnSignal);
  }
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(KeepInput);
  } else {
    // A blob of more gets no memory; the sanitizer has its own bound.
    constexpr rlim_t kMemory = rlim_t{384} << 20;
    const rlimit limit{kMemory, kMemory};
    setrlimit(RLIMIT_DATA, &limit);
  }
  if (argc == 2) {
    Run(ReadFile(argv[1]));
    return 0;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) Run(seeds.emplace_back(ReadFile(path)));
  if (seeds.empty()) {
    std::fprintf(stderr, "%s holds no seeds\n", argv[2]);
    return 1;
  }
  Mutator mutator(seeds);
  const long runs = std::strtol(argv[1], nullptr, 10);
  for (long i = 0; i < runs; ++i) Run(mutator.Next());
  std::printf("%zu seeds and %ld changed ones: nothing found\n", seeds.size(), runs);
  return 0;
}
