#include "caffe/layers/tile_layer.hpp"

#include "caffe/util/math_functions.hpp"

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
void TileLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  for (int outer = 0; outer < outer_dim_; ++outer, x += inner_dim_) {
    for (int t = 0; t < tiles_; ++t, y += inner_dim_) {
      caffe_copy(inner_dim_, x, y);
    }
  }
}

template <typename Dtype>
void TileLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  for (int outer = 0; outer < outer_dim_; ++outer, dx += inner_dim_) {
    caffe_copy(inner_dim_, dy, dx);
    dy += inner_dim_;
    for (int t = 1; t < tiles_; ++t, dy += inner_dim_) {
      caffe_axpy(inner_dim_, Dtype(1), dy, dx);
    }
  }
}

INSTANTIATE_CLASS(TileLayer);
REGISTER_LAYER_CLASS(Tile);

}  // namespace caffe
