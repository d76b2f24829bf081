#include "caffe/layers/concat_layer.hpp"

#include <type_traits>
#include <unordered_map>

#include "../util/onednn.hpp"
#include "caffe/util/where.hpp"

namespace caffe {
namespace {

// Where all bottoms are in foreign layouts; false, and nothing done, where they are not.
bool ConcatForeign(const vector<Blob<float>*>& bottom, int axis, Blob<float>* top) {
  vector<onednn::Desc> descs;
  std::unordered_map<int, onednn::Memory> arguments;
  for (const Blob<float>* blob : bottom) {
    const onednn::Tensor* tensor = onednn::Foreign(*blob->data(), blob->shape());
    if (tensor == nullptr) return false;
    arguments[DNNL_ARG_MULTIPLE_SRC + static_cast<int>(descs.size())] = tensor->memory();
    descs.push_back(tensor->desc());
  }
  const dnnl::concat::primitive_desc desc(axis, descs, onednn::Engine());
  onednn::Output out(top->data().get(), desc.dst_desc());
  arguments[DNNL_ARG_DST] = out.memory();
  dnnl::concat(desc).execute(onednn::Stream(), arguments);
  onednn::Stream().wait();
  out.Publish();
  return true;
}

// Each bottom's part of a gradient in a foreign layout, in the layout of the bottom's data.
bool SliceForeign(const Blob<float>& top, int axis, const vector<bool>& propagate_down,
                  const vector<Blob<float>*>& bottom) {
  const onednn::Tensor* gradient = onednn::Foreign(*top.diff(), top.shape());
  if (gradient == nullptr) return false;
  vector<onednn::Desc> parts;
  onednn::Dims offset(top.num_axes(), 0);
  for (const Blob<float>* blob : bottom) {
    const onednn::Dims dims = onednn::ToDims(blob->shape());
    if (onednn::Foreign(*blob->data(), blob->shape()) == nullptr) return false;
    // Blocks of channels cannot be cut.
    parts.push_back(gradient->desc().submemory_desc(dims, offset, true));
    if (parts.back().is_zero()) return false;
    offset[axis] += dims[axis];
  }
  for (size_t i = 0; i < bottom.size(); ++i) {
    if (!propagate_down[i]) continue;
    onednn::Output out(bottom[i]->diff().get(), onednn::Foreign(*bottom[i]->data(), bottom[i]->shape())->desc());
    onednn::Reorder(onednn::Memory(parts[i], onednn::Engine(), gradient->values()), out.memory());
    out.Publish();
  }
  return true;
}

}  // namespace

template <typename Dtype>
void ConcatLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ConcatParameter& param = this->layer_param_.concat_param();
  CAFFE_REQUIRE(!(param.has_axis() && param.has_concat_dim())) << "give either axis or concat_dim";
}

template <typename Dtype>
void ConcatLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ConcatParameter& param = this->layer_param_.concat_param();
  concat_axis_ =
      bottom[0]->CanonicalAxisIndex(param.has_concat_dim() ? static_cast<int>(param.concat_dim()) : param.axis());
  vector<int> top_shape = bottom[0]->shape();
  for (size_t i = 1; i < bottom.size(); ++i) {
    vector<int> shape = bottom[i]->shape();
    CAFFE_REQUIRE(shape.size() == top_shape.size()) << "bottoms of shapes " << bottom[0]->shape_string() << " and "
                                                    << bottom[i]->shape_string() << " differ in their number of axes";
    const int size = shape[concat_axis_];
    shape[concat_axis_] = top_shape[concat_axis_];
    CAFFE_REQUIRE(shape == top_shape) << "bottoms of shapes " << bottom[0]->shape_string() << " and "
                                      << bottom[i]->shape_string() << " differ outside of axis " << concat_axis_;
    CAFFE_REQUIRE(size <= INT_MAX - top_shape[concat_axis_]) << "bottoms 0 to " << i << " have more than " << INT_MAX
                                                             << " places along axis " << concat_axis_ << ": too many";
    top_shape[concat_axis_] += size;
  }
  num_concats_ = bottom[0]->count(0, concat_axis_);
  concat_input_size_ = bottom[0]->count(concat_axis_ + 1);
  top[0]->Reshape(top_shape);
  if (bottom.size() == 1) {
    top[0]->ShareData(*bottom[0]);
    top[0]->ShareDiff(*bottom[0]);
  }
}

template <typename Dtype>
template <typename Where>
void ConcatLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (bottom.size() == 1) return;
  const int top_size = top[0]->count(concat_axis_);
  Dtype* destination = Where::MutableData(top[0]);
  for (const Blob<Dtype>* blob : bottom) {
    const int size = blob->count(concat_axis_);
    Where::CopyRows(num_concats_, size, Where::Data(blob), size, destination, top_size);
    destination += size;
  }
}

template <typename Dtype>
template <typename Where>
void ConcatLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (bottom.size() == 1) return;
  const int top_size = top[0]->count(concat_axis_);
  const Dtype* source = Where::Diff(top[0]);
  for (size_t i = 0; i < bottom.size(); ++i) {
    const int size = bottom[i]->count(concat_axis_);
    if (propagate_down[i]) {
      Where::CopyRows(num_concats_, size, source, top_size, Where::MutableDiff(bottom[i]), size);
    }
    source += size;
  }
}

template <typename Dtype>
void ConcatLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (bottom.size() > 1 && ConcatForeign(bottom, concat_axis_, top[0])) return;
  }
  ForwardOn<OnCpu>(bottom, top);
}

template <typename Dtype>
void ConcatLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (bottom.size() > 1 && SliceForeign(*top[0], concat_axis_, propagate_down, bottom)) return;
  }
  BackwardOn<OnCpu>(top, propagate_down, bottom);
}

GPU_TOO(ConcatLayer);
INSTANTIATE_CLASS(ConcatLayer);
REGISTER_LAYER_CLASS(Concat);

}  // namespace caffe
