#include "caffe/internal_thread.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "caffe/util/blocking_queue.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

class Running : public caffe::InternalThread {
 public:
  explicit Running(std::function<void(Running*)> body) : body_(std::move(body)) {}
  ~Running() override { StopInternalThread(); }
  bool told() { return must_stop(); }

 protected:
  void InternalThreadEntry() override { body_(this); }

 private:
  std::function<void(Running*)> body_;
};

TEST(InternalThread, StartsAndStops) {
  caffe::InternalThread idle;
  EXPECT_FALSE(idle.is_started());
  idle.StopInternalThread();
  idle.StartInternalThread();
  EXPECT_TRUE(idle.is_started());
  ExpectError([&] { idle.StartInternalThread(); }, "runs already");
  idle.StopInternalThread();
  EXPECT_FALSE(idle.is_started());
  idle.StartInternalThread();
}

TEST(InternalThread, RunsUntilToldToStop) {
  std::atomic<int> turns{0};
  Running thread([&](Running* self) {
    while (!self->told()) ++turns;
  });
  for (int round = 0; round < 3; ++round) {
    turns = 0;
    thread.StartInternalThread();
    while (turns == 0) std::this_thread::yield();
    thread.StopInternalThread();
  }
}

TEST(InternalThread, TakesOverStateAndASeedOfItsOwn) {
  const auto draw = [](unsigned seed) {
    unsigned drawn = 0;
    int rank = 0;
    caffe::Caffe::set_random_seed(seed);
    caffe::Caffe::set_solver_rank(3);
    Running thread([&](Running*) {
      drawn = caffe::caffe_rng_rand();
      rank = caffe::Caffe::solver_rank();
    });
    thread.StartInternalThread();
    thread.StopInternalThread();
    caffe::Caffe::set_solver_rank(0);
    EXPECT_EQ(rank, 3);
    return drawn;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(InternalThread, AnExceptionEndsTheThreadAlone) {
  Running thread([](Running*) { throw caffe::Error("expected by the test"); });
  thread.StartInternalThread();
  thread.StopInternalThread();
}

// Wherever the thread is between looking and sleeping.
TEST(InternalThread, LeavesAQueueThatStaysEmpty) {
  caffe::BlockingQueue<int> queue;
  std::atomic<int> waits{0};
  for (int round = 0; round < 200; ++round) {
    Running thread([&](Running*) {
      ++waits;
      round % 2 ? queue.pop() : queue.peek();
      ADD_FAILURE() << "the queue is empty";
    });
    thread.StartInternalThread();
    if (round % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(round));
  }
  EXPECT_EQ(waits, 200);
}

TEST(BlockingQueue, KeepsTheOrder) {
  caffe::BlockingQueue<int> queue;
  int value = 0;
  EXPECT_FALSE(queue.try_pop(&value));
  EXPECT_FALSE(queue.try_peek(&value));
  for (int i = 0; i < 3; ++i) queue.push(i);
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.peek(), 0);
  EXPECT_TRUE(queue.try_peek(&value));
  EXPECT_EQ(queue.pop(), 0);
  EXPECT_TRUE(queue.try_pop(&value));
  EXPECT_EQ(value, 1);
  EXPECT_EQ(queue.pop("Waiting"), 2);
}

TEST(BlockingQueue, PassesValuesBetweenThreads) {
  caffe::BlockingQueue<int> there, back;
  Running thread([&](Running* self) {
    while (!self->told()) back.push(there.pop() + 1);
  });
  thread.StartInternalThread();
  for (int i = 0; i < 1000; ++i) {
    there.push(i);
    EXPECT_EQ(back.pop(), i + 1);
  }
}

}  // namespace
}  // namespace rxnn::testing
