#include "caffe/util/convolution_geometry.hpp"

#include <algorithm>

namespace caffe {
namespace {

using Values = google::protobuf::RepeatedField<google::protobuf::uint32>;

// The three forms of one field.
struct Field {
  const char* name;
  const Values& values;
  bool has_hw;
  uint32_t h, w;
  int least;
  int default_value;  // -1: there is none
};

void Read(const Field& field, int axes, Blob<int>* spatial) {
  spatial->Reshape({std::max(axes, 1)});
  int* out = spatial->mutable_cpu_data();
  const int given = field.values.size();
  if (field.has_hw) {
    CAFFE_REQUIRE(axes == 2) << field.name << "_h and " << field.name << "_w need two spatial axes, the bottom has "
                             << axes;
    CAFFE_REQUIRE(given == 0) << field.name << " is given twice: as one field and as _h and _w";
    out[0] = static_cast<int>(field.h);
    out[1] = static_cast<int>(field.w);
  } else {
    CAFFE_REQUIRE(given > 0 || field.default_value >= 0 || axes == 0) << "convolution_param needs " << field.name;
    CAFFE_REQUIRE(given <= 1 || given == axes)
        << field.name << " is given " << given << " times: give it once, or once for each of the " << axes
        << " spatial axes";
    for (int i = 0; i < axes; ++i) {
      out[i] = given == 0 ? field.default_value : static_cast<int>(field.values.Get(given == 1 ? 0 : i));
    }
  }
  for (int i = 0; i < axes; ++i) {
    CAFFE_REQUIRE(out[i] >= field.least) << field.name << " must be at least " << field.least;
  }
}

}  // namespace

void ReadConvolutionGeometry(const ConvolutionParameter& param, int num_spatial_axes, Blob<int>* kernel,
                             Blob<int>* stride, Blob<int>* pad, Blob<int>* dilation) {
  const bool kernel_hw = param.has_kernel_h() || param.has_kernel_w();
  const bool stride_hw = param.has_stride_h() || param.has_stride_w();
  const bool pad_hw = param.has_pad_h() || param.has_pad_w();
  Read({"kernel_size", param.kernel_size(), kernel_hw, param.kernel_h(), param.kernel_w(), 1, -1}, num_spatial_axes,
       kernel);
  Read({"stride", param.stride(), stride_hw, param.stride_h(), param.stride_w(), 1, 1}, num_spatial_axes, stride);
  Read({"pad", param.pad(), pad_hw, param.pad_h(), param.pad_w(), 0, 0}, num_spatial_axes, pad);
  Read({"dilation", param.dilation(), false, 0, 0, 1, 1}, num_spatial_axes, dilation);
}

}  // namespace caffe
