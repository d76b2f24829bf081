// Caffe's header for training on several GPUs with NCCL. This build has no NCCL; what includes it compiles as in a
// build of Caffe without.
#pragma once

#include "caffe/solver.hpp"
