#include "caffe/layers/embed_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void EmbedLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  // Indices are checked on the host, where they mostly come from.
  const Dtype* of_host = bottom[0]->cpu_data();
  for (int m = 0; m < M_; ++m) {
    CAFFE_REQUIRE(of_host[m] >= 0 && of_host[m] < K_ && of_host[m] == std::floor(of_host[m]))
        << "index " << of_host[m] << " is no whole number in [0, " << K_ << ")";
  }
  const Dtype *indices = Where::Data(bottom[0]), *weights = Where::Data(this->blobs_[0].get());
  const Dtype* bias = bias_term_ ? Where::Data(this->blobs_[1].get()) : nullptr;
  Dtype* y = Where::MutableData(top[0]);
  const int columns = N_;
  Where::ForEach(top[0]->count(), [=] CAFFE_DEVICE(int i) {
    const int column = i % columns;
    y[i] = weights[static_cast<int64_t>(indices[i / columns]) * columns + column] + (bias ? bias[column] : 0);
  });
}

// A thread goes down a column, so that rows which are used twice get both gradients.
template <typename Dtype>
template <typename Where>
void EmbedLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[0]) << "Embed has no gradient by its index";
  const Dtype *dy = Where::Diff(top[0]), *indices = Where::Data(bottom[0]);
  const bool want_bias = bias_term_ && this->param_propagate_down_[1];
  Dtype* weight_diff = this->param_propagate_down_[0] ? Where::MutableDiff(this->blobs_[0].get()) : nullptr;
  Dtype* bias_diff = want_bias ? Where::MutableDiff(this->blobs_[1].get()) : nullptr;
  const int rows = M_, columns = N_;
  Where::ForEach(columns, [=] CAFFE_DEVICE(int column) {
    for (int m = 0; m < rows; ++m) {
      const Dtype gradient = dy[static_cast<int64_t>(m) * columns + column];
      if (weight_diff) weight_diff[static_cast<int64_t>(indices[m]) * columns + column] += gradient;
      if (bias_diff) bias_diff[column] += gradient;
    }
  });
}

REGISTER_GPU_FORM(EmbedLayer);

}  // namespace caffe
