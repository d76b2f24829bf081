// A mode for as long as a test needs it.
#pragma once

#include "caffe/common.hpp"

namespace rxnn::testing {

struct ModeScope {
  explicit ModeScope(caffe::Caffe::Brew mode) { caffe::Caffe::set_mode(mode); }
  ~ModeScope() { caffe::Caffe::set_mode(caffe::Caffe::CPU); }
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;
};

}  // namespace rxnn::testing
