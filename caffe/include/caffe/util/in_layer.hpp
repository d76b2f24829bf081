// Errors that say which layer they come from.
#pragma once

#include <exception>
#include <new>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// Runs `action`; an error gets the layer's name and type in front and keeps the first one nested in it, so that Python
// can raise what a Python layer raised. Lack of memory stays what it is.
template <typename Action>
auto InLayer(const LayerParameter& layer, Action action) {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(Error("layer '" + layer.name() + "' (" + layer.type() + "): " + error.what()));
  }
}

}  // namespace caffe
