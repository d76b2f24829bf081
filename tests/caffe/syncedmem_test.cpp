#include "caffe/syncedmem.hpp"

#include <cstdint>
#include <cstring>

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

TEST(SyncedMemory, IsAllocatedAtFirstUseAndZero) {
  caffe::SyncedMemory memory(100);
  EXPECT_EQ(memory.size(), 100u);
  EXPECT_EQ(memory.head(), caffe::SyncedMemory::UNINITIALIZED);
  const auto* data = static_cast<const char*>(memory.cpu_data());
  EXPECT_EQ(memory.head(), caffe::SyncedMemory::HEAD_AT_CPU);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(data[i], 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u) << "whole vectors and cache lines";
}

TEST(SyncedMemory, IsWrittenWhereItIsRead) {
  caffe::SyncedMemory memory(8);
  std::memset(memory.mutable_cpu_data(), 3, 8);
  EXPECT_EQ(static_cast<const char*>(memory.cpu_data())[7], 3);
  EXPECT_EQ(memory.cpu_data(), memory.mutable_cpu_data());
}

TEST(SyncedMemory, LeavesMemoryOfOthersToThem) {
  char own[4] = {1, 2, 3, 4};
  {
    caffe::SyncedMemory memory(4);
    memory.mutable_cpu_data();
    memory.set_cpu_data(own);
    EXPECT_EQ(memory.cpu_data(), own);
  }
  EXPECT_EQ(own[3], 4);
}

TEST(SyncedMemory, OfNoBytesHasAnAddress) {
  caffe::SyncedMemory memory(0);
  EXPECT_NE(memory.cpu_data(), nullptr);
}

// Four bytes of one value, in a layout of its own.
struct Fours : caffe::ForeignLayout {
  explicit Fours(char value) : value(value) {}
  void WriteTo(void* plain) const override {
    std::memset(plain, value, 4);
    ++written;
  }
  char value;
  mutable int written = 0;
};

TEST(SyncedMemory, MakesPlainValuesWhereSomebodyHoldsAPointer) {
  caffe::SyncedMemory memory(4), other(4);
  std::memset(memory.transient_data(true), 1, 4);
  const auto twos = std::make_shared<Fours>(2), threes = std::make_shared<Fours>(3);
  memory.set_foreign(twos);
  other.set_foreign(twos);
  EXPECT_EQ(memory.foreign(), other.foreign()) << "two memories may share values";
  EXPECT_EQ(twos->written, 0);
  const auto* kept = static_cast<const char*>(memory.cpu_data());
  EXPECT_EQ(kept[3], 2);
  memory.set_foreign(threes);
  EXPECT_EQ(kept[3], 3) << "the pointer shows later values";
  EXPECT_EQ(memory.foreign(), threes);
  std::memset(memory.mutable_cpu_data(), 4, 4);
  EXPECT_EQ(memory.foreign(), nullptr) << "only the plain values are current";
  EXPECT_EQ(static_cast<const char*>(other.cpu_data())[0], 2) << "the other keeps its own";
}

TEST(SyncedMemory, GivesUpPlainValuesThatAForeignLayoutHolds) {
  const auto memory = std::make_shared<caffe::SyncedMemory>(4);
  std::memset(caffe::HostView(memory).values<char>(), 2, 4);
  const uint64_t version = memory->version();
  const auto twos = std::make_shared<Fours>(2);
  memory->add_foreign(twos);
  EXPECT_EQ(memory->foreign(), twos);
  EXPECT_EQ(memory->version(), version) << "the values are the same";
  EXPECT_EQ(twos->written, 0);
  const auto* kept = static_cast<const char*>(memory->cpu_data());
  EXPECT_EQ(kept[3], 2);
  EXPECT_EQ(twos->written, 1) << "made again, from the foreign layout";
  memory->add_foreign(twos);
  EXPECT_EQ(memory->cpu_data(), kept) << "somebody holds a pointer now";
  EXPECT_EQ(twos->written, 1);
}

TEST(SyncedMemory, KeepsPlainValuesThatSomebodyMayWrite) {
  const auto viewed = std::make_shared<caffe::SyncedMemory>(4);
  const auto handed_out = std::make_shared<caffe::SyncedMemory>(4);
  const auto twos = std::make_shared<Fours>(2);
  {
    const caffe::HostView view(viewed);
    viewed->add_foreign(twos);
    EXPECT_EQ(viewed->foreign(), nullptr);
    EXPECT_EQ(viewed->cpu_data(), view.values<char>());
  }
  void* kept = handed_out->mutable_cpu_data();
  handed_out->add_foreign(twos);
  EXPECT_EQ(handed_out->foreign(), nullptr);
  EXPECT_EQ(handed_out->cpu_data(), kept);
}

TEST(SyncedMemory, HasNoGpuInThisBuild) {
  caffe::SyncedMemory memory(4);
  ExpectError([&] { memory.gpu_data(); }, "no GPU support");
  ExpectError([&] { memory.mutable_gpu_data(); }, "no GPU support");
}

}  // namespace
}  // namespace rxnn::testing
