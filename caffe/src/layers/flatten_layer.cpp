#include "caffe/layers/flatten_layer.hpp"

namespace caffe {

template <typename Dtype>
void FlattenLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "Flatten cannot run in place: give bottom and top different names";
  const FlattenParameter& param = this->layer_param_.flatten_param();
  const int first = bottom[0]->CanonicalAxisIndex(param.axis());
  const int last = bottom[0]->CanonicalAxisIndex(param.end_axis());
  CAFFE_REQUIRE(first <= last) << "flatten_param: axis " << first << " is behind end_axis " << last;
  const vector<int>& shape = bottom[0]->shape();
  vector<int> top_shape(shape.begin(), shape.begin() + first);
  top_shape.push_back(bottom[0]->count(first, last + 1));
  top_shape.insert(top_shape.end(), shape.begin() + last + 1, shape.end());
  top[0]->Reshape(top_shape);
  top[0]->ShareData(*bottom[0]);
  top[0]->ShareDiff(*bottom[0]);
}

// Top and bottom are the same memory.
template <typename Dtype>
void FlattenLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {}

template <typename Dtype>
void FlattenLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {}

INSTANTIATE_CLASS(FlattenLayer);
REGISTER_LAYER_CLASS(Flatten);

}  // namespace caffe
