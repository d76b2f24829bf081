#include "caffe/filler.hpp"

#include <cmath>

#include "caffe/util/math_functions.hpp"

namespace caffe {
namespace {

// n of Glorot's and He's rules: inputs, outputs or their mean per unit of the blob.
template <typename Dtype>
Dtype FanCount(const FillerParameter& param, const Blob<Dtype>& blob) {
  CAFFE_REQUIRE(blob.num_axes() > 0) << "filler " << param.type() << " needs a blob with axes";
  const Dtype fan_in = Dtype(blob.count()) / blob.shape(0);
  const Dtype fan_out = blob.num_axes() > 1 ? Dtype(blob.count()) / blob.shape(1) : Dtype(blob.count());
  switch (param.variance_norm()) {
    case FillerParameter::FAN_OUT:
      return fan_out;
    case FillerParameter::AVERAGE:
      return (fan_in + fan_out) / 2;
    default:
      return fan_in;
  }
}

}  // namespace

template <typename Dtype>
void ConstantFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  const HostView view(blob->data());
  caffe_set(blob->count(), Dtype(this->filler_param_.value()), view.values<Dtype>());
}

template <typename Dtype>
void UniformFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  const HostView view(blob->data());
  caffe_rng_uniform(blob->count(), Dtype(this->filler_param_.min()), Dtype(this->filler_param_.max()),
                    view.values<Dtype>());
}

template <typename Dtype>
void GaussianFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  const HostView view(blob->data());
  auto* data = view.values<Dtype>();
  caffe_rng_gaussian(blob->count(), Dtype(this->filler_param_.mean()), Dtype(this->filler_param_.std()), data);
  const int sparse = this->filler_param_.sparse();
  if (sparse < 0) return;
  CAFFE_REQUIRE(blob->num_axes() > 0) << "a sparse filler needs a blob with axes";
  vector<int> keep(blob->count());
  caffe_rng_bernoulli(blob->count(), std::min(Dtype(1), Dtype(sparse) / blob->shape(0)), keep.data());
  for (int i = 0; i < blob->count(); ++i) data[i] *= keep[i];
}

template <typename Dtype>
void PositiveUnitballFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  CAFFE_REQUIRE(blob->num_axes() > 0) << "filler positive_unitball needs a blob with axes";
  const HostView view(blob->data());
  auto* data = view.values<Dtype>();
  caffe_rng_uniform(blob->count(), Dtype(0), Dtype(1), data);
  const int row = blob->count(1);
  for (int n = 0; n < blob->shape(0); ++n, data += row) {
    caffe_scal(row, Dtype(1) / caffe_cpu_asum(row, data), data);
  }
}

template <typename Dtype>
void XavierFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  const Dtype bound = std::sqrt(Dtype(3) / FanCount(this->filler_param_, *blob));
  const HostView view(blob->data());
  caffe_rng_uniform(blob->count(), -bound, bound, view.values<Dtype>());
}

template <typename Dtype>
void MSRAFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  const Dtype deviation = std::sqrt(Dtype(2) / FanCount(this->filler_param_, *blob));
  const HostView view(blob->data());
  caffe_rng_gaussian(blob->count(), Dtype(0), deviation, view.values<Dtype>());
}

template <typename Dtype>
void BilinearFiller<Dtype>::Fill(Blob<Dtype>* blob) {
  CAFFE_REQUIRE(blob->num_axes() == 4 && blob->width() == blob->height())
      << "filler bilinear needs a square kernel of two axes, the blob has shape " << blob->shape_string();
  const int size = blob->width();
  const int factor = (size + 1) / 2;
  const Dtype centre = Dtype(size - 1) / 2;
  const HostView view(blob->data());
  auto* data = view.values<Dtype>();
  for (int i = 0; i < blob->count(); ++i) {
    const Dtype x = i % size;
    const Dtype y = i / size % size;
    data[i] = (1 - std::fabs(x - centre) / factor) * (1 - std::fabs(y - centre) / factor);
  }
}

template <typename Dtype>
Filler<Dtype>* GetFiller(const FillerParameter& param) {
  const string& type = param.type();
  if (type == "constant") return new ConstantFiller<Dtype>(param);
  if (type == "gaussian") return new GaussianFiller<Dtype>(param);
  if (type == "positive_unitball") return new PositiveUnitballFiller<Dtype>(param);
  if (type == "uniform") return new UniformFiller<Dtype>(param);
  if (type == "xavier") return new XavierFiller<Dtype>(param);
  if (type == "msra") return new MSRAFiller<Dtype>(param);
  if (type == "bilinear") return new BilinearFiller<Dtype>(param);
  throw Error("Unknown filler type: " + type +
              " (known types: constant, gaussian, positive_unitball, uniform, xavier, msra, bilinear)");
}

INSTANTIATE_CLASS(ConstantFiller);
INSTANTIATE_CLASS(UniformFiller);
INSTANTIATE_CLASS(GaussianFiller);
INSTANTIATE_CLASS(PositiveUnitballFiller);
INSTANTIATE_CLASS(XavierFiller);
INSTANTIATE_CLASS(MSRAFiller);
INSTANTIATE_CLASS(BilinearFiller);
template Filler<float>* GetFiller(const FillerParameter& param);
template Filler<double>* GetFiller(const FillerParameter& param);

}  // namespace caffe
