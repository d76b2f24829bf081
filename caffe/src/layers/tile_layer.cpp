#include "caffe/layers/tile_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void TileLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  tiles_ = this->layer_param_.tile_param().tiles();
  CAFFE_REQUIRE(this->layer_param_.tile_param().has_tiles()) << "tile_param needs tiles";
  CAFFE_REQUIRE(tiles_ > 0) << "tile_param: tiles is " << tiles_ << ", expected 1 or more";
}

template <typename Dtype>
void TileLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "Tile cannot run in place: give bottom and top different names";
  axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.tile_param().axis());
  vector<int> shape = bottom[0]->shape();
  const int64_t size = static_cast<int64_t>(shape[axis_]) * tiles_;
  CAFFE_REQUIRE(size <= INT_MAX) << "tile_param: " << tiles_ << " tiles of a bottom of shape "
                                 << bottom[0]->shape_string() << " are too many";
  shape[axis_] = static_cast<int>(size);
  top[0]->Reshape(shape);
  outer_dim_ = bottom[0]->count(0, axis_);
  inner_dim_ = bottom[0]->count(axis_);
}

template <typename Dtype>
template <typename Where>
void TileLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  for (int t = 0; t < tiles_; ++t) {
    Where::CopyRows(outer_dim_, inner_dim_, x, inner_dim_, y + t * inner_dim_, tiles_ * inner_dim_);
  }
}

template <typename Dtype>
template <typename Where>
void TileLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const int tiles = tiles_, inner = inner_dim_;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const Dtype* first = dy + static_cast<int64_t>(i / inner) * tiles * inner + i % inner;
    Dtype sum = 0;
    for (int t = 0; t < tiles; ++t) sum += first[t * inner];
    dx[i] = sum;
  });
}

CPU_AND_GPU(TileLayer);
INSTANTIATE_CLASS(TileLayer);
REGISTER_LAYER_CLASS(Tile);

}  // namespace caffe
