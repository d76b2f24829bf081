// The schema meets the core: CrossbarParameter becomes Hardware.
#pragma once

#include <string>

#include "caffe/proto/caffe.pb.h"
#include "rxnn/hardware.hpp"

namespace rxnn {

// Field by field; nothing is checked (CrossbarMatrix validates).
Hardware HardwareFromProto(const caffe::CrossbarParameter& param);

// A hardware preset: `source` is a file (when one of that name exists) or the text of a CrossbarParameter. Throws
// caffe::Error with file, line and column for text that does not parse; nothing else is checked.
caffe::CrossbarParameter ReadHardware(const std::string& source);

}  // namespace rxnn
