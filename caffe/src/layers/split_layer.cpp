#include "caffe/layers/split_layer.hpp"

#include <type_traits>

#include "../util/onednn.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void SplitLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (Blob<Dtype>* blob : top) {
    CAFFE_REQUIRE(blob != bottom[0]) << "cannot split a blob in place";
    blob->ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
void SplitLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (Blob<Dtype>* blob : top) blob->ShareData(*bottom[0]);
}

template <typename Dtype>
void SplitLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  if constexpr (std::is_same_v<Dtype, float>) {
    if (const onednn::Tensor* first = onednn::Foreign(*top[0]->diff(), top[0]->shape())) {
      onednn::Output out(bottom[0]->diff().get(), first->desc());
      const float* sum = first->values();
      float* diff = out.values();
      for (size_t i = 1; i < top.size(); ++i, sum = diff) {
        const onednn::Memory given = onednn::Read(top[i]->diff().get(), first->desc().dims());
        const onednn::Memory other = onednn::Reordered(given, first->desc(), onednn::kResult);
        const auto* added = static_cast<const float*>(other.get_data_handle());
        ForEachElement(first->count(), [=](int k) { diff[k] = sum[k] + added[k]; });
      }
      if (top.size() == 1) caffe_copy(first->count(), sum, diff);
      out.Publish();
      return;
    }
  }
  const int count = bottom[0]->count();
  Dtype* diff = bottom[0]->mutable_cpu_diff();
  caffe_copy(count, top[0]->cpu_diff(), diff);
  for (size_t i = 1; i < top.size(); ++i) caffe_axpy(count, Dtype(1), top[i]->cpu_diff(), diff);
}

INSTANTIATE_CLASS(SplitLayer);
REGISTER_LAYER_CLASS(Split);

}  // namespace caffe
