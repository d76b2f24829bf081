#include "caffe/layers/eltwise_layer.hpp"

#include <type_traits>

#include "../util/onednn.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void EltwiseLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const EltwiseParameter& param = this->layer_param_.eltwise_param();
  op_ = param.operation();
  stable_prod_grad_ = param.stable_prod_grad();
  const int given = param.coeff_size();
  CAFFE_REQUIRE(given == 0 || given == static_cast<int>(bottom.size()))
      << given << " coeffs for " << bottom.size() << " bottoms";
  CAFFE_REQUIRE(given == 0 || op_ != EltwiseParameter_EltwiseOp_PROD) << "coeff is for SUM alone";
  LOG_IF(WARNING, given > 0 && op_ == EltwiseParameter_EltwiseOp_MAX)
      << "layer '" << this->layer_param_.name() << "': coeff is for SUM alone, MAX does not use it";
  coeffs_.assign(bottom.size(), Dtype(1));
  for (int i = 0; i < given; ++i) {
    coeffs_[i] = param.coeff(i);
  }
}

template <typename Dtype>
void EltwiseLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (const Blob<Dtype>* other : bottom) {
    CAFFE_REQUIRE(other->shape() == bottom[0]->shape()) << "bottoms of shapes " << bottom[0]->shape_string() << " and "
                                                        << other->shape_string() << ", expected one shape for all";
  }
  top[0]->ReshapeLike(*bottom[0]);
  if (op_ == EltwiseParameter_EltwiseOp_MAX) {
    max_idx_.Reshape(bottom[0]->shape());
  }
}

namespace {

// The sum where the first bottom is in a foreign layout; false, and nothing done, where it is not.
bool SumForeign(const vector<Blob<float>*>& bottom, const vector<float>& coeffs, Blob<float>* top) {
  const onednn::Tensor* first = onednn::Foreign(*bottom[0]->data(), bottom[0]->shape());
  if (first == nullptr) return false;
  // A top that is also a bottom would be overwritten before that bottom is read.
  for (size_t b = 1; b < bottom.size(); ++b) {
    if (bottom[b]->data() == top->data()) return false;
  }
  const onednn::Desc desc = first->desc();
  const int count = first->count();
  onednn::Output out(top->data().get(), desc);
  const float* left = first->values();
  float* y = out.values();
  float left_coeff = coeffs[0];
  for (size_t b = 1; b < bottom.size(); ++b, left = y, left_coeff = 1) {
    const onednn::Memory given = onednn::Read(bottom[b]->data().get(), desc.dims());
    const onednn::Memory other = onednn::Reordered(given, desc, onednn::kSource);
    const auto* right = static_cast<const float*>(other.get_data_handle());
    const float right_coeff = coeffs[b];
    ForEachElement(count, [=](int i) { y[i] = left_coeff * left[i] + right_coeff * right[i]; });
  }
  out.Publish();
  return true;
}

// dx of each summand.
bool SumBackwardForeign(const Blob<float>& top, const vector<float>& coeffs, const vector<bool>& propagate_down,
                        const vector<Blob<float>*>& bottom) {
  const onednn::Tensor* gradient = onednn::Foreign(*top.diff(), top.shape());
  if (gradient == nullptr) return false;
  for (size_t b = 0; b < bottom.size(); ++b) {
    if (!propagate_down[b]) continue;
    if (coeffs[b] == 1) {
      bottom[b]->diff()->set_foreign(top.diff()->foreign());
      continue;
    }
    onednn::Output out(bottom[b]->diff().get(), gradient->desc());
    const float* dy = gradient->values();
    float* dx = out.values();
    const float coeff = coeffs[b];
    ForEachElement(gradient->count(), [=](int i) { dx[i] = coeff * dy[i]; });
    out.Publish();
  }
  return true;
}

}  // namespace

template <typename Dtype>
void EltwiseLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (op_ == EltwiseParameter_EltwiseOp_SUM && SumForeign(bottom, coeffs_, top[0])) return;
  }
  const int count = top[0]->count();
  Dtype* y = top[0]->mutable_cpu_data();
  int* from = op_ == EltwiseParameter_EltwiseOp_MAX ? max_idx_.mutable_cpu_data() : nullptr;
  const Dtype* first = bottom[0]->cpu_data();
  // The first two bottoms together, then one more at a time: the top is written before it is read, whichever bottom it
  // may share its memory with.
  for (size_t b = 1; b < bottom.size(); ++b) {
    const Dtype* left = b == 1 ? first : y;
    const Dtype* right = bottom[b]->cpu_data();
    const Dtype left_coeff = b == 1 ? coeffs_[0] : 1, right_coeff = coeffs_[b];
    const int index = static_cast<int>(b);
    switch (op_) {
      case EltwiseParameter_EltwiseOp_PROD:
        ForEachElement(count, [=](int i) { y[i] = left[i] * right[i]; });
        break;
      case EltwiseParameter_EltwiseOp_SUM:
        ForEachElement(count, [=](int i) { y[i] = left_coeff * left[i] + right_coeff * right[i]; });
        break;
      case EltwiseParameter_EltwiseOp_MAX:
        ForEachElement(count, [=](int i) {
          // Of the first two that are equal the second one counts, of others the earlier one, as in Caffe.
          const bool larger = index == 1 ? !(left[i] > right[i]) : right[i] > left[i];
          from[i] = larger ? index : (index == 1 ? 0 : from[i]);
          y[i] = larger ? right[i] : left[i];
        });
        break;
    }
  }
}

template <typename Dtype>
void EltwiseLayer<Dtype>::BackwardProduct(const Dtype* top_diff, const Dtype* top_data, int which,
                                          const vector<Blob<Dtype>*>& bottom) const {
  const int count = bottom[which]->count();
  Dtype* dx = bottom[which]->mutable_cpu_diff();
  if (!stable_prod_grad_) {
    const Dtype* x = bottom[which]->cpu_data();
    ForEachElement(count, [=](int i) { dx[i] = top_diff[i] * top_data[i] / x[i]; });
    return;
  }
  caffe_copy(count, top_diff, dx);
  for (int other = 0; other < static_cast<int>(bottom.size()); ++other) {
    if (other != which) {
      caffe_mul(count, bottom[other]->cpu_data(), dx, dx);
    }
  }
}

template <typename Dtype>
void EltwiseLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (op_ == EltwiseParameter_EltwiseOp_SUM && SumBackwardForeign(*top[0], coeffs_, propagate_down, bottom)) return;
  }
  const int count = top[0]->count();
  const Dtype* dy = top[0]->cpu_diff();
  for (int b = 0; b < static_cast<int>(bottom.size()); ++b) {
    if (!propagate_down[b]) {
      continue;
    }
    Dtype* dx = bottom[b]->mutable_cpu_diff();
    switch (op_) {
      case EltwiseParameter_EltwiseOp_PROD:
        BackwardProduct(dy, top[0]->cpu_data(), b, bottom);
        break;
      case EltwiseParameter_EltwiseOp_SUM:
        caffe_cpu_scale(count, coeffs_[b], dy, dx);
        break;
      case EltwiseParameter_EltwiseOp_MAX: {
        const int* from = max_idx_.cpu_data();
        ForEachElement(count, [=](int i) {
          const Dtype all = dy[i];
          dx[i] = from[i] == b ? all : 0;
        });
        break;
      }
    }
  }
}

INSTANTIATE_CLASS(EltwiseLayer);
REGISTER_LAYER_CLASS(Eltwise);

}  // namespace caffe
