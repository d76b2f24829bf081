#include "caffe/layers/dummy_data_layer.hpp"

namespace caffe {

template <typename Dtype>
void DummyDataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const DummyDataParameter& param = this->layer_param_.dummy_data_param();
  const int tops = static_cast<int>(top.size());
  const auto require_count = [tops](const char* what, int count, bool none_too) {
    CAFFE_REQUIRE(count == 1 || count == tops || (none_too && count == 0))
        << "dummy_data_param must have " << (none_too ? "no " : "") << what << (none_too ? ", one, " : " once ")
        << "or one for each of the " << tops << " tops, got " << count;
  };
  require_count("data_filler", param.data_filler_size(), true);
  const bool four_numbers = param.num_size() + param.channels_size() + param.height_size() + param.width_size() > 0;
  CAFFE_REQUIRE(!four_numbers || param.shape_size() == 0)
      << "dummy_data_param has both shape and num, channels, height, width; give one of them";
  if (four_numbers) {
    require_count("num", param.num_size(), false);
    require_count("channels", param.channels_size(), false);
    require_count("height", param.height_size(), false);
    require_count("width", param.width_size(), false);
  } else {
    require_count("shape", param.shape_size(), false);
  }

  for (int i = 0; i < tops; ++i) {
    const auto at = [i](const auto& values) { return values.Get(values.size() == 1 ? 0 : i); };
    if (four_numbers) {
      BlobShape shape;
      for (const unsigned dim : {at(param.num()), at(param.channels()), at(param.height()), at(param.width())}) {
        shape.add_dim(dim);
      }
      top[i]->Reshape(shape);
    } else {
      top[i]->Reshape(at(param.shape()));
    }
    FillerParameter filler;  // constant 0
    if (param.data_filler_size() > 0) filler = at(param.data_filler());
    fillers_.emplace_back(GetFiller<Dtype>(filler));
    refill_.push_back(filler.type() != "constant");
    if (!refill_[i]) fillers_[i]->Fill(top[i]);
  }
}

template <typename Dtype>
void DummyDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  for (size_t i = 0; i < top.size(); ++i) {
    if (refill_[i]) fillers_[i]->Fill(top[i]);
  }
}

INSTANTIATE_CLASS(DummyDataLayer);
REGISTER_LAYER_CLASS(DummyData);

}  // namespace caffe
