#include "images/scratch.hpp"

#include <gtest/gtest.h>

namespace rxnn {
namespace {

TEST(Scratch, IsTakenAgain) {
  std::uint8_t* first = nullptr;
  {
    const Scratch scratch(1000);
    first = scratch.data();
    const Scratch other(10);
    EXPECT_NE(other.data(), first);
  }
  const Scratch smaller(500);
  EXPECT_EQ(smaller.data(), first);  // the largest that is free
  EXPECT_EQ(Scratch().data(), nullptr);
}

TEST(Scratch, Moves) {
  Scratch a(100);
  std::uint8_t* const bytes = a.data();
  Scratch b(std::move(a));
  EXPECT_EQ(b.data(), bytes);
  Scratch c;
  c = std::move(b);
  EXPECT_EQ(c.data(), bytes);
}

}  // namespace
}  // namespace rxnn
