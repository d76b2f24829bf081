#include "caffe/layers/slice_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void SliceLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const SliceParameter& param = this->layer_param_.slice_param();
  CAFFE_REQUIRE(!(param.has_axis() && param.has_slice_dim())) << "give either axis or slice_dim";
  CAFFE_REQUIRE(param.slice_point_size() == 0 || param.slice_point_size() == static_cast<int>(top.size()) - 1)
      << param.slice_point_size() << " slice points for " << top.size() << " tops, expected " << top.size() - 1;
}

template <typename Dtype>
void SliceLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const SliceParameter& param = this->layer_param_.slice_param();
  slice_axis_ =
      bottom[0]->CanonicalAxisIndex(param.has_slice_dim() ? static_cast<int>(param.slice_dim()) : param.axis());
  num_slices_ = bottom[0]->count(0, slice_axis_);
  slice_size_ = bottom[0]->count(slice_axis_ + 1);
  const int size = bottom[0]->shape(slice_axis_), parts = static_cast<int>(top.size());
  CAFFE_REQUIRE(param.slice_point_size() > 0 || size % parts == 0)
      << "axis " << slice_axis_ << " of size " << size << " cannot be cut into " << parts << " equal parts";
  vector<int> shape = bottom[0]->shape();
  int begin = 0;
  for (int i = 0; i < parts; ++i) {
    int end = size;
    if (i + 1 < parts) {
      end = param.slice_point_size() > 0 ? static_cast<int>(param.slice_point(i)) : begin + size / parts;
    }
    CAFFE_REQUIRE(begin < end && end <= size)
        << "slice points must increase from 1 to less than the " << size << " of axis " << slice_axis_;
    shape[slice_axis_] = end - begin;
    top[i]->Reshape(shape);
    begin = end;
  }
  if (parts == 1) {
    top[0]->ShareData(*bottom[0]);
    top[0]->ShareDiff(*bottom[0]);
  }
}

template <typename Dtype>
template <typename Where>
void SliceLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (top.size() == 1) return;
  const int bottom_size = bottom[0]->count(slice_axis_);
  const Dtype* source = Where::Data(bottom[0]);
  for (Blob<Dtype>* blob : top) {
    const int size = blob->count(slice_axis_);
    Where::CopyRows(num_slices_, size, source, bottom_size, Where::MutableData(blob), size);
    source += size;
  }
}

template <typename Dtype>
template <typename Where>
void SliceLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0] || top.size() == 1) return;
  const int bottom_size = bottom[0]->count(slice_axis_);
  Dtype* destination = Where::MutableDiff(bottom[0]);
  for (const Blob<Dtype>* blob : top) {
    const int size = blob->count(slice_axis_);
    Where::CopyRows(num_slices_, size, Where::Diff(blob), size, destination, bottom_size);
    destination += size;
  }
}

CPU_AND_GPU(SliceLayer);
INSTANTIATE_CLASS(SliceLayer);
REGISTER_LAYER_CLASS(Slice);

}  // namespace caffe
