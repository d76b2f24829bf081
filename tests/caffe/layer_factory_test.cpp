#include "caffe/layer_factory.hpp"

#include <memory>

#include "caffe/util/db.hpp"
#include "tests/support/layer_harness.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {

// A layer of our own, as a user would write it.
template <typename Dtype>
class TestDoubleLayer : public caffe::Layer<Dtype> {
 public:
  explicit TestDoubleLayer(const caffe::LayerParameter& param) : caffe::Layer<Dtype>(param) {}
  const char* type() const override { return "TestDouble"; }
  void Reshape(const std::vector<caffe::Blob<Dtype>*>& bottom, const std::vector<caffe::Blob<Dtype>*>& top) override {
    top[0]->ReshapeLike(*bottom[0]);
  }

 protected:
  void Forward_cpu(const std::vector<caffe::Blob<Dtype>*>& bottom,
                   const std::vector<caffe::Blob<Dtype>*>& top) override {
    caffe::caffe_cpu_scale(top[0]->count(), Dtype(2), bottom[0]->cpu_data(), top[0]->mutable_cpu_data());
  }
  void Backward_cpu(const std::vector<caffe::Blob<Dtype>*>& top, const std::vector<bool>& propagate_down,
                    const std::vector<caffe::Blob<Dtype>*>& bottom) override {
    caffe::caffe_cpu_scale(top[0]->count(), Dtype(2), top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff());
  }
};
INSTANTIATE_CLASS(TestDoubleLayer);
REGISTER_LAYER_CLASS(TestDouble);

namespace {

TEST(LayerRegistry, MakesEveryTypeItLists) {
  const std::vector<std::string> types = caffe::LayerRegistry<float>::LayerTypeList();
  EXPECT_TRUE(std::is_sorted(types.begin(), types.end()));
  for (const char* type :
       {"Convolution", "CrossbarConvolution", "CrossbarInnerProduct", "InnerProduct", "TestDouble"}) {
    EXPECT_TRUE(std::binary_search(types.begin(), types.end(), type)) << type;
  }
  EXPECT_EQ(types, caffe::LayerRegistry<double>::LayerTypeList());
}

TEST(LayerRegistry, MakesRegisteredLayers) {
  LayerHarness<double> run("type: 'TestDouble'", {MakeBlob<double>({2}, {1, -3})});
  run.Forward();
  EXPECT_EQ(Data(run.out()), (std::vector<double>{2, -6}));
  EXPECT_STREQ(run.layer->type(), "TestDouble");
}

TEST(LayerRegistry, NamesWhatItKnows) {
  caffe::LayerParameter param;
  param.set_type("Convolutoin");
  ExpectError([&] { caffe::LayerRegistry<float>::CreateLayer(param); },
              "Unknown layer type: Convolutoin (known types: AbsVal, ");
}

TEST(LayerRegistry, TakesATypeOnce) {
  ExpectError([] { caffe::LayerRegistry<float>::AddCreator("TestDouble", nullptr); },
              "layer type TestDouble is registered twice");
}

// Parameters are read at set-up: a message with the type alone makes any layer. Data opens its database at once.
TEST(LayerRegistry, MakesEveryTypeByItsName) {
  const TemporaryDirectory folder;
  const std::string source = folder / "db";
  const std::unique_ptr<caffe::db::DB> database(caffe::db::GetDB("leveldb"));
  database->Open(source, caffe::db::NEW);
  database->Close();
  for (const auto& [type, creator] : caffe::LayerRegistry<double>::Registry()) {
    if (type == "Python") continue;  // needs an interpreter; tests/python/test_python_layer.py makes it
    SCOPED_TRACE(type);
    caffe::LayerParameter param;
    param.set_type(type);
    if (type == "Data") param.mutable_data_param()->set_source(source);
    EXPECT_EQ(caffe::LayerRegistry<double>::CreateLayer(param)->type(), type);
  }
}

}  // namespace
}  // namespace rxnn::testing
