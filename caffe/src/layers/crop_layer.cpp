#include "caffe/layers/crop_layer.hpp"

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void CropLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const CropParameter& param = this->layer_param_.crop_param();
  const int cropped = bottom[0]->num_axes() - bottom[0]->CanonicalAxisIndex(param.axis());
  CAFFE_REQUIRE(param.offset_size() <= 1 || param.offset_size() == cropped)
      << "crop_param: " << param.offset_size() << " offsets, expected none, one, or one for each of the " << cropped
      << " cropped axes";
}

template <typename Dtype>
void CropLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const CropParameter& param = this->layer_param_.crop_param();
  CAFFE_REQUIRE(bottom[0] != top[0]) << "Crop cannot run in place: give bottom and top different names";
  CAFFE_REQUIRE(bottom[0]->num_axes() == bottom[1]->num_axes())
      << "bottoms of shapes " << bottom[0]->shape_string() << " and " << bottom[1]->shape_string()
      << " differ in their number of axes";
  const int first = bottom[0]->CanonicalAxisIndex(param.axis());
  vector<int> shape = bottom[0]->shape();
  offsets.Reshape({bottom[0]->num_axes()});
  int* offset = offsets.mutable_cpu_data();
  for (int axis = 0; axis < bottom[0]->num_axes(); ++axis) {
    offset[axis] = 0;
    if (axis < first) {
      continue;
    }
    if (param.offset_size() > 0) {
      offset[axis] = static_cast<int>(param.offset(param.offset_size() == 1 ? 0 : axis - first));
    }
    shape[axis] = bottom[1]->shape(axis);
    CAFFE_REQUIRE(offset[axis] >= 0 && shape[axis] <= bottom[0]->shape(axis) - offset[axis])
        << "cannot cut " << shape[axis] << " from " << offset[axis] << " on out of axis " << axis << " of a bottom of "
        << "shape " << bottom[0]->shape_string();
  }
  top[0]->Reshape(shape);
}

template <typename Dtype>
template <typename Copy>
void CropLayer<Dtype>::ForEachRun(const Blob<Dtype>& bottom, const Blob<Dtype>& top, Copy copy) const {
  const int last = top.num_axes() - 1, run = top.shape(last);
  const int* offset = offsets.cpu_data();
  for (int position = 0; position < top.count(); position += run) {
    // The place of the run's first value, axis by axis from the last but one to the first.
    int rest = position / run, stride = bottom.shape(last), from = offset[last];
    for (int axis = last - 1; axis >= 0; --axis) {
      from += (rest % top.shape(axis) + offset[axis]) * stride;
      rest /= top.shape(axis);
      stride *= bottom.shape(axis);
    }
    copy(from, position, run);
  }
}

template <typename Dtype>
void CropLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  ForEachRun(*bottom[0], *top[0], [=](int from, int to, int count) { caffe_copy(count, x + from, y + to); });
}

template <typename Dtype>
void CropLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  for (int i = 0; i < 2; ++i) {
    if (propagate_down[i]) {
      caffe_set(bottom[i]->count(), Dtype(0), bottom[i]->mutable_cpu_diff());
    }
  }
  if (propagate_down[0]) {
    const Dtype* dy = top[0]->cpu_diff();
    Dtype* dx = bottom[0]->mutable_cpu_diff();
    ForEachRun(*bottom[0], *top[0], [=](int from, int to, int count) { caffe_copy(count, dy + to, dx + from); });
  }
}

INSTANTIATE_CLASS(CropLayer);
REGISTER_LAYER_CLASS(Crop);

}  // namespace caffe
