#include "caffe/layers/split_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void SplitLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (Blob<Dtype>* blob : top) blob->ShareData(*bottom[0]);
}

template <typename Dtype>
template <typename Where>
void SplitLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const int count = bottom[0]->count();
  Dtype* diff = Where::MutableDiff(bottom[0]);
  Where::Copy(count, Where::Diff(top[0]), diff);
  for (size_t i = 1; i < top.size(); ++i) caffe_gpu_axpy(count, Dtype(1), Where::Diff(top[i]), diff);
}

REGISTER_GPU_FORM(SplitLayer);

}  // namespace caffe
