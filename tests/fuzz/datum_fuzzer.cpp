// The value of a record, as the Data layer reads it: a Datum message, raw or an encoded image, cropped, mirrored and
// scaled. The last byte chooses the transformation.
#include "caffe/data_transformer.hpp"
#include "caffe/util/io.hpp"
#include "tests/fuzz/fuzz_support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const unsigned choice = size > 0 ? data[size - 1] : 0;
  caffe::TransformationParameter param;
  param.set_mirror((choice & 1) != 0);
  if ((choice & 2) != 0) param.set_crop_size(3);
  if ((choice & 4) != 0) param.add_mean_value(100);
  if ((choice & 8) != 0) param.set_force_color(true);
  rxnn::fuzz::Try([&] {
    caffe::Datum datum;
    if (!datum.ParseFromArray(data, static_cast<int>(size))) return;
    caffe::DataTransformer<float> transformer(param, (choice & 16) != 0 ? caffe::TRAIN : caffe::TEST);
    transformer.InitRand();
    caffe::Blob<float> blob(transformer.InferBlobShape(datum));
    transformer.Transform(datum, &blob);
  });
  return 0;
}
