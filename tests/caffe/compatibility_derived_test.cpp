// Layers derived from Caffe's own, as its users wrote them: through protected members and virtual functions.
#pragma GCC diagnostic ignored "-Wsign-compare"  // such code compares int with size()

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/recurrent_layer.hpp"
#include "caffe/layers/softmax_loss_layer.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"
#include "caffe/util/math_functions.hpp"
#include "google/protobuf/text_format.h"

namespace caffe {

// A recurrent layer of its own kind: s_t = s_{t-1} cont_t + W x_t + b.
template <typename Dtype>
class AccumulatorLayer : public RecurrentLayer<Dtype> {
 public:
  explicit AccumulatorLayer(const LayerParameter& param) : RecurrentLayer<Dtype>(param) {}
  virtual inline const char* type() const { return "Accumulator"; }

 protected:
  virtual void FillUnrolledNet(NetParameter* net_param) const {
    const string prototxt =
        "layer { name: 's_0' type: 'Input' top: 's_0' }"
        "layer { name: 'in' type: 'InnerProduct' bottom: 'x' top: 'in' propagate_down: true param { name: 'W' }"
        "        param { name: 'b' } inner_product_param { axis: 2 } }"
        "layer { name: 'in_slice' type: 'Slice' bottom: 'in' slice_param { axis: 0 } }"
        "layer { name: 'cont_slice' type: 'Slice' bottom: 'cont' slice_param { axis: 0 } }";
    NetParameter own;
    CHECK(google::protobuf::TextFormat::ParseFromString(prototxt, &own));
    vector<BlobShape> shapes;
    RecurrentInputShapes(&shapes);
    own.mutable_layer(0)->mutable_input_param()->add_shape()->CopyFrom(shapes[0]);
    InnerProductParameter* ip_param = own.mutable_layer(1)->mutable_inner_product_param();
    ip_param->set_num_output(this->layer_param_.recurrent_param().num_output());
    ip_param->mutable_weight_filler()->CopyFrom(this->layer_param_.recurrent_param().weight_filler());
    LayerParameter concat;
    concat.set_type("Concat");
    concat.set_name("s_concat");
    concat.add_top("s");
    concat.mutable_concat_param()->set_axis(0);
    for (int t = 1; t <= this->T_; ++t) {
      const string now = std::to_string(t), before = std::to_string(t - 1);
      own.mutable_layer(2)->add_top("in_" + now);
      own.mutable_layer(3)->add_top("cont_" + now);
      LayerParameter* scale = own.add_layer();
      scale->set_type("Scale");
      scale->set_name("kept_" + now);
      scale->add_bottom("s_" + before);
      scale->add_bottom("cont_" + now);
      scale->add_top("kept_" + now);
      scale->mutable_scale_param()->set_axis(0);
      LayerParameter* sum = own.add_layer();
      sum->set_type("Eltwise");
      sum->set_name("sum_" + now);
      sum->add_bottom("kept_" + now);
      sum->add_bottom("in_" + now);
      sum->add_top("s_" + now);
      concat.add_bottom("s_" + now);
    }
    own.add_layer()->CopyFrom(concat);
    net_param->MergeFrom(own);
  }
  virtual void RecurrentInputBlobNames(vector<string>* names) const { names->assign(1, "s_0"); }
  virtual void RecurrentInputShapes(vector<BlobShape>* shapes) const {
    shapes->resize(1);
    (*shapes)[0].Clear();
    (*shapes)[0].add_dim(1);
    (*shapes)[0].add_dim(this->N_);
    (*shapes)[0].add_dim(this->layer_param_.recurrent_param().num_output());
  }
  virtual void RecurrentOutputBlobNames(vector<string>* names) const {
    names->assign(1, "s_" + std::to_string(this->T_));
  }
  virtual void OutputBlobNames(vector<string>* names) const { names->assign(1, "s"); }
};

INSTANTIATE_CLASS(AccumulatorLayer);
REGISTER_LAYER_CLASS(Accumulator);

// The focal loss of Lin et al. 2017, gamma 1, on the members of SoftmaxWithLossLayer: -(1 - p) log p.
template <typename Dtype>
class FocalLossLayer : public SoftmaxWithLossLayer<Dtype> {
 public:
  explicit FocalLossLayer(const LayerParameter& param) : SoftmaxWithLossLayer<Dtype>(param) {}
  virtual inline const char* type() const { return "FocalLoss"; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    this->softmax_layer_->Forward(this->softmax_bottom_vec_, this->softmax_top_vec_);
    const Dtype* label = bottom[1]->cpu_data();
    Dtype loss = 0;
    int count = 0;
    for (int i = 0; i < this->outer_num_ * this->inner_num_; ++i) {
      const int label_value = static_cast<int>(label[i]);
      if (this->has_ignore_label_ && label_value == this->ignore_label_) {
        continue;
      }
      const Dtype p = Probability(i, label_value);
      loss -= (1 - p) * log(std::max(p, Dtype(kLOG_THRESHOLD)));
      ++count;
    }
    valid_ = count;
    top[0]->mutable_cpu_data()[0] = loss / this->get_normalizer(this->normalization_, count);
  }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) {
    if (!propagate_down[0]) {
      return;
    }
    const Dtype* label = bottom[1]->cpu_data();
    Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
    caffe_set(bottom[0]->count(), Dtype(0), bottom_diff);
    const int channels = bottom[0]->shape(this->softmax_axis_);
    for (int i = 0; i < this->outer_num_ * this->inner_num_; ++i) {
      const int label_value = static_cast<int>(label[i]);
      if (this->has_ignore_label_ && label_value == this->ignore_label_) {
        continue;
      }
      const Dtype p = Probability(i, label_value);
      const Dtype slope = log(p) - (1 - p) / p;  // by p
      for (int c = 0; c < channels; ++c) {
        const Dtype dp = p * ((c == label_value) - Probability(i, c));
        bottom_diff[((i / this->inner_num_) * channels + c) * this->inner_num_ + i % this->inner_num_] = slope * dp;
      }
    }
    caffe_scal(bottom[0]->count(), top[0]->cpu_diff()[0] / this->get_normalizer(this->normalization_, valid_),
               bottom_diff);
  }

 private:
  Dtype Probability(int position, int c) const {
    const int channels = this->prob_.shape(this->softmax_axis_);
    const int outer = position / this->inner_num_, inner = position % this->inner_num_;
    return this->prob_.cpu_data()[(outer * channels + c) * this->inner_num_ + inner];
  }

  int valid_ = 0;
};

INSTANTIATE_CLASS(FocalLossLayer);
REGISTER_LAYER_CLASS(FocalLoss);

template <typename TypeParam>
class DerivedLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  DerivedLayerTest() { blob_top_vec_.push_back(&blob_top_); }

  Blob<Dtype> blob_top_;
  vector<Blob<Dtype>*> blob_bottom_vec_;
  vector<Blob<Dtype>*> blob_top_vec_;
};

TYPED_TEST_SUITE(DerivedLayerTest, TestDtypesAndDevices);

TYPED_TEST(DerivedLayerTest, TestAccumulator) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter layer_param;
  layer_param.set_name("sum");
  layer_param.mutable_recurrent_param()->set_num_output(2);
  layer_param.mutable_recurrent_param()->mutable_weight_filler()->set_value(1);
  Blob<Dtype> x(vector<int>({3, 1, 2})), cont(vector<int>({3, 1}));
  caffe_set(x.count(), Dtype(1), x.mutable_cpu_data());
  cont.mutable_cpu_data()[1] = 1;
  this->blob_bottom_vec_.push_back(&x);
  this->blob_bottom_vec_.push_back(&cont);
  AccumulatorLayer<Dtype> layer(layer_param);
  layer.SetUp(this->blob_bottom_vec_, this->blob_top_vec_);
  layer.Forward(this->blob_bottom_vec_, this->blob_top_vec_);
  EXPECT_EQ(this->blob_top_.shape_string(), "3 1 2 (6)");
  EXPECT_EQ(this->blob_top_.cpu_data()[0], 2);
  EXPECT_EQ(this->blob_top_.cpu_data()[2], 4);
  EXPECT_EQ(this->blob_top_.cpu_data()[4], 2);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_, 0);
}

TYPED_TEST(DerivedLayerTest, TestFocalLoss) {
  typedef typename TypeParam::Dtype Dtype;
  Blob<Dtype> scores(2, 3, 2, 1), labels(2, 1, 2, 1);
  FillerParameter filler_param;
  Caffe::set_random_seed(1701);
  GaussianFiller<Dtype> filler(filler_param);
  filler.Fill(&scores);
  labels.mutable_cpu_data()[1] = 2;
  labels.mutable_cpu_data()[2] = 255;
  this->blob_bottom_vec_.push_back(&scores);
  this->blob_bottom_vec_.push_back(&labels);
  LayerParameter layer_param;
  layer_param.mutable_loss_param()->set_ignore_label(255);
  FocalLossLayer<Dtype> layer(layer_param);
  GradientChecker<Dtype> checker(1e-2, 1e-2);
  checker.CheckGradientExhaustive(&layer, this->blob_bottom_vec_, this->blob_top_vec_, 0);
  EXPECT_GT(this->blob_top_.cpu_data()[0], 0);
}

}  // namespace caffe
