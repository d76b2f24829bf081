#include "caffe/layers/base_data_layer.hpp"

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

using caffe::Batch;
using caffe::Blob;
using caffe::LayerParameter;

// A source written as layers for Caffe 1.0 are: batch i holds two images of value i and label -i; batch `fail_at`
// fails.
template <typename Dtype>
class CountingLayer : public caffe::BasePrefetchingDataLayer<Dtype> {
 public:
  CountingLayer(const LayerParameter& param, int fail_at)
      : caffe::BasePrefetchingDataLayer<Dtype>(param), fail_at_(fail_at) {}
  ~CountingLayer() override { this->StopInternalThread(); }
  void DataLayerSetUp(const std::vector<Blob<Dtype>*>& bottom, const std::vector<Blob<Dtype>*>& top) override {
    const std::vector<int> shape = {2, 1, 2, 2};
    this->transformed_data_.Reshape({1, 1, 2, 2});
    top[0]->Reshape(shape);
    for (size_t i = 0; i < this->prefetch_.size(); ++i) this->prefetch_[i]->data_.Reshape(shape);
    if (!this->output_labels_) return;
    top[1]->Reshape({2});
    for (size_t i = 0; i < this->prefetch_.size(); ++i) this->prefetch_[i]->label_.Reshape({2});
  }
  const char* type() const override { return "Counting"; }

 protected:
  void load_batch(Batch<Dtype>* batch) override {
    if (next_ == fail_at_) throw caffe::Error("batch " + std::to_string(next_) + " cannot be loaded");
    caffe::caffe_set(8, Dtype(next_), batch->data_.mutable_cpu_data());
    if (this->output_labels_) caffe::caffe_set(2, Dtype(-next_), batch->label_.mutable_cpu_data());
    ++next_;
  }

 private:
  int next_ = 0, fail_at_;
};

template <typename Dtype>
struct CountingRun {
  explicit CountingRun(int prefetch, int fail_at = -1, int tops = 2) {
    LayerParameter param;
    param.mutable_data_param()->set_prefetch(prefetch);
    layer = std::make_unique<CountingLayer<Dtype>>(param, fail_at);
    for (int i = 0; i < tops; ++i) top.push_back(&blobs[i]);
    layer->SetUp({}, top);
  }
  Blob<Dtype> blobs[2];
  std::vector<Blob<Dtype>*> top;
  std::unique_ptr<CountingLayer<Dtype>> layer;
};

template <typename Dtype>
class BasePrefetchingDataLayerTest : public ::testing::Test {};
TYPED_TEST_SUITE(BasePrefetchingDataLayerTest, BothTypes);

TYPED_TEST(BasePrefetchingDataLayerTest, PutsOutEachBatchOnce) {
  for (const int prefetch : {1, 2, 4}) {
    CountingRun<TypeParam> run(prefetch);
    for (int i = 0; i < 30; ++i) {
      run.layer->Forward({}, run.top);
      ExpectAllNear(Data(run.blobs[0]), std::vector<double>(8, i), 0);
      ExpectAllNear(Data(run.blobs[1]), {-1.0 * i, -1.0 * i}, 0);
    }
  }
}

// What a top shows outlives the layer.
TYPED_TEST(BasePrefetchingDataLayerTest, TopsKeepTheirMemory) {
  CountingRun<TypeParam> run(2, -1, 1);
  for (int i = 0; i < 4; ++i) run.layer->Forward({}, run.top);
  run.layer.reset();
  ExpectAllNear(Data(run.blobs[0]), std::vector<double>(8, 3), 0);
}

TYPED_TEST(BasePrefetchingDataLayerTest, ErrorsComeAfterTheGoodBatches) {
  for (const int fail_at : {0, 1, 5}) {
    CountingRun<TypeParam> run(3, fail_at);
    for (int i = 0; i < fail_at; ++i) {
      run.layer->Forward({}, run.top);
      EXPECT_EQ(run.blobs[0].cpu_data()[0], i);
    }
    for (int i = 0; i < 3; ++i) {
      ExpectError([&] { run.layer->Forward({}, run.top); }, "batch " + std::to_string(fail_at) + " cannot be loaded");
    }
  }
}

TYPED_TEST(BasePrefetchingDataLayerTest, EndsAtAnyTime) {
  for (int forwards = 0; forwards < 40; ++forwards) {
    CountingRun<TypeParam> run(1 + forwards % 3, forwards % 5 == 0 ? forwards / 2 : -1);
    for (int i = 0; i < forwards / 4; ++i) run.layer->Forward({}, run.top);
  }
}

}  // namespace
}  // namespace rxnn::testing
