#include "caffe/layers/concat_layer.hpp"

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void ConcatLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ConcatParameter& param = this->layer_param_.concat_param();
  CAFFE_REQUIRE(!(param.has_axis() && param.has_concat_dim())) << "give either axis or concat_dim";
}

template <typename Dtype>
void ConcatLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ConcatParameter& param = this->layer_param_.concat_param();
  concat_axis_ =
      bottom[0]->CanonicalAxisIndex(param.has_concat_dim() ? static_cast<int>(param.concat_dim()) : param.axis());
  vector<int> top_shape = bottom[0]->shape();
  for (size_t i = 1; i < bottom.size(); ++i) {
    vector<int> shape = bottom[i]->shape();
    CAFFE_REQUIRE(shape.size() == top_shape.size()) << "bottoms of shapes " << bottom[0]->shape_string() << " and "
                                                    << bottom[i]->shape_string() << " differ in their number of axes";
    const int size = shape[concat_axis_];
    shape[concat_axis_] = top_shape[concat_axis_];
    CAFFE_REQUIRE(shape == top_shape) << "bottoms of shapes " << bottom[0]->shape_string() << " and "
                                      << bottom[i]->shape_string() << " differ outside of axis " << concat_axis_;
    top_shape[concat_axis_] += size;
  }
  num_concats_ = bottom[0]->count(0, concat_axis_);
  concat_input_size_ = bottom[0]->count(concat_axis_ + 1);
  top[0]->Reshape(top_shape);
  if (bottom.size() == 1) {
    top[0]->ShareData(*bottom[0]);
    top[0]->ShareDiff(*bottom[0]);
  }
}

template <typename Dtype>
void ConcatLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (bottom.size() == 1) {
    return;
  }
  const int top_size = top[0]->count(concat_axis_);
  Dtype* destination = top[0]->mutable_cpu_data();
  for (const Blob<Dtype>* blob : bottom) {
    const int size = blob->count(concat_axis_);
    for (int n = 0; n < num_concats_; ++n) {
      caffe_copy(size, blob->cpu_data() + n * size, destination + n * top_size);
    }
    destination += size;
  }
}

template <typename Dtype>
void ConcatLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  if (bottom.size() == 1) {
    return;
  }
  const int top_size = top[0]->count(concat_axis_);
  const Dtype* source = top[0]->cpu_diff();
  for (size_t i = 0; i < bottom.size(); ++i) {
    const int size = bottom[i]->count(concat_axis_);
    for (int n = 0; propagate_down[i] && n < num_concats_; ++n) {
      caffe_copy(size, source + n * top_size, bottom[i]->mutable_cpu_diff() + n * size);
    }
    source += size;
  }
}

INSTANTIATE_CLASS(ConcatLayer);
REGISTER_LAYER_CLASS(Concat);

}  // namespace caffe
