#include "caffe/layers/filter_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void FilterLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(top.size() + 1 == bottom.size()) << "takes one top for each bottom but the last, got " << top.size()
                                                 << " tops and " << bottom.size() << " bottoms";
  first_reshape_ = true;
}

template <typename Dtype>
void FilterLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& selector = *bottom.back();
  CAFFE_REQUIRE(selector.num_axes() > 0 && selector.count(1) == 1)
      << "the selector has shape " << selector.shape_string() << ", expected one value for each image";
  const int num = selector.shape(0);
  indices_to_forward_.clear();
  for (int n = 0; n < num; ++n) {
    if (first_reshape_ || selector.cpu_data()[n] != 0) {
      indices_to_forward_.push_back(n);
    }
  }
  first_reshape_ = false;
  for (size_t i = 0; i < top.size(); ++i) {
    CAFFE_REQUIRE(bottom[i] != top[i]) << "Filter cannot run in place: give bottom and top different names";
    CAFFE_REQUIRE(bottom[i]->num_axes() > 0 && bottom[i]->shape(0) == num)
        << "bottom " << i << " of shape " << bottom[i]->shape_string() << ", the selector is for " << num << " images";
    vector<int> shape = bottom[i]->shape();
    shape[0] = static_cast<int>(indices_to_forward_.size());
    top[i]->Reshape(shape);
  }
}

template <typename Dtype>
template <typename Where>
void FilterLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (size_t i = 0; i < top.size(); ++i) {
    const int size = bottom[i]->count(1);
    const Dtype* x = Where::Data(bottom[i]);
    Dtype* y = Where::MutableData(top[i]);
    for (const int n : indices_to_forward_) {
      Where::Copy(size, x + static_cast<int64_t>(n) * size, y);
      y += size;
    }
  }
}

template <typename Dtype>
template <typename Where>
void FilterLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[bottom.size() - 1]) << "Filter has no gradient by its selector";
  for (size_t i = 0; i < top.size(); ++i) {
    if (!propagate_down[i]) continue;
    const int size = bottom[i]->count(1);
    const Dtype* dy = Where::Diff(top[i]);
    Dtype* dx = Where::MutableDiff(bottom[i]);
    Where::Set(bottom[i]->count(), Dtype(0), dx);
    for (const int n : indices_to_forward_) {
      Where::Copy(size, dy, dx + static_cast<int64_t>(n) * size);
      dy += size;
    }
  }
}

CPU_AND_GPU(FilterLayer);
INSTANTIATE_CLASS(FilterLayer);
REGISTER_LAYER_CLASS(Filter);

}  // namespace caffe
