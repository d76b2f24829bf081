#include "caffe/layers/input_layer.hpp"

namespace caffe {

template <typename Dtype>
void InputLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const InputParameter& param = this->layer_param_.input_param();
  const int shapes = param.shape_size();
  CAFFE_REQUIRE(shapes <= 1 || shapes == static_cast<int>(top.size()))
      << "input_param must have no shape, one, or one for each of the " << top.size() << " tops, got " << shapes;
  if (shapes == 0) return;
  for (size_t i = 0; i < top.size(); ++i) top[i]->Reshape(param.shape(shapes == 1 ? 0 : static_cast<int>(i)));
}

INSTANTIATE_CLASS(InputLayer);
REGISTER_LAYER_CLASS(Input);

}  // namespace caffe
