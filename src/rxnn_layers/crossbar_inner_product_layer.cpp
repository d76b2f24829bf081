#include "rxnn_layers/crossbar_inner_product_layer.hpp"

namespace rxnn {

template <typename Dtype>
void CrossbarInnerProductLayer<Dtype>::LayerSetUp(const Blobs& bottom, const Blobs& top) {
  const bool stored = this->layer_param_.crossbar_param().conductance() == caffe::CrossbarParameter::STORED;
  typename LayerCrossbars<Dtype>::Blobs given;
  if (stored) given.swap(this->blobs_);  // the plain layer would take them for weights
  caffe::InnerProductLayer<Dtype>::LayerSetUp(bottom, top);
  crossbars_ = std::make_unique<LayerCrossbars<Dtype>>(this->layer_param_, 1, this->K_, this->N_);
  if (stored) crossbars_->ShapeStoredBlobs(given, &this->blobs_);
}

template <typename Dtype>
void CrossbarInnerProductLayer<Dtype>::Forward_cpu(const Blobs& bottom, const Blobs& top) {
  CrossbarMatrix& matrix = crossbars_->Get(this->blobs_, this->transpose_);
  const int count = this->M_;
  const int outputs = this->N_;
  x_.assign(bottom[0]->cpu_data(), bottom[0]->cpu_data() + bottom[0]->count());
  y_.resize(static_cast<size_t>(count) * outputs);
  CrossbarMatmul(matrix, x_.data(), count, crossbars_->TakeReads(count), y_.data());

  const Dtype* bias = crossbars_->bias(this->blobs_);
  Dtype* y = top[0]->mutable_cpu_data();
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < outputs; ++j, ++y) {
      *y = y_[static_cast<size_t>(i) * outputs + j] + (bias ? bias[j] : 0);
    }
  }
}

template <typename Dtype>
void CrossbarInnerProductLayer<Dtype>::Backward_cpu(const Blobs& top, const std::vector<bool>& propagate_down,
                                                    const Blobs& bottom) {
  CAFFE_REQUIRE(!crossbars_->stored()) << "stored conductances have no gradient; use conductance: FROM_WEIGHTS";
  caffe::InnerProductLayer<Dtype>::Backward_cpu(top, propagate_down, bottom);
}

INSTANTIATE_CLASS(CrossbarInnerProductLayer);
REGISTER_LAYER_CLASS(CrossbarInnerProduct);

}  // namespace rxnn
