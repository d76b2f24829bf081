#include "rxnn_layers/crossbar_convolution_layer.hpp"

#include <algorithm>
#include <type_traits>

namespace rxnn {
namespace {

// Codes held at a time.
constexpr std::int64_t kMostBytes = 1 << 26;

std::vector<int> ToVector(const caffe::Blob<int>& blob) { return {blob.cpu_data(), blob.cpu_data() + blob.count()}; }

}  // namespace

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::LayerSetUp(const Blobs& bottom, const Blobs& top) {
  this->SetUpGeometry(bottom);
  crossbars_ = std::make_unique<LayerCrossbars<Dtype>>(this->layer_param_, this->group_, this->kernel_dim_,
                                                       this->num_output_ / this->group_);
  const auto& bias_filler = this->layer_param_.convolution_param().bias_filler();
  if (crossbars_->stored()) {
    crossbars_->SetUpStoredBlobs(this->bias_term_ ? &bias_filler : nullptr, &this->blobs_);
  } else {
    this->SetUpBlobs();
  }
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
void CrossbarConvolutionLayer<Dtype>::Encode(const Dtype* bottom, int first, int count, ConvolutionVectors* vectors) {
  const Dtype* images = bottom + static_cast<std::int64_t>(first) * this->bottom_dim_;
  if constexpr (std::is_same_v<Dtype, float>) {
    crossbars_->Quantize([&] { vectors->Encode(images, count); });
  } else {
    images_.assign(images, images + static_cast<std::int64_t>(count) * this->bottom_dim_);
    crossbars_->Quantize([&] { vectors->Encode(images_.data(), count); });
  }
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::Calibrate(CrossbarMatrix& matrix, const Dtype* bottom, int together,
                                                ConvolutionVectors* vectors) {
  CurrentHistogram seen;
  for (int n = 0; n < this->num_; n += together) {
    Encode(bottom, n, std::min(together, this->num_ - n), vectors);
    seen.Add(matrix.ObserveCurrents(*vectors));
  }
  matrix.Calibrate(seen);
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::Multiply(const CrossbarMatrix& matrix, const ConvolutionVectors& vectors,
                                               std::uint64_t first_read, int first, Dtype* top) {
  const int positions = vectors.positions();
  const int images = vectors.count() / positions;
  const int channels = this->num_output_;
  std::vector<double> factors;  // of every image and channel
  for (int image = 0; image < images; ++image) {
    const float range = vectors.scale(image * positions).range;
    for (int channel = 0; channel < channels; ++channel) {
      factors.push_back(matrix.OutputScale(channel, range) * gains_[channel]);
    }
  }
  matrix.Multiply(vectors, first_read, [&](const SumBlock& block) {
    const int channel = block.pack * matrix.packs().pack_outputs() + block.first_output;
    for (int v = 0; v < block.vectors;) {
      const int image = (block.first_vector + v) / positions;
      const int position = (block.first_vector + v) % positions;
      const int count = std::min(block.vectors - v, positions - position);
      const double* sums = block.sums + v * block.stride;
      const double* image_factors = factors.data() + static_cast<std::int64_t>(image) * channels + channel;
      Dtype* out = top + (first + image) * static_cast<std::int64_t>(this->top_dim_) +
                   static_cast<std::int64_t>(channel) * positions + position;
      if constexpr (std::is_same_v<Dtype, float>) {
        const PlaneMap map = {image_factors, bias_.data() + channel, negative_slope_};
        StorePlanes(sums, block.stride, count, block.outputs, map, out, positions);
      } else {
        for (int n = 0; n < block.outputs; ++n) {
          for (int i = 0; i < count; ++i) {
            // Rounded to float before the bias is added, as CrossbarMatmul gives it.
            const Dtype y = static_cast<float>(sums[i * block.stride + n] * image_factors[n]) + bias_[channel + n];
            out[static_cast<std::int64_t>(n) * positions + i] = y < 0 ? y * negative_slope_ : y;
          }
        }
      }
      v += count;
    }
  });
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::SetOutputMap(const caffe::Followers<Dtype>& followers) {
  const auto maps = followers.ChannelMaps(this->num_output_);
  const Dtype* bias = crossbars_->bias(this->blobs_);
  gains_.clear();
  bias_.clear();
  for (int channel = 0; channel < this->num_output_; ++channel) {
    gains_.push_back(maps[channel].gain);
    bias_.push_back(static_cast<float>((bias ? bias[channel] : 0) * maps[channel].gain + maps[channel].shift));
  }
  negative_slope_ = followers.relu ? followers.negative_slope() : 1;
}

template <typename Dtype>
bool CrossbarConvolutionLayer<Dtype>::ForwardWith(const caffe::Followers<Dtype>& followers, const Blobs& bottom,
                                                  const Blobs& top) {
  // Before their Backward the followers would need this Forward again, which noise makes another one.
  if ((followers.norm || followers.scale) && crossbars_->hardware().has_noise()) return false;
  this->Reshape(bottom, top);
  ForwardAs(followers, bottom, top);
  return true;
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::Forward_cpu(const Blobs& bottom, const Blobs& top) {
  ForwardAs({}, bottom, top);
}

template <typename Dtype>
void CrossbarConvolutionLayer<Dtype>::ForwardAs(const caffe::Followers<Dtype>& followers, const Blobs& bottom,
                                                const Blobs& top) {
  CrossbarMatrix& matrix = crossbars_->Get(this->blobs_, false);
  SetOutputMap(followers);
  ConvolutionVectors vectors(matrix.hardware(), Geometry(), this->group_, this->channels_ / this->group_,
                             matrix.packs().together);
  const int together = static_cast<int>(std::clamp<std::int64_t>(kMostBytes / vectors.image_bytes(), 1, this->num_));

  for (size_t b = 0; b < bottom.size(); ++b) {
    const Dtype* images = bottom[b]->cpu_data();
    if (matrix.needs_calibration()) Calibrate(matrix, images, together, &vectors);
    const std::uint64_t positions = static_cast<std::uint64_t>(vectors.positions());
    const std::uint64_t first_read = crossbars_->TakeReads(static_cast<std::uint64_t>(this->num_) * positions);
    Dtype* out = top[b]->mutable_cpu_data();
    for (int n = 0; n < this->num_; n += together) {
      Encode(images, n, std::min(together, this->num_ - n), &vectors);
      Multiply(matrix, vectors, first_read + static_cast<std::uint64_t>(n) * positions, n, out);
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
