// Caffe's random numbers as a generator of the standard library, for shuffling and distributions.
#pragma once

#include <iterator>
#include <random>
#include <utility>

#include "caffe/common.hpp"

namespace caffe {

typedef std::mt19937 rng_t;

inline rng_t* caffe_rng() { return static_cast<rng_t*>(Caffe::rng_stream().generator()); }

// Brings the elements into a random order, each as likely as the others (Fisher and Yates); repeats under
// Caffe::set_random_seed.
template <typename RandomAccessIterator, typename RandomGenerator>
void shuffle(RandomAccessIterator begin, RandomAccessIterator end, RandomGenerator* generator) {
  using Difference = typename std::iterator_traits<RandomAccessIterator>::difference_type;
  for (Difference last = std::distance(begin, end) - 1; last > 0; --last) {
    std::uniform_int_distribution<Difference> upto(0, last);
    std::iter_swap(begin + last, begin + upto(*generator));
  }
}

template <typename RandomAccessIterator>
void shuffle(RandomAccessIterator begin, RandomAccessIterator end) {
  shuffle(begin, end, caffe_rng());
}

}  // namespace caffe
