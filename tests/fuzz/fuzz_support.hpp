// What the fuzz targets share. libFuzzer calls a target with one input after another; an error that is thrown for it is
// the answer that is wanted, anything else (a signal, a sanitizer's report, too much memory or time) ends the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rxnn::fuzz {

// A file with these bytes that never touches a disk; the next call of the same thread writes over it.
std::string MemoryFile(const std::uint8_t* data, std::size_t size);

// A fresh folder in memory, removed when the program ends by itself.
std::string MemoryFolder();

// Calls action and swallows what bad input throws: caffe::Error, and std::bad_alloc when a blob gets no memory.
// Everything else passes through and counts as a crash.
template <typename Action>
void Try(Action action);

}  // namespace rxnn::fuzz

#include <new>

#include "caffe/error.hpp"

template <typename Action>
void rxnn::fuzz::Try(Action action) {
  try {
    action();
  } catch (const caffe::Error&) {
  } catch (const std::bad_alloc&) {
  }
}
