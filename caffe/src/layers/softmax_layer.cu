#include "caffe/layers/softmax_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void SoftmaxLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int classes = bottom[0]->shape(softmax_axis_), inner = inner_num_, rows = outer_num_ * inner_num_;
  const Dtype* x = Where::Data(bottom[0]);
  Dtype *y = Where::MutableData(top[0]), *largest = gpu::Scratch<Dtype>(2 * rows), *sums = largest + rows;
  Where::template ReduceRows<LargestOfRow>(
      rows, classes,
      [=] CAFFE_DEVICE(int row, int c) {
        return static_cast<double>(x[(row / inner * classes + c) * inner + row % inner]);
      },
      [=] CAFFE_DEVICE(int row, double value) { largest[row] = static_cast<Dtype>(value); });
  Where::template ReduceRows<SumOfRow>(
      rows, classes,
      [=] CAFFE_DEVICE(int row, int c) {
        return static_cast<double>(std::exp(x[(row / inner * classes + c) * inner + row % inner] - largest[row]));
      },
      [=] CAFFE_DEVICE(int row, double sum) { sums[row] = static_cast<Dtype>(sum); });
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const int row = i / (classes * inner) * inner + i % inner;
    y[i] = std::exp(x[i] - largest[row]) / sums[row];
  });
}

// dx = y (dy - sum over classes of dy y).
template <typename Dtype>
template <typename Where>
void SoftmaxLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const int classes = top[0]->shape(softmax_axis_), inner = inner_num_, rows = outer_num_ * inner_num_;
  const Dtype *y = Where::Data(top[0]), *dy = Where::Diff(top[0]);
  Dtype *dx = Where::MutableDiff(bottom[0]), *dots = gpu::Scratch<Dtype>(rows);
  Where::template ReduceRows<SumOfRow>(
      rows, classes,
      [=] CAFFE_DEVICE(int row, int c) {
        const int i = (row / inner * classes + c) * inner + row % inner;
        return static_cast<double>(dy[i] * y[i]);
      },
      [=] CAFFE_DEVICE(int row, double sum) { dots[row] = static_cast<Dtype>(sum); });
  Where::ForEach(top[0]->count(),
                 [=] CAFFE_DEVICE(int i) { dx[i] = y[i] * (dy[i] - dots[i / (classes * inner) * inner + i % inner]); });
}

REGISTER_GPU_FORM(SoftmaxLayer);

}  // namespace caffe
