// Unit tests of layers in the style of Caffe's own: layers made by hand, blobs in vectors, fillers, public SetUp,
// Reshape, Forward and Backward, and caffe/test's gradient checker, for float and double.
#pragma GCC diagnostic ignored "-Wsign-compare"  // such code compares int with size()

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/absval_layer.hpp"
#include "caffe/layers/accuracy_layer.hpp"
#include "caffe/layers/argmax_layer.hpp"
#include "caffe/layers/base_conv_layer.hpp"
#include "caffe/layers/batch_norm_layer.hpp"
#include "caffe/layers/batch_reindex_layer.hpp"
#include "caffe/layers/bias_layer.hpp"
#include "caffe/layers/bnll_layer.hpp"
#include "caffe/layers/clip_layer.hpp"
#include "caffe/layers/concat_layer.hpp"
#include "caffe/layers/contrastive_loss_layer.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/layers/crop_layer.hpp"
#include "caffe/layers/deconv_layer.hpp"
#include "caffe/layers/dropout_layer.hpp"
#include "caffe/layers/eltwise_layer.hpp"
#include "caffe/layers/elu_layer.hpp"
#include "caffe/layers/embed_layer.hpp"
#include "caffe/layers/euclidean_loss_layer.hpp"
#include "caffe/layers/exp_layer.hpp"
#include "caffe/layers/filter_layer.hpp"
#include "caffe/layers/flatten_layer.hpp"
#include "caffe/layers/hinge_loss_layer.hpp"
#include "caffe/layers/im2col_layer.hpp"
#include "caffe/layers/infogain_loss_layer.hpp"
#include "caffe/layers/inner_product_layer.hpp"
#include "caffe/layers/input_layer.hpp"
#include "caffe/layers/log_layer.hpp"
#include "caffe/layers/loss_layer.hpp"
#include "caffe/layers/lrn_layer.hpp"
#include "caffe/layers/lstm_layer.hpp"
#include "caffe/layers/multinomial_logistic_loss_layer.hpp"
#include "caffe/layers/mvn_layer.hpp"
#include "caffe/layers/neuron_layer.hpp"
#include "caffe/layers/parameter_layer.hpp"
#include "caffe/layers/pooling_layer.hpp"
#include "caffe/layers/power_layer.hpp"
#include "caffe/layers/prelu_layer.hpp"
#include "caffe/layers/recurrent_layer.hpp"
#include "caffe/layers/reduction_layer.hpp"
#include "caffe/layers/relu_layer.hpp"
#include "caffe/layers/reshape_layer.hpp"
#include "caffe/layers/rnn_layer.hpp"
#include "caffe/layers/scale_layer.hpp"
#include "caffe/layers/sigmoid_cross_entropy_loss_layer.hpp"
#include "caffe/layers/sigmoid_layer.hpp"
#include "caffe/layers/silence_layer.hpp"
#include "caffe/layers/slice_layer.hpp"
#include "caffe/layers/softmax_layer.hpp"
#include "caffe/layers/softmax_loss_layer.hpp"
#include "caffe/layers/split_layer.hpp"
#include "caffe/layers/spp_layer.hpp"
#include "caffe/layers/swish_layer.hpp"
#include "caffe/layers/tanh_layer.hpp"
#include "caffe/layers/threshold_layer.hpp"
#include "caffe/layers/tile_layer.hpp"
#include "caffe/syncedmem.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "caffe/util/benchmark.hpp"
#include "caffe/util/format.hpp"
#include "caffe/util/im2col.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/rng.hpp"

namespace caffe {

template <typename TypeParam>
class UnitTestStyleTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  UnitTestStyleTest()
      : blob_bottom_(new Blob<Dtype>(2, 3, 6, 4)),
        blob_bottom_label_(new Blob<Dtype>(2, 1, 1, 1)),
        blob_top_(new Blob<Dtype>()),
        blob_top_2_(new Blob<Dtype>()) {}
  virtual void SetUp() {
    Caffe::set_random_seed(1701);
    FillerParameter filler_param;
    filler_param.set_mean(0.1);
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(this->blob_bottom_);
    for (int i = 0; i < blob_bottom_label_->count(); ++i) {
      blob_bottom_label_->mutable_cpu_data()[i] = caffe_rng_rand() % 3;
    }
    blob_bottom_vec_.push_back(blob_bottom_);
    blob_top_vec_.push_back(blob_top_);
  }
  virtual ~UnitTestStyleTest() {
    delete blob_bottom_;
    delete blob_bottom_label_;
    delete blob_top_;
    delete blob_top_2_;
  }
  void UseClassScores() {
    blob_bottom_->Reshape(2, 3, 1, 1);
    blob_bottom_vec_.push_back(blob_bottom_label_);
  }

  Blob<Dtype>* const blob_bottom_;
  Blob<Dtype>* const blob_bottom_label_;
  Blob<Dtype>* const blob_top_;
  Blob<Dtype>* const blob_top_2_;
  vector<Blob<Dtype>*> blob_bottom_vec_;
  vector<Blob<Dtype>*> blob_top_vec_;
};

TYPED_TEST_SUITE(UnitTestStyleTest, TestDtypesAndDevices);

TYPED_TEST(UnitTestStyleTest, TestConvolutionSetupAndGradient) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  ConvolutionParameter* convolution_param = layer_param.mutable_convolution_param();
  convolution_param->add_kernel_size(3);
  convolution_param->add_stride(2);
  convolution_param->set_num_output(4);
  convolution_param->mutable_weight_filler()->set_type("gaussian");
  convolution_param->mutable_bias_filler()->set_type("constant");
  convolution_param->mutable_bias_filler()->set_value(0.1);
  shared_ptr<Layer<Dtype> > layer(new ConvolutionLayer<Dtype>(layer_param));
  layer->SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  EXPECT_EQ(this->blob_top_->num(), 2);
  EXPECT_EQ(this->blob_top_->channels(), 4);
  EXPECT_EQ(this->blob_top_->height(), 2);
  EXPECT_EQ(this->blob_top_->width(), 1);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(layer.get(), this->blob_bottom_vec_, this->blob_top_vec_);
}

TYPED_TEST(UnitTestStyleTest, TestConvolutionAgainstImageByImageProduct) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  ConvolutionParameter* convolution_param = layer_param.mutable_convolution_param();
  convolution_param->set_kernel_h(2);
  convolution_param->set_kernel_w(3);
  convolution_param->set_num_output(5);
  convolution_param->set_bias_term(false);
  convolution_param->mutable_weight_filler()->set_type("xavier");
  ConvolutionLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  const int spatial_dim = this->blob_top_->count(2);
  Blob<Dtype> columns(1, 3 * 2 * 3, this->blob_top_->height(), this->blob_top_->width());
  Blob<Dtype> product(1, 5, this->blob_top_->height(), this->blob_top_->width());
  for (int n = 0; n < this->blob_bottom_->num(); ++n) {
    im2col_cpu(this->blob_bottom_->cpu_data() + this->blob_bottom_->offset(n), 3, 6, 4, 2, 3, 0, 0, 1, 1, 1, 1,
               columns.mutable_cpu_data());
    caffe_cpu_gemm<Dtype>(CblasNoTrans, CblasNoTrans, 5, spatial_dim, 18, (Dtype)1., layer.blobs()[0]->cpu_data(),
                          columns.cpu_data(), (Dtype)0., product.mutable_cpu_data());
    for (int i = 0; i < product.count(); ++i) {
      EXPECT_NEAR(this->blob_top_->cpu_data()[this->blob_top_->offset(n) + i], product.cpu_data()[i], 1e-4);
    }
  }
}

TYPED_TEST(UnitTestStyleTest, TestPoolingTopMask) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  PoolingParameter* pooling_param = layer_param.mutable_pooling_param();
  pooling_param->set_kernel_size(2);
  pooling_param->set_stride(2);
  pooling_param->set_pool(PoolingParameter_PoolMethod_MAX);
  this->blob_top_vec_.push_back(this->blob_top_2_);
  PoolingLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  for (int i = 0; i < this->blob_top_->count(); ++i) {
    const int plane = i / this->blob_top_->count(2);
    EXPECT_EQ(this->blob_top_->cpu_data()[i],
              this->blob_bottom_->cpu_data()[plane * 24 + static_cast<int>(this->blob_top_2_->cpu_data()[i])]);
  }
  GradientChecker<Dtype> checker(1e-4, 1e-2);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_);
}

TYPED_TEST(UnitTestStyleTest, TestNeurons) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  GradientChecker<Dtype> checker(1e-3, 1e-2, 1701, 0., 0.01);
  const vector<shared_ptr<Layer<Dtype> > > layers = {shared_ptr<Layer<Dtype> >(new ReLULayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new SigmoidLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new TanHLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new ELULayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new AbsValLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new BNLLLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new ExpLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new PowerLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new SwishLayer<Dtype>(layer_param)),
                                                     shared_ptr<Layer<Dtype> >(new DropoutLayer<Dtype>(layer_param))};
  for (int i = 0; i < layers.size(); ++i) {
    SCOPED_TRACE(layers[i]->type());
    checker.CheckGradientEltwise(layers[i].get(), this->blob_bottom_vec_, this->blob_top_vec_);
  }
}

TYPED_TEST(UnitTestStyleTest, TestDropoutKeepsAQuarter) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  layer_param.mutable_dropout_param()->set_dropout_ratio(0.75);
  layer_param.set_phase(TRAIN);
  this->blob_bottom_->Reshape(10, 10, 10, 10);
  caffe_set(this->blob_bottom_->count(), Dtype(1), this->blob_bottom_->mutable_cpu_data());
  DropoutLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  int num_kept = 0;
  for (int i = 0; i < this->blob_top_->count(); ++i) {
    if (this->blob_top_->cpu_data()[i] != 0) {
      ++num_kept;
      EXPECT_EQ(this->blob_top_->cpu_data()[i], 4);
    }
  }
  const Dtype std_error = sqrt(0.75 * 0.25 / this->blob_top_->count());
  EXPECT_NEAR(num_kept / Dtype(this->blob_top_->count()), 0.25, 4.4 * std_error);
}

TYPED_TEST(UnitTestStyleTest, TestLosses) {
  typedef typename TypeParam::Dtype Dtype;
  this->UseClassScores();
  LayerParameter layer_param;
  const Dtype kLossWeight = 3.7;
  layer_param.add_loss_weight(kLossWeight);
  SoftmaxWithLossLayer<Dtype> softmax_loss(layer_param);
  HingeLossLayer<Dtype> hinge_loss(layer_param);
  vector<Layer<Dtype>*> losses;
  losses.push_back(&softmax_loss);
  losses.push_back(&hinge_loss);
  for (int i = 0; i < losses.size(); ++i) {
    SCOPED_TRACE(losses[i]->type());
    losses[i]->SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
    const Dtype loss = losses[i]->Forward(this->blob_bottom_vec_, this->blob_top_vec_);
    EXPECT_GE(fabs(loss), 1e-1);
    EXPECT_NEAR(loss, kLossWeight * this->blob_top_->cpu_data()[0], 1e-5);
    GradientChecker<Dtype> checker(1e-3, 1e-2, 1701, 1, 0.01);
    checker.CheckGradientExhaustive(losses[i], this->blob_bottom_vec_, this->blob_top_vec_, 0);
  }
}

TYPED_TEST(UnitTestStyleTest, TestInnerProductTransposeAndSharedBlobs) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  InnerProductParameter* inner_product_param = layer_param.mutable_inner_product_param();
  inner_product_param->set_num_output(10);
  inner_product_param->mutable_weight_filler()->set_type("uniform");
  inner_product_param->mutable_bias_filler()->set_type("uniform");
  InnerProductLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  Blob<Dtype> top;
  top.CopyFrom(*this->blob_top_, false, true);
  inner_product_param->set_transpose(true);
  InnerProductLayer<Dtype> ip_t(layer_param);
  ip_t.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  const int width = layer.blobs()[0]->shape(1);
  ASSERT_EQ(width, ip_t.blobs()[0]->shape(0));
  for (int i = 0; i < ip_t.blobs()[0]->count(); ++i) {
    const int r = i / 10, c = i % 10;
    ip_t.blobs()[0]->mutable_cpu_data()[i] = layer.blobs()[0]->cpu_data()[c * width + r];
  }
  ip_t.blobs()[1]->ShareData(*layer.blobs()[1]);
  ip_t.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  for (int i = 0; i < top.count(); ++i) {
    EXPECT_NEAR(this->blob_top_->cpu_data()[i], top.cpu_data()[i], 1e-4);
  }
}

TYPED_TEST(UnitTestStyleTest, TestEmbedCheckParametersOnly) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  EmbedParameter* embed_param = layer_param.mutable_embed_param();
  embed_param->set_num_output(10);
  embed_param->set_input_dim(3);
  embed_param->mutable_weight_filler()->set_type("uniform");
  EmbedLayer<Dtype> layer(layer_param);
  this->blob_bottom_vec_[0] = this->blob_bottom_label_;
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_, -2);
}

TYPED_TEST(UnitTestStyleTest, TestLRNAfterBackward) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  LRNLayer<Dtype> layer(layer_param);
  GradientChecker<Dtype> checker(1e-2, 1e-2);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  for (int i = 0; i < this->blob_top_->count(); ++i) {
    this->blob_top_->mutable_cpu_diff()[i] = 1.;
  }
  vector<bool> propagate_down(this->blob_bottom_vec_.size(), true);
  layer.Backward(this->blob_top_vec_, propagate_down, this->blob_bottom_vec_);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_);
}

TYPED_TEST(UnitTestStyleTest, TestSyncedMemoryAndRandomNumbers) {
  typedef typename TypeParam::Dtype Dtype;
  SyncedMemory* p_mem = new SyncedMemory(10 * sizeof(Dtype));
  EXPECT_EQ(p_mem->head(), SyncedMemory::UNINITIALIZED);
  Dtype* data = static_cast<Dtype*>(p_mem->mutable_cpu_data());
  EXPECT_EQ(p_mem->head(), SyncedMemory::HEAD_AT_CPU);
  caffe_memset(p_mem->size(), 1, data);
  for (int i = 0; i < p_mem->size(); ++i) {
    EXPECT_EQ((reinterpret_cast<char*>(data))[i], 1);
  }
  Caffe::set_random_seed(1701);
  caffe_rng_gaussian<Dtype>(10, 0, 1, data);
  vector<Dtype> again(10);
  Caffe::set_random_seed(1701);
  caffe_rng_gaussian<Dtype>(10, 0, 1, &again[0]);
  EXPECT_EQ(memcmp(data, &again[0], p_mem->size()), 0);
  delete p_mem;
  int bits[100];
  caffe_rng_bernoulli(100, 0.5, bits);
  EXPECT_EQ(std::count(bits, bits + 100, 0) + std::count(bits, bits + 100, 1), 100);
}

}  // namespace caffe
