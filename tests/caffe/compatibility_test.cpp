// Layers as Caffe's users wrote them in ten years: header, class, bodies, stubs and registration, compiled unchanged.
#pragma GCC diagnostic ignored "-Wsign-compare"  // such code compares int with size()

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/caffe.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layer.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/layers/base_conv_layer.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/layers/inner_product_layer.hpp"
#include "caffe/layers/loss_layer.hpp"
#include "caffe/layers/neuron_layer.hpp"
#include "caffe/layers/pooling_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "caffe/util/device_alternate.hpp"
#include "caffe/util/im2col.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/rng.hpp"
#include "google/protobuf/text_format.h"
#include "tests/support/tolerance.hpp"

namespace caffe {

// A neuron with a parameter blob of its own: y = w x, one w.
template <typename Dtype>
class GainLayer : public NeuronLayer<Dtype> {
 public:
  explicit GainLayer(const LayerParameter& param) : NeuronLayer<Dtype>(param) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    if (this->blobs_.size() > 0) {
      LOG(INFO) << "Skipping parameter initialization";
    } else {
      this->blobs_.resize(1);
      this->blobs_[0].reset(new Blob<Dtype>(vector<int>(1, 1)));
      FillerParameter filler_param;
      filler_param.set_value(0.5);
      shared_ptr<Filler<Dtype> > filler(new ConstantFiller<Dtype>(filler_param));
      filler->Fill(this->blobs_[0].get());
    }
    this->param_propagate_down_.resize(this->blobs_.size(), true);
  }
  virtual inline const char* type() const { return "Gain"; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    caffe_cpu_scale(bottom[0]->count(), this->blobs_[0]->cpu_data()[0], bottom[0]->cpu_data(),
                    top[0]->mutable_cpu_data());
  }
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
    const Dtype* top_diff = top[0]->cpu_diff();
    const int count = top[0]->count();
    if (this->param_propagate_down_[0]) {
      this->blobs_[0]->mutable_cpu_diff()[0] += caffe_cpu_dot(count, top_diff, bottom[0]->cpu_data());
    }
    if (propagate_down[0]) {
      caffe_copy(count, top_diff, bottom[0]->mutable_cpu_diff());
      caffe_scal(count, this->blobs_[0]->cpu_data()[0], bottom[0]->mutable_cpu_diff());
    }
  }
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom);
};

#ifdef CPU_ONLY
STUB_GPU(GainLayer);
#else
INSTANTIATE_LAYER_GPU_FUNCS(GainLayer);
#endif
INSTANTIATE_CLASS(GainLayer);
REGISTER_LAYER_CLASS(Gain);

// A loss with an optional third bottom of weights, as detection networks have it: sum of f(w (a - b)) / N, with
// f(d) = d^2 / 2 for |d| < 1, else |d| - 1 / 2.
template <typename Dtype>
class SmoothL1LossLayer : public LossLayer<Dtype> {
 public:
  explicit SmoothL1LossLayer(const LayerParameter& param) : LossLayer<Dtype>(param), diff_() {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    LossLayer<Dtype>::LayerSetUp(bottom, top);
    has_weights_ = (bottom.size() == 3);
  }
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    LossLayer<Dtype>::Reshape(bottom, top);
    CHECK_EQ(bottom[0]->channels(), bottom[1]->channels());
    CHECK_EQ(bottom[0]->height(), bottom[1]->height()) << "heights must agree";
    diff_.Reshape(bottom[0]->num(), bottom[0]->channels(), bottom[0]->height(), bottom[0]->width());
    errors_.ReshapeLike(*bottom[0]);
  }
  virtual inline const char* type() const { return "SmoothL1Loss"; }
  virtual inline int ExactNumBottomBlobs() const { return -1; }
  virtual inline int MinBottomBlobs() const { return 2; }
  virtual inline int MaxBottomBlobs() const { return 3; }
  virtual inline bool AllowForceBackward(const int bottom_index) const { return true; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    const int count = bottom[0]->count();
    caffe_sub(count, bottom[0]->cpu_data(), bottom[1]->cpu_data(), diff_.mutable_cpu_data());
    if (has_weights_) {
      caffe_mul(count, bottom[2]->cpu_data(), diff_.cpu_data(), diff_.mutable_cpu_data());
    }
    for (int i = 0; i < count; ++i) {
      const Dtype val = std::abs(diff_.cpu_data()[i]);
      errors_.mutable_cpu_data()[i] = val < 1 ? Dtype(0.5) * val * val : val - Dtype(0.5);
    }
    top[0]->mutable_cpu_data()[0] = caffe_cpu_asum(count, errors_.cpu_data()) / bottom[0]->num();
  }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
    const int count = diff_.count();
    Dtype* diff = diff_.mutable_cpu_data();
    caffe_bound(count, diff, Dtype(-1), Dtype(1), diff);
    for (int i = 0; i < 2; ++i) {
      if (propagate_down[i]) {
        const Dtype sign = (i == 0) ? 1 : -1;
        const Dtype alpha = sign * top[0]->cpu_diff()[0] / bottom[i]->num();
        caffe_cpu_axpby(count, alpha, diff_.cpu_data(), Dtype(0), bottom[i]->mutable_cpu_diff());
        if (has_weights_) {
          caffe_mul(count, bottom[2]->cpu_data(), bottom[i]->cpu_diff(), bottom[i]->mutable_cpu_diff());
        }
      }
    }
  }

  Blob<Dtype> diff_;
  Blob<Dtype> errors_;
  bool has_weights_;
};

INSTANTIATE_CLASS(SmoothL1LossLayer);
REGISTER_LAYER_CLASS(SmoothL1Loss);

// A convolution whose weights are used by their sign, on the seams of BaseConvolutionLayer.
template <typename Dtype>
class SignConvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  explicit SignConvolutionLayer(const LayerParameter& param) : BaseConvolutionLayer<Dtype>(param) {}
  virtual inline const char* type() const { return "SignConvolution"; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    signs_.ReshapeLike(*this->blobs_[0]);
    caffe_cpu_sign(signs_.count(), this->blobs_[0]->cpu_data(), signs_.mutable_cpu_data());
    for (int i = 0; i < bottom.size(); ++i) {
      for (int n = 0; n < this->num_; ++n) {
        this->forward_cpu_gemm(bottom[i]->cpu_data() + n * this->bottom_dim_, signs_.cpu_data(),
                               top[i]->mutable_cpu_data() + n * this->top_dim_);
        if (this->bias_term_) {
          this->forward_cpu_bias(top[i]->mutable_cpu_data() + n * this->top_dim_, this->blobs_[1]->cpu_data());
        }
      }
    }
  }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
    for (int i = 0; i < top.size(); ++i) {
      for (int n = 0; n < this->num_; ++n) {
        const Dtype* top_diff = top[i]->cpu_diff() + n * this->top_dim_;
        if (this->bias_term_ && this->param_propagate_down_[1]) {
          this->backward_cpu_bias(this->blobs_[1]->mutable_cpu_diff(), top_diff);
        }
        if (this->param_propagate_down_[0]) {
          this->weight_cpu_gemm(bottom[i]->cpu_data() + n * this->bottom_dim_, top_diff,
                                this->blobs_[0]->mutable_cpu_diff());
        }
        if (propagate_down[i]) {
          this->backward_cpu_gemm(top_diff, signs_.cpu_data(), bottom[i]->mutable_cpu_diff() + n * this->bottom_dim_);
        }
      }
    }
  }
  virtual inline bool reverse_dimensions() { return false; }
  virtual void compute_output_shape() {
    const int* kernel_shape_data = this->kernel_shape_.cpu_data();
    const int* stride_data = this->stride_.cpu_data();
    const int* pad_data = this->pad_.cpu_data();
    const int* dilation_data = this->dilation_.cpu_data();
    this->output_shape_.clear();
    for (int i = 0; i < this->num_spatial_axes_; ++i) {
      const int input_dim = this->input_shape(i + 1);  // i + 1 to skip the channel axis
      const int kernel_extent = dilation_data[i] * (kernel_shape_data[i] - 1) + 1;
      this->output_shape_.push_back((input_dim + 2 * pad_data[i] - kernel_extent) / stride_data[i] + 1);
    }
  }

  Blob<Dtype> signs_;
};

INSTANTIATE_CLASS(SignConvolutionLayer);
REGISTER_LAYER_CLASS(SignConvolution);

// Their tests, in the style of Caffe's.
template <typename TypeParam>
class CustomLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  CustomLayerTest()
      : blob_bottom_(new Blob<Dtype>(2, 3, 4, 5)),
        blob_target_(new Blob<Dtype>(2, 3, 4, 5)),
        blob_top_(new Blob<Dtype>()) {
    Caffe::set_random_seed(1701);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(this->blob_bottom_);
    filler.Fill(this->blob_target_);
    blob_bottom_vec_.push_back(blob_bottom_);
    blob_top_vec_.push_back(blob_top_);
  }
  virtual ~CustomLayerTest() {
    delete blob_bottom_;
    delete blob_target_;
    delete blob_top_;
  }
  Blob<Dtype>* const blob_bottom_;
  Blob<Dtype>* const blob_target_;
  Blob<Dtype>* const blob_top_;
  vector<Blob<Dtype>*> blob_bottom_vec_;
  vector<Blob<Dtype>*> blob_top_vec_;
};

TYPED_TEST_SUITE(CustomLayerTest, TestDtypesAndDevices);

TYPED_TEST(CustomLayerTest, TestGain) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  GainLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  for (int i = 0; i < this->blob_bottom_->count(); ++i) {
    EXPECT_EQ(this->blob_top_->cpu_data()[i], this->blob_bottom_->cpu_data()[i] / 2);
  }
  GradientChecker<Dtype> checker(1e-2, 1e-2);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_);
}

TYPED_TEST(CustomLayerTest, TestGainInNetAndRegistry) {
  typedef typename TypeParam::Dtype Dtype;
  EXPECT_EQ(LayerRegistry<Dtype>::Registry().count("Gain"), 1);
  NetParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(
      "force_backward: true "
      "layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 2 } } }"
      "layer { name: 'gain' type: 'Gain' bottom: 'data' top: 'gain' }"
      "layer { name: 'loss' type: 'SmoothL1Loss' bottom: 'gain' bottom: 'data' top: 'loss' }",
      &param));
  shared_ptr<Net<Dtype> > net(new Net<Dtype>(param));
  net->input_blobs()[0]->mutable_cpu_data()[0] = 4;
  net->input_blobs()[0]->mutable_cpu_data()[1] = -1;
  // |d| of 2 and 0.5.
  EXPECT_EQ(net->ForwardBackward(), Dtype(1.5 + 0.125));
  EXPECT_EQ(net->layer_by_name("gain")->blobs()[0]->cpu_diff()[0], Dtype(-4 - 0.5));
}

TYPED_TEST(CustomLayerTest, TestSmoothL1Loss) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  layer_param.add_loss_weight(3);
  SmoothL1LossLayer<Dtype> layer(layer_param);
  this->blob_bottom_vec_.push_back(this->blob_target_);
  GradientChecker<Dtype> checker(1e-2, 1e-2);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_);
  checker.CheckGradient(&layer, this->blob_bottom_vec_, this->blob_top_vec_, 1);
}

TYPED_TEST(CustomLayerTest, TestSignConvolution) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  ConvolutionParameter* convolution_param = layer_param.mutable_convolution_param();
  convolution_param->add_kernel_size(3);
  convolution_param->add_pad(1);
  convolution_param->set_num_output(6);
  convolution_param->set_group(3);
  convolution_param->mutable_weight_filler()->set_type("gaussian");
  convolution_param->mutable_bias_filler()->set_type("gaussian");
  SignConvolutionLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  // The plain layer with these signs as weights.
  shared_ptr<Layer<Dtype> > plain(new ConvolutionLayer<Dtype>(layer_param));
  Blob<Dtype> expected;
  vector<Blob<Dtype>*> expected_vec(1, &expected);
  plain->SetUp(this->blob_bottom_vec_, expected_vec);
  for (int i = 0; i < 2; ++i) {
    plain->blobs()[i]->CopyFrom(*layer.blobs()[i]);
  }
  caffe_cpu_sign(plain->blobs()[0]->count(), layer.blobs()[0]->cpu_data(), plain->blobs()[0]->mutable_cpu_data());
  plain->Forward(this->blob_bottom_vec_, expected_vec);
  // Sums in another order: the plain layer goes by oneDNN, this one by caffe_cpu_gemm.
  for (int i = 0; i < expected.count(); ++i) {
    const Dtype value = expected.cpu_data()[i];
    EXPECT_NEAR(this->blob_top_->cpu_data()[i], value,
                rxnn::tolerance::kLayerRelative * std::max(Dtype(1), std::abs(value)));
  }
  vector<bool> propagate_down(1, true);
  caffe_set(expected.count(), Dtype(1), this->blob_top_->mutable_cpu_diff());
  layer.Backward(this->blob_top_vec_, propagate_down, this->blob_bottom_vec_);
  EXPECT_EQ(layer.blobs()[1]->cpu_diff()[0], 2 * 4 * 5);
}

}  // namespace caffe
