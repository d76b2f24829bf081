// The crossbar layers in GPU mode. Programming and calibration are done by the CPU's code; hardware that the GPU does
// not read, layers in double, and the forward that calibrates run there whole.
#include <type_traits>

#include "caffe/util/where.hpp"
#include "rxnn/gpu.hpp"
#include "rxnn_layers/crossbar_convolution_layer.hpp"
#include "rxnn_layers/crossbar_inner_product_layer.hpp"

namespace rxnn {

struct LayerOnGpu {
  std::uint64_t revision = 0;             // of the crossbars that `crossbar` is a copy of
  std::unique_ptr<GpuCrossbar> crossbar;  // null: the GPU does not read this hardware
  ConversionCounts counted;               // conversions that the layer knows of
};

namespace {

// The copy of what the blobs describe now; null where the CPU has to do the work.
template <typename Dtype>
GpuCrossbar* CopyOnGpu(LayerCrossbars<Dtype>* crossbars, const typename LayerCrossbars<Dtype>::Blobs& blobs,
                       bool transposed, const std::string& layer, std::shared_ptr<LayerOnGpu>* on_gpu) {
  const CrossbarMatrix& matrix = crossbars->Get(blobs, transposed);
  if (matrix.needs_calibration()) return nullptr;
  if (*on_gpu == nullptr || (*on_gpu)->revision != crossbars->revision()) {
    const bool is_new = *on_gpu == nullptr;
    *on_gpu = std::make_shared<LayerOnGpu>();
    (*on_gpu)->revision = crossbars->revision();
    try {
      (*on_gpu)->crossbar = std::make_unique<GpuCrossbar>(matrix);
    } catch (const GpuUnsupported& reason) {
      LOG_IF(WARNING, is_new) << layer << ": on the CPU: " << reason.what();
    }
  }
  return (*on_gpu)->crossbar.get();
}

template <typename Dtype>
void CountConversions(LayerCrossbars<Dtype>* crossbars, LayerOnGpu* on_gpu) {
  const ConversionCounts now = on_gpu->crossbar->conversion_counts();
  const ConversionCounts& before = on_gpu->counted;
  crossbars->AddConversions({now.conversions - before.conversions, now.low - before.low, now.high - before.high});
  on_gpu->counted = now;
}

}  // namespace

template <typename Dtype>
template <typename Where>
void CrossbarConvolutionLayer<Dtype>::ForwardOn(const Blobs& bottom, const Blobs& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    GpuCrossbar* gpu = CopyOnGpu(crossbars_.get(), this->blobs_, false, this->layer_param_.name(), &on_gpu_);
    if (gpu != nullptr) {
      for (size_t b = 0; b < bottom.size(); ++b) {
        float* y = top[b]->mutable_gpu_data();
        gpu->Convolve(Geometry(), bottom[b]->gpu_data(), this->num_, Memory::kDevice, y);
        if (this->bias_term_) this->add_bias_gpu(this->blobs_[crossbars_->bias_index()]->gpu_data(), y);
      }
      return CountConversions(crossbars_.get(), on_gpu_.get());
    }
  }
  Forward_cpu(bottom, top);
}

template <typename Dtype>
template <typename Where>
void CrossbarConvolutionLayer<Dtype>::BackwardOn(const Blobs& top, const std::vector<bool>& propagate_down,
                                                 const Blobs& bottom) {
  CAFFE_REQUIRE(!crossbars_->stored()) << "stored conductances have no gradient; use conductance: FROM_WEIGHTS";
  caffe::ConvolutionLayer<Dtype>::template BackwardOn<Where>(top, propagate_down, bottom);
}

template <typename Dtype>
template <typename Where>
void CrossbarInnerProductLayer<Dtype>::ForwardOn(const Blobs& bottom, const Blobs& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    GpuCrossbar* gpu = CopyOnGpu(crossbars_.get(), this->blobs_, this->transpose_, this->layer_param_.name(), &on_gpu_);
    if (gpu != nullptr) {
      float* y = top[0]->mutable_gpu_data();
      gpu->Matmul(bottom[0]->gpu_data(), this->M_, Memory::kDevice, y);
      if (this->bias_term_) {
        caffe::caffe_gpu_gemm(CblasNoTrans, CblasNoTrans, this->M_, this->N_, 1, 1.0f,
                              this->bias_multiplier_.gpu_data(), this->blobs_[crossbars_->bias_index()]->gpu_data(),
                              1.0f, y);
      }
      return CountConversions(crossbars_.get(), on_gpu_.get());
    }
  }
  Forward_cpu(bottom, top);
}

template <typename Dtype>
template <typename Where>
void CrossbarInnerProductLayer<Dtype>::BackwardOn(const Blobs& top, const std::vector<bool>& propagate_down,
                                                  const Blobs& bottom) {
  CAFFE_REQUIRE(!crossbars_->stored()) << "stored conductances have no gradient; use conductance: FROM_WEIGHTS";
  caffe::InnerProductLayer<Dtype>::template BackwardOn<Where>(top, propagate_down, bottom);
}

REGISTER_GPU_FORM(CrossbarConvolutionLayer);
REGISTER_GPU_FORM(CrossbarInnerProductLayer);

}  // namespace rxnn
