// A list of images and labels; a short one is read by an ImageData layer.
#include "caffe/layers/image_data_layer.hpp"
#include "caffe/util/image_list.hpp"
#include "tests/fuzz/fuzz_support.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxImages = 3;
  const std::string file = rxnn::fuzz::MemoryFile(data, size);
  rxnn::fuzz::Try([&] {
    if (caffe::ReadImageList(file).size() > kMaxImages) return;
    caffe::LayerParameter param;
    param.set_type("ImageData");
    caffe::ImageDataParameter* images = param.mutable_image_data_param();
    images->set_source(file);
    images->set_root_folder(RXNN_FUZZ_IMAGES "/");
    images->set_batch_size(1);
    images->set_shuffle(size % 2 == 0);
    param.mutable_data_param()->set_prefetch(1);
    caffe::ImageDataLayer<float> layer(param);
    caffe::Blob<float> image, label;
    layer.SetUp({}, {&image, &label});
    layer.Forward({}, {&image, &label});
  });
  return 0;
}
