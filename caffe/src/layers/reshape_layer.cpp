#include "caffe/layers/reshape_layer.hpp"

#include <algorithm>

namespace caffe {

template <typename Dtype>
void ReshapeLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "Reshape cannot run in place: give bottom and top different names";
  const ReshapeParameter& param = this->layer_param_.reshape_param();
  const vector<int>& shape = bottom[0]->shape();
  const int axes = bottom[0]->num_axes();
  const int first = param.axis() >= 0 ? param.axis() : axes + param.axis() + 1;
  CAFFE_REQUIRE(first >= 0 && first <= axes)
      << "reshape_param: axis " << param.axis() << " is outside of a bottom of " << axes << " axes";
  CAFFE_REQUIRE(param.num_axes() >= -1 && first + param.num_axes() <= axes)
      << "reshape_param: num_axes " << param.num_axes() << " from axis " << first << " on, the bottom has " << axes;
  const int end = param.num_axes() == -1 ? axes : first + param.num_axes();

  vector<int> top_shape(shape.begin(), shape.begin() + first);
  int inferred = -1;
  for (int i = 0; i < param.shape().dim_size(); ++i) {
    int64_t dim = param.shape().dim(i);
    CAFFE_REQUIRE(dim >= -1 && dim <= INT_MAX) << "reshape_param: dimension " << dim << ", expected -1 or more";
    if (dim == 0) {
      CAFFE_REQUIRE(first + i < axes) << "reshape_param: dimension " << i << " is 0, the bottom has no axis "
                                      << first + i << " to take it from";
      dim = shape[first + i];
    } else if (dim == -1) {
      CAFFE_REQUIRE(inferred == -1) << "reshape_param: only one dimension may be -1";
      inferred = first + i;
      dim = 1;
    }
    top_shape.push_back(static_cast<int>(dim));
  }
  top_shape.insert(top_shape.end(), shape.begin() + end, shape.end());
  if (inferred >= 0) {
    int64_t known = 1;
    for (int dim : top_shape) {
      known = std::min<int64_t>(known * dim, INT_MAX);
    }
    CAFFE_REQUIRE(known > 0 && bottom[0]->count() % known == 0)
        << "bottom of shape " << bottom[0]->shape_string() << " cannot be divided into parts of " << known
        << " values to find the dimension -1";
    top_shape[inferred] = static_cast<int>(bottom[0]->count() / known);
  }
  top[0]->Reshape(top_shape);
  CAFFE_REQUIRE(top[0]->count() == bottom[0]->count())
      << "bottom of shape " << bottom[0]->shape_string() << " cannot become " << top[0]->shape_string()
      << ": the number of values differs";
  top[0]->ShareData(*bottom[0]);
  top[0]->ShareDiff(*bottom[0]);
}

// Top and bottom are the same memory.
template <typename Dtype>
void ReshapeLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {}

template <typename Dtype>
void ReshapeLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {}

INSTANTIATE_CLASS(ReshapeLayer);
REGISTER_LAYER_CLASS(Reshape);

}  // namespace caffe
