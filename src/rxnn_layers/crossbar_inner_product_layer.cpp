#include "rxnn_layers/crossbar_inner_product_layer.hpp"

#include <cstdint>
#include <optional>
#include <type_traits>

namespace rxnn {

template <typename Dtype>
void CrossbarInnerProductLayer<Dtype>::LayerSetUp(const Blobs& bottom, const Blobs& top) {
  this->SetUpGeometry(bottom);
  crossbars_ = std::make_unique<LayerCrossbars<Dtype>>(this->layer_param_, 1, this->K_, this->N_);
  const auto& bias_filler = this->layer_param_.inner_product_param().bias_filler();
  if (crossbars_->stored()) {
    crossbars_->SetUpStoredBlobs(this->bias_term_ ? &bias_filler : nullptr, &this->blobs_);
  } else {
    this->SetUpBlobs();
  }
}

template <typename Dtype>
void CrossbarInnerProductLayer<Dtype>::Forward_cpu(const Blobs& bottom, const Blobs& top) {
  CrossbarMatrix& matrix = crossbars_->Get(this->blobs_, this->transpose_);
  const float* x;
  if constexpr (std::is_same_v<Dtype, float>) {
    x = bottom[0]->cpu_data();
  } else {
    x_.assign(bottom[0]->cpu_data(), bottom[0]->cpu_data() + bottom[0]->count());
    x = x_.data();
  }
  std::optional<CodedVectors> vectors;
  crossbars_->Quantize([&] { vectors.emplace(matrix.hardware(), x, this->M_, this->K_); });
  if (matrix.needs_calibration() && this->M_ > 0) matrix.Calibrate(matrix.ObserveCurrents(*vectors));

  const Dtype* bias = crossbars_->bias(this->blobs_);
  Dtype* y = top[0]->mutable_cpu_data();
  matrix.Multiply(*vectors, crossbars_->TakeReads(this->M_), [&](const SumBlock& block) {
    for (int v = 0; v < block.vectors; ++v) {
      const int vector = block.first_vector + v;
      const float range = vectors->scale(vector).range;
      Dtype* row = y + static_cast<std::int64_t>(vector) * this->N_;
      for (int n = 0; n < block.outputs; ++n) {
        const int output = block.first_output + n;
        // Rounded to float before the bias is added, as CrossbarMatmul gives it.
        row[output] = static_cast<float>(block.sums[v * block.stride + n] * matrix.OutputScale(output, range)) +
                      (bias ? bias[output] : 0);
      }
    }
  });
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
