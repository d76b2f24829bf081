#include "caffe/layers/base_data_layer.hpp"

#include "caffe/util/benchmark.hpp"
#include "caffe/util/gpu_runtime.hpp"

namespace caffe {

template <typename Dtype>
BaseDataLayer<Dtype>::BaseDataLayer(const LayerParameter& param)
    : Layer<Dtype>(param), transform_param_(param.transform_param()) {}

template <typename Dtype>
void BaseDataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  output_labels_ = top.size() > 1;
  data_transformer_ = std::make_shared<DataTransformer<Dtype>>(transform_param_, this->phase_);
  data_transformer_->InitRand();
  DataLayerSetUp(bottom, top);
}

template <typename Dtype>
BasePrefetchingDataLayer<Dtype>::BasePrefetchingDataLayer(const LayerParameter& param) : BaseDataLayer<Dtype>(param) {
  const unsigned count = param.data_param().prefetch();
  CAFFE_REQUIRE(count >= 1 && count <= 1024) << "data_param has the prefetch " << count << "; 1 to 1024 is possible";
  for (unsigned i = 0; i < count; ++i) prefetch_.push_back(std::make_shared<Batch<Dtype>>());
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  BaseDataLayer<Dtype>::LayerSetUp(bottom, top);
  StartLoading();
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::StartLoading() {
  Batch<Dtype>* batch = nullptr;
  while (prefetch_free_.try_pop(&batch)) continue;
  while (prefetch_full_.try_pop(&batch)) continue;
  for (const auto& empty : prefetch_) prefetch_free_.push(empty.get());
  prefetch_current_ = nullptr;
  start_ = Place();
  StartInternalThread();
}

// The transformer's generator on the first line, the position after it.
template <typename Dtype>
string BasePrefetchingDataLayer<Dtype>::SaveState() const {
  const SourcePlace& place = prefetch_current_ != nullptr ? prefetch_current_->after_ : start_;
  ostringstream state;
  state << place.rng << "\n" << place.position;
  return state.str();
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::RestoreState(const string& state) {
  const size_t end = state.find('\n');
  std::istringstream text(state.substr(0, end));
  std::mt19937 rng;
  CAFFE_REQUIRE(end != string::npos && text >> rng) << "the saved place in the data is damaged";
  StopInternalThread();
  try {
    RestorePosition(state.substr(end + 1));
    this->data_transformer_->set_rng(rng);
  } catch (...) {
    StartLoading();
    throw;
  }
  StartLoading();
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::ShapeTops(const vector<int>& image_shape, int batch_size,
                                                const vector<Blob<Dtype>*>& top) {
  for (const auto& batch : prefetch_) ShapeBatch(image_shape, batch_size, batch.get());
  top[0]->ReshapeLike(prefetch_[0]->data_);
  LOG(INFO) << "output data size: " << top[0]->num() << "," << top[0]->channels() << "," << top[0]->height() << ","
            << top[0]->width();
  if (this->output_labels_) top[1]->ReshapeLike(prefetch_[0]->label_);
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::ShapeBatch(const vector<int>& image_shape, int batch_size, Batch<Dtype>* batch) {
  vector<int> shape = image_shape;
  shape[0] = 1;
  transformed_data_.Reshape(shape);
  shape[0] = batch_size;
  batch->data_.Reshape(shape);
  if (this->output_labels_) batch->label_.Reshape({batch_size});
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::SelectImage(int i, Batch<Dtype>* batch) {
  transformed_data_.set_cpu_data(batch->data_.mutable_cpu_data() + batch->data_.offset(i));
}

// Beside the net's work, so that the net finds the batch where it reads it.
template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::PushToGpu(Batch<Dtype>* batch) {
  GpuRuntime* gpu = Caffe::mode() == Caffe::GPU ? GpuRuntime::Get() : nullptr;
  if (gpu == nullptr) return;
  gpu->Synchronize();  // what the net does with these values, when it had the batch before
  batch->data_.data()->async_gpu_push(nullptr);
  if (this->output_labels_) batch->label_.data()->async_gpu_push(nullptr);
  gpu->WaitForCopies();
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::InternalThreadEntry() {
  try {
    while (!must_stop()) {
      Batch<Dtype>* batch = prefetch_free_.pop();
      load_batch(batch);
      PushToGpu(batch);
      batch->after_ = Place();
      prefetch_full_.push(batch);
    }
  } catch (const Stopped&) {
    throw;
  } catch (...) {
    failure_ = std::current_exception();
    prefetch_full_.push(nullptr);
  }
}

template <typename Dtype>
void BasePrefetchingDataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (prefetch_current_ != nullptr) {
    prefetch_free_.push(prefetch_current_);
    prefetch_current_ = nullptr;
  }
  CPUTimer wait;
  wait.Start();
  Batch<Dtype>* batch = prefetch_full_.pop("Waiting for data");
  seconds_waited_ += wait.Seconds();
  if (batch == nullptr) {
    prefetch_full_.push(nullptr);
    std::rethrow_exception(failure_);
  }
  prefetch_current_ = batch;
  // No copy: the tops use the batch's memory until the next call.
  top[0]->ReshapeLike(batch->data_);
  top[0]->ShareData(batch->data_);
  if (this->output_labels_) {
    top[1]->ReshapeLike(batch->label_);
    top[1]->ShareData(batch->label_);
  }
}

INSTANTIATE_CLASS(BaseDataLayer);
INSTANTIATE_CLASS(BasePrefetchingDataLayer);

}  // namespace caffe
