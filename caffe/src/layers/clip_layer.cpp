#include "caffe/layers/clip_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void ClipLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ClipParameter& param = this->layer_param_.clip_param();
  CAFFE_REQUIRE(param.has_min() && param.has_max()) << "clip_param needs min and max";
  CAFFE_REQUIRE(param.min() <= param.max()) << "clip_param: min " << param.min() << " is above max " << param.max();
}

template <typename Dtype>
template <typename Where>
void ClipLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  const Dtype low = this->layer_param_.clip_param().min(), high = this->layer_param_.clip_param().max();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = std::min(std::max(x[i], low), high); });
}

template <typename Dtype>
template <typename Where>
void ClipLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = Where::Data(top[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype low = this->layer_param_.clip_param().min(), high = this->layer_param_.clip_param().max();
  // In place y is all there is, and nothing tells an x at the limit from one beyond.
  const bool in_place = bottom[0] == top[0];
  const Dtype* x = Where::Data(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const bool inside = in_place ? y[i] > low && y[i] < high : x[i] >= low && x[i] <= high;
    dx[i] = inside ? dy[i] : 0;
  });
}

CPU_AND_GPU(ClipLayer);
INSTANTIATE_CLASS(ClipLayer);
REGISTER_LAYER_CLASS(Clip);

}  // namespace caffe
