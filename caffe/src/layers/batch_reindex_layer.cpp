#include "caffe/layers/batch_reindex_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void BatchReindexLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "BatchReindex cannot run in place: give bottom and top different names";
  CAFFE_REQUIRE(bottom[0]->num_axes() > 0 && bottom[1]->num_axes() == 1)
      << "bottoms of shapes " << bottom[0]->shape_string() << " and " << bottom[1]->shape_string()
      << ", expected images and one axis of numbers";
  vector<int> shape = bottom[0]->shape();
  shape[0] = bottom[1]->shape(0);
  top[0]->Reshape(shape);
}

// The numbers are read on the host, where they mostly come from.
template <typename Dtype>
template <typename Where>
void BatchReindexLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *x = Where::Data(bottom[0]), *numbers = bottom[1]->cpu_data();
  Dtype* y = Where::MutableData(top[0]);
  const int images = bottom[0]->shape(0), size = bottom[0]->count(1);
  for (int n = 0; n < bottom[1]->count(); ++n) {
    CAFFE_REQUIRE(numbers[n] >= 0 && numbers[n] < images)
        << "image number " << numbers[n] << " is outside of [0, " << images << ")";
    Where::Copy(size, x + static_cast<int64_t>(numbers[n]) * size, y + static_cast<int64_t>(n) * size);
  }
}

template <typename Dtype>
template <typename Where>
void BatchReindexLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                          const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[1]) << "BatchReindex has no gradient by its numbers";
  if (!propagate_down[0]) return;
  const Dtype *dy = Where::Diff(top[0]), *numbers = bottom[1]->cpu_data();
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::Set(bottom[0]->count(), Dtype(0), dx);
  const int size = bottom[0]->count(1);
  for (int n = 0; n < bottom[1]->count(); ++n) {
    const Dtype* from = dy + static_cast<int64_t>(n) * size;
    Dtype* to = dx + static_cast<int64_t>(numbers[n]) * size;
    Where::ForEach(size, [=] CAFFE_DEVICE(int i) { to[i] += from[i]; });
  }
}

CPU_AND_GPU(BatchReindexLayer);
INSTANTIATE_CLASS(BatchReindexLayer);
REGISTER_LAYER_CLASS(BatchReindex);

}  // namespace caffe
