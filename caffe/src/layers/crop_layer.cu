#include "caffe/layers/crop_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

struct CropAxes {
  int count;
  int bottom[kMaxBlobAxes], top[kMaxBlobAxes], offset[kMaxBlobAxes];

  template <typename Dtype>
  CropAxes(const Blob<Dtype>& from, const Blob<Dtype>& to, const Blob<int>& offsets) : count(to.num_axes()) {
    for (int axis = 0; axis < count; ++axis) {
      bottom[axis] = from.shape(axis);
      top[axis] = to.shape(axis);
      offset[axis] = offsets.cpu_data()[axis];
    }
  }
  // Where value i of the top stands in the bottom.
  CAFFE_DEVICE int Place(int i) const {
    int place = 0, step = 1;
    for (int axis = count - 1; axis >= 0; --axis) {
      place += (i % top[axis] + offset[axis]) * step;
      i /= top[axis];
      step *= bottom[axis];
    }
    return place;
  }
};

}  // namespace gpu

template <typename Dtype>
template <typename Where>
void CropLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const gpu::CropAxes axes(*bottom[0], *top[0], offsets);
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  Where::ForEach(top[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = x[axes.Place(i)]; });
}

template <typename Dtype>
template <typename Where>
void CropLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  for (int b = 0; b < 2; ++b) {
    if (propagate_down[b]) Where::Set(bottom[b]->count(), Dtype(0), Where::MutableDiff(bottom[b]));
  }
  if (!propagate_down[0]) return;
  const gpu::CropAxes axes(*bottom[0], *top[0], offsets);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(top[0]->count(), [=] CAFFE_DEVICE(int i) { dx[axes.Place(i)] = dy[i]; });
}

REGISTER_GPU_FORM(CropLayer);

}  // namespace caffe
