// Which copy of a block of memory is current, and what is copied when.
#include "caffe/syncedmem.hpp"

#include <cstring>
#include <vector>

#include "caffe/util/gpu_runtime.hpp"
#include "tests/caffe/gpu/gpu_mode.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

using Memory = caffe::SyncedMemory;
using Bytes = std::vector<unsigned char>;

Bytes OnGpu(const void* device, size_t bytes = 4) {
  Bytes values(bytes);
  caffe::GpuRuntime::Require().ToHost(values.data(), device, bytes);
  return values;
}
void WriteGpu(void* device, const Bytes& values) {
  caffe::GpuRuntime::Require().ToDevice(device, values.data(), values.size());
}
Bytes OnCpu(const void* host) {
  const auto* bytes = static_cast<const unsigned char*>(host);
  return Bytes(bytes, bytes + 4);
}

TEST(SyncedMemoryOnGpu, BeginsAsZeros) {
  Memory memory(4);
  EXPECT_EQ(OnGpu(memory.gpu_data()), Bytes(4, 0));
  EXPECT_EQ(memory.head(), Memory::HEAD_AT_GPU);
  EXPECT_EQ(OnCpu(memory.cpu_data()), Bytes(4, 0));
  EXPECT_EQ(memory.head(), Memory::SYNCED);
}

TEST(SyncedMemoryOnGpu, FollowsWhoeverWrote) {
  for (const caffe::Caffe::Brew mode : {caffe::Caffe::CPU, caffe::Caffe::GPU}) {
    const ModeScope scope(mode);  // plain and pinned
    Memory memory(4);
    std::memset(memory.mutable_cpu_data(), 1, 4);
    EXPECT_EQ(memory.head(), Memory::HEAD_AT_CPU);
    EXPECT_EQ(OnGpu(memory.gpu_data()), Bytes(4, 1));
    EXPECT_EQ(memory.head(), Memory::SYNCED);
    WriteGpu(memory.mutable_gpu_data(), {2, 3, 4, 5});
    EXPECT_EQ(memory.head(), Memory::HEAD_AT_GPU);
    EXPECT_EQ(OnCpu(memory.cpu_data()), (Bytes{2, 3, 4, 5}));
    EXPECT_EQ(memory.head(), Memory::SYNCED);
    static_cast<unsigned char*>(memory.mutable_cpu_data())[0] = 9;
    EXPECT_EQ(memory.head(), Memory::HEAD_AT_CPU);
    EXPECT_EQ(OnGpu(memory.mutable_gpu_data()), (Bytes{9, 3, 4, 5}));
    EXPECT_EQ(OnCpu(memory.mutable_cpu_data()), (Bytes{9, 3, 4, 5}));
  }
}

TEST(SyncedMemoryOnGpu, CopiesNothingThatIsThere) {
  Memory memory(4);
  memory.mutable_cpu_data();
  const void* device = memory.gpu_data();
  WriteGpu(const_cast<void*>(device), {7, 7, 7, 7});  // unseen: a copy would undo it
  EXPECT_EQ(memory.gpu_data(), device);
  EXPECT_EQ(OnGpu(device), Bytes(4, 7));
  EXPECT_EQ(OnCpu(memory.cpu_data()), Bytes(4, 0));
}

TEST(SyncedMemoryOnGpu, TakesWhatIsWrittenThroughViewsAndMemoryOfOthers) {
  Memory memory(4);
  auto* view = static_cast<unsigned char*>(memory.BeginView());
  view[0] = 1;
  EXPECT_EQ(OnGpu(memory.gpu_data()), (Bytes{1, 0, 0, 0}));
  view[0] = 2;
  EXPECT_EQ(OnGpu(memory.gpu_data()), (Bytes{2, 0, 0, 0}));
  memory.EndView();
  unsigned char own[4] = {5, 6, 7, 8};
  memory.set_cpu_data(own);
  EXPECT_EQ(OnGpu(memory.gpu_data()), (Bytes{5, 6, 7, 8}));
  own[3] = 9;
  EXPECT_EQ(OnGpu(memory.gpu_data()), (Bytes{5, 6, 7, 9}));
}

TEST(SyncedMemoryOnGpu, UsesDeviceMemoryOfOthersAndLeavesItToThem) {
  caffe::GpuRuntime& gpu = caffe::GpuRuntime::Require();
  void* own = gpu.Allocate(4);
  WriteGpu(own, {1, 2, 3, 4});
  {
    Memory memory(4);
    memory.mutable_gpu_data();
    memory.set_gpu_data(own);
    EXPECT_EQ(memory.gpu_data(), own);
    EXPECT_EQ(memory.head(), Memory::HEAD_AT_GPU);
    EXPECT_EQ(OnCpu(memory.cpu_data()), (Bytes{1, 2, 3, 4}));
  }
  EXPECT_EQ(OnGpu(own), (Bytes{1, 2, 3, 4}));
  gpu.Free(own);
}

TEST(SyncedMemoryOnGpu, IsPushedBesideOtherWork) {
  Memory memory(4);
  std::memset(memory.mutable_cpu_data(), 6, 4);
  memory.async_gpu_push(nullptr);
  caffe::GpuRuntime::Require().WaitForCopies();
  EXPECT_EQ(memory.head(), Memory::SYNCED);
  EXPECT_EQ(OnGpu(memory.gpu_data()), Bytes(4, 6));
}

TEST(SyncedMemoryOnGpu, HasANewVersionForEveryWriterOnTheGpu) {
  Memory memory(4);
  const auto first = memory.version();
  memory.gpu_data();
  EXPECT_EQ(memory.version(), first);
  memory.mutable_gpu_data();
  EXPECT_NE(memory.version(), first);
}

// Values in a layout of a library's, as oneDNN's layers leave them.
class Reversed : public caffe::ForeignLayout {
 public:
  explicit Reversed(Bytes bytes) : bytes_(std::move(bytes)) {}
  void WriteTo(void* plain) const override {
    std::reverse_copy(bytes_.begin(), bytes_.end(), static_cast<unsigned char*>(plain));
  }

 private:
  Bytes bytes_;
};

TEST(SyncedMemoryOnGpu, SeesForeignLayoutsAsPlainValues) {
  Memory memory(4);
  memory.set_foreign(std::make_shared<Reversed>(Bytes{4, 3, 2, 1}));
  EXPECT_EQ(OnGpu(memory.gpu_data()), (Bytes{1, 2, 3, 4}));
  EXPECT_NE(memory.foreign(), nullptr);
  WriteGpu(memory.mutable_gpu_data(), {5, 5, 5, 5});
  EXPECT_EQ(memory.foreign(), nullptr);
  EXPECT_EQ(OnCpu(memory.cpu_data()), Bytes(4, 5));
  memory.mutable_gpu_data();
  memory.set_foreign(std::make_shared<Reversed>(Bytes{8, 7, 6, 5}));
  EXPECT_EQ(OnCpu(memory.cpu_data()), (Bytes{5, 6, 7, 8}));
}

TEST(BlobOnGpu, ComputesWhereItsValuesAre) {
  const auto cpu = RandomBlob<float>({3, 5}), gpu = RandomBlob<float>({3, 5});
  for (const auto& blob : {cpu, gpu}) {
    std::copy_n(RandomBlob<float>({15}, -1, 1, 4)->cpu_data(), 15, blob->mutable_cpu_diff());
  }
  gpu->mutable_gpu_data();
  gpu->mutable_gpu_diff();
  for (const auto& blob : {cpu, gpu}) {
    blob->scale_data(2);
    blob->scale_diff(-3);
    blob->Update();
  }
  EXPECT_EQ(gpu->data()->head(), Memory::HEAD_AT_GPU);
  const double bound = SumTolerance<float>(15, 15 * 25);
  EXPECT_NEAR(gpu->asum_data(), cpu->asum_data(), bound);
  EXPECT_NEAR(gpu->asum_diff(), cpu->asum_diff(), bound);
  EXPECT_NEAR(gpu->sumsq_data(), cpu->sumsq_data(), bound);
  EXPECT_NEAR(gpu->sumsq_diff(), cpu->sumsq_diff(), bound);
  ExpectAllNear(Data(*gpu), Data(*cpu), SumTolerance<float>(2, 5));
  const ModeScope scope(caffe::Caffe::GPU);
  caffe::Blob<float> copy;
  copy.CopyFrom(*gpu, false, true);
  EXPECT_EQ(copy.data()->head(), Memory::HEAD_AT_GPU);
  EXPECT_EQ(Data(copy), Data(*gpu));
}

TEST(Devices, AreFoundAndChosen) {
  const int count = caffe::GpuRuntime::Require().CountDevices();
  EXPECT_EQ(caffe::Caffe::FindDevice(), 0);
  EXPECT_EQ(caffe::Caffe::FindDevice(count - 1), count - 1);
  EXPECT_EQ(caffe::Caffe::FindDevice(count), -1);
  EXPECT_TRUE(caffe::Caffe::CheckDevice(0));
  EXPECT_FALSE(caffe::Caffe::CheckDevice(count));
  EXPECT_FALSE(caffe::Caffe::CheckDevice(-1));
  caffe::Caffe::SetDevice(0);
  const std::string number = std::to_string(count);
  ExpectError([&] { caffe::Caffe::SetDevice(count); },
              "there is no GPU " + number + ": there are " + number + ", numbered from 0");
}

}  // namespace
}  // namespace rxnn::testing
