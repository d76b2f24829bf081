#include "caffe/layers/lstm_layer.hpp"
#include "caffe/util/parallel.hpp"
#include "lstm_unit_cells.hpp"

namespace caffe {
namespace {

// Work of one value against that of an addition: five exponentials.
constexpr int kUnitWork = 50;

template <typename Cells>
void ForEachCell(int streams, const Cells& cells) {
  ForEachTask(streams, kUnitWork * cells.dim, [&](int stream) {
    for (int n = stream * cells.dim; n < (stream + 1) * cells.dim; ++n) cells(n);
  });
}

}  // namespace

template <typename Dtype>
void LSTMUnitLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() == 3 && bottom[0]->shape(0) == 1)
      << "cells of shape " << bottom[0]->shape_string() << ", expected (1, streams, values)";
  const int streams = bottom[0]->shape(1);
  hidden_dim_ = bottom[0]->shape(2);
  CAFFE_REQUIRE(hidden_dim_ <= INT_MAX / 4) << "cells of " << hidden_dim_ << " values are too large";
  CAFFE_REQUIRE(bottom[1]->shape() == (vector<int>{1, streams, 4 * hidden_dim_}))
      << "gates of shape " << bottom[1]->shape_string() << ", expected 1x" << streams << "x" << 4 * hidden_dim_;
  CAFFE_REQUIRE(bottom[2]->shape() == (vector<int>{1, streams}))
      << "continuation indicators of shape " << bottom[2]->shape_string() << ", expected 1x" << streams;
  top[0]->ReshapeLike(*bottom[0]);
  top[1]->ReshapeLike(*bottom[0]);
  X_acts_.ReshapeLike(*bottom[1]);
  tanh_c_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void LSTMUnitLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const LstmForward<Dtype> cells = {hidden_dim_,
                                    bottom[0]->cpu_data(),
                                    bottom[1]->cpu_data(),
                                    bottom[2]->cpu_data(),
                                    top[0]->mutable_cpu_data(),
                                    top[1]->mutable_cpu_data(),
                                    X_acts_.mutable_cpu_data(),
                                    tanh_c_.mutable_cpu_data()};
  ForEachCell(bottom[0]->shape(1), cells);
}

template <typename Dtype>
void LSTMUnitLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                        const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[2]) << "LSTMUnit has no gradient by its continuation indicators";
  if (!propagate_down[0] && !propagate_down[1]) {
    return;
  }
  const LstmBackward<Dtype> cells = {hidden_dim_,
                                     bottom[0]->cpu_data(),
                                     bottom[2]->cpu_data(),
                                     top[0]->cpu_diff(),
                                     top[1]->cpu_diff(),
                                     X_acts_.cpu_data(),
                                     tanh_c_.cpu_data(),
                                     propagate_down[0] ? bottom[0]->mutable_cpu_diff() : nullptr,
                                     propagate_down[1] ? bottom[1]->mutable_cpu_diff() : nullptr};
  ForEachCell(bottom[0]->shape(1), cells);
}

INSTANTIATE_CLASS(LSTMUnitLayer);
REGISTER_LAYER_CLASS(LSTMUnit);

}  // namespace caffe
