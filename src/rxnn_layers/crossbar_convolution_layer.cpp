#include "rxnn_layers/crossbar_convolution_layer.hpp"

#include <algorithm>
#include <limits>

#include "rxnn_layers/parallel.hpp"

namespace rxnn {
namespace {

// Output positions of a block: enough to fill the kernels, few enough that small images keep all cores busy.
constexpr int kBlockPositions = 96;
// Codes held at a time, 4 bytes each.
constexpr int kMaxCodes = 1 << 24;

std::vector<int> ToVector(const caffe::Blob<int>& blob) { return {blob.cpu_data(), blob.cpu_data() + blob.count()}; }

}  // namespace

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::LayerSetUp(const Blobs& bottom, const Blobs& top) {
  const bool stored = this->layer_param_.crossbar_param().conductance() == caffe::CrossbarParameter::STORED;
  typename LayerCrossbars<Dtype>::Blobs given;
  if (stored) given.swap(this->blobs_);  // the plain layer would take them for weights
  caffe::ConvolutionLayer<Dtype>::LayerSetUp(bottom, top);
  const int outputs = this->num_output_ / this->group_;
  const int inputs = this->blobs_[0]->count(1);
  crossbars_ = std::make_unique<LayerCrossbars<Dtype>>(this->layer_param_, this->group_, inputs, outputs);
  if (stored) crossbars_->ShapeStoredBlobs(given, &this->blobs_);
}

template <typename Dtype>
ConvolutionGeometry CrossbarConvolutionLayer<Dtype>::Geometry() const {
  ConvolutionGeometry geometry;
  const auto& shape = *this->bottom_shape_;
  geometry.input.assign(shape.begin() + this->channel_axis_ + 1, shape.end());
  geometry.output = this->output_shape_;
  geometry.kernel = ToVector(this->kernel_shape_);
  geometry.stride = ToVector(this->stride_);
  geometry.pad = ToVector(this->pad_);
  geometry.dilation = ToVector(this->dilation_);
  return geometry;
}

template <typename Dtype>
int CrossbarConvolutionLayer<Dtype>::ImagesAtATime() const {
  return std::clamp(kMaxCodes / std::max<int>(this->bottom_dim_, 1), 1, this->num_);
}

template <typename Dtype>
auto CrossbarConvolutionLayer<Dtype>::Encode(const Dtype* bottom, int images) const -> CodedImages {
  const std::int64_t size = this->bottom_dim_;
  CodedImages coded;
  coded.codes.resize(images * size);
  coded.scales.resize(images);
  const Hardware& hardware = crossbars_->hardware();
  ParallelFor(images, [&](std::int64_t n) {
    const std::vector<float> image(bottom + n * size, bottom + (n + 1) * size);
    coded.scales[n] = QuantizeInputs(hardware, image.data(), size, coded.codes.data() + n * size);
  });
  return coded;
}

template <typename Dtype>
template <typename Visit>
void CrossbarConvolutionLayer<Dtype>::ForEachBlock(const PatchGatherer& gatherer, const CodedImages& coded,
                                                   Visit&& visit) const {
  const int positions = gatherer.positions();
  const int blocks = (positions + kBlockPositions - 1) / kBlockPositions;
  const std::int64_t images = static_cast<std::int64_t>(coded.scales.size());
  const std::int64_t group_size = this->bottom_dim_ / this->group_;
  ParallelFor(images * this->group_ * blocks, [&](std::int64_t i) {
    Block block;
    block.first = static_cast<int>(i % blocks) * kBlockPositions;
    block.count = std::min(kBlockPositions, positions - block.first);
    block.group = static_cast<int>(i / blocks % this->group_);
    block.image = static_cast<int>(i / blocks / this->group_);
    std::vector<std::int32_t> patches(static_cast<size_t>(block.count) * gatherer.patch_size());
    const std::int32_t* image = coded.codes.data() + block.image * this->bottom_dim_ + block.group * group_size;
    gatherer.Gather(image, block.first, block.count, patches.data());
    visit(block, patches.data());
  });
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::Calibrate(CrossbarMatrix& matrix, const PatchGatherer& gatherer,
                                                const Dtype* bottom) const {
  CurrentRange range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const int step = ImagesAtATime();
  for (int n = 0; n < this->num_; n += step) {
    const CodedImages coded =
        Encode(bottom + static_cast<std::int64_t>(n) * this->bottom_dim_, std::min(step, this->num_ - n));
    ForEachBlock(gatherer, coded, [&](const Block& block, const std::int32_t* patches) {
      const CurrentRange seen =
          matrix.ObserveCurrents(block.group, patches, block.count, coded.scales[block.image].has_negative);
#pragma omp critical(rxnn_calibrate)
      range = {std::min(range.min, seen.min), std::max(range.max, seen.max)};
    });
  }
  matrix.SetAdcRange(range);
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::Forward_cpu(const Blobs& bottom, const Blobs& top) {
  CrossbarMatrix& matrix = crossbars_->Get(this->blobs_, false);
  const Dtype* bias = crossbars_->bias(this->blobs_);
  const PatchGatherer gatherer(Geometry(), this->channels_ / this->group_);
  const int positions = gatherer.positions();
  const int outputs = matrix.outputs();
  const int step = ImagesAtATime();

  for (size_t b = 0; b < bottom.size(); ++b) {
    const Dtype* bottom_data = bottom[b]->cpu_data();
    Dtype* top_data = top[b]->mutable_cpu_data();
    if (matrix.needs_calibration()) Calibrate(matrix, gatherer, bottom_data);
    const std::uint64_t first_read = crossbars_->TakeReads(static_cast<std::uint64_t>(this->num_) * positions);

    for (int n = 0; n < this->num_; n += step) {
      const CodedImages coded =
          Encode(bottom_data + static_cast<std::int64_t>(n) * this->bottom_dim_, std::min(step, this->num_ - n));
      ForEachBlock(gatherer, coded, [&](const Block& block, const std::int32_t* patches) {
        const InputScale& scale = coded.scales[block.image];
        const std::int64_t image = n + block.image;
        std::vector<double> sums(static_cast<size_t>(block.count) * outputs);
        matrix.Multiply(block.group, patches, block.count, scale.has_negative,
                        first_read + image * positions + block.first, sums.data());
        for (int j = 0; j < outputs; ++j) {
          const int channel = block.group * outputs + j;
          const double factor = matrix.OutputScale(channel, scale.range);
          const Dtype offset = bias ? bias[channel] : 0;
          Dtype* y = top_data + image * this->top_dim_ + static_cast<std::int64_t>(channel) * positions + block.first;
          for (int i = 0; i < block.count; ++i) {
            // Rounded to float before the bias is added, as CrossbarMatmul gives it.
            y[i] = static_cast<float>(sums[static_cast<size_t>(i) * outputs + j] * factor) + offset;
          }
        }
      });
    }
  }
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::Backward_cpu(const Blobs& top, const std::vector<bool>& propagate_down,
                                                   const Blobs& bottom) {
  CAFFE_REQUIRE(!crossbars_->stored()) << "stored conductances have no gradient; use conductance: FROM_WEIGHTS";
  caffe::ConvolutionLayer<Dtype>::Backward_cpu(top, propagate_down, bottom);
}

INSTANTIATE_CLASS(CrossbarConvolutionLayer);
REGISTER_LAYER_CLASS(CrossbarConvolution);

}  // namespace rxnn
