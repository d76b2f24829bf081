// Layers written in Python: type "Python", python_param { module, layer, param_str }.
#pragma once

#include "caffe/common.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// The engine links no Python. The module caffe._caffe, when Python imports it, says here how such a layer is made. In a
// program without Python the first Python layer starts the interpreter: libcaffe_python.so, beside libcaffe.so.
// Python sees float32, so nets of double cannot hold such layers.
using PythonLayerFactory = shared_ptr<Layer<float>> (*)(const LayerParameter& param);
void SetPythonLayerFactory(PythonLayerFactory factory);

}  // namespace caffe
