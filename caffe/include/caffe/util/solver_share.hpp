// How several solvers of one training divide a source of data.
#pragma once

#include <cstdint>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// Whether the record number `offset` is for the solver of this thread: in turns while training, all while testing.
inline bool IsForThisSolver(std::uint64_t offset, Phase phase) {
  return phase == TEST || offset % Caffe::solver_count() == static_cast<std::uint64_t>(Caffe::solver_rank());
}

}  // namespace caffe
