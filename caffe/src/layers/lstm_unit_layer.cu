#include "caffe/layers/lstm_layer.hpp"
#include "lstm_unit_cells.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void LSTMUnitLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const LstmForward<Dtype> cells = {hidden_dim_,
                                    Where::Data(bottom[0]),
                                    Where::Data(bottom[1]),
                                    Where::Data(bottom[2]),
                                    Where::MutableData(top[0]),
                                    Where::MutableData(top[1]),
                                    Where::MutableData(&X_acts_),
                                    Where::MutableData(&tanh_c_)};
  Where::ForEach(bottom[0]->count(), cells);
}

template <typename Dtype>
template <typename Where>
void LSTMUnitLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[2]) << "LSTMUnit has no gradient by its continuation indicators";
  if (!propagate_down[0] && !propagate_down[1]) return;
  const LstmBackward<Dtype> cells = {hidden_dim_,
                                     Where::Data(bottom[0]),
                                     Where::Data(bottom[2]),
                                     Where::Diff(top[0]),
                                     Where::Diff(top[1]),
                                     Where::Data(&X_acts_),
                                     Where::Data(&tanh_c_),
                                     propagate_down[0] ? Where::MutableDiff(bottom[0]) : nullptr,
                                     propagate_down[1] ? Where::MutableDiff(bottom[1]) : nullptr};
  Where::ForEach(bottom[0]->count(), cells);
}

REGISTER_GPU_FORM(LSTMUnitLayer);

}  // namespace caffe
