// What the layers that bring data into a net have in common.
#pragma once

#include <exception>
#include <random>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/data_transformer.hpp"
#include "caffe/internal_thread.hpp"
#include "caffe/layer.hpp"
#include "caffe/util/blocking_queue.hpp"
#include "caffe/util/resumable.hpp"

namespace caffe {

// A source of images and, with a second top, of their labels. Derive and implement DataLayerSetUp, which reads the
// parameters and shapes the tops.
template <typename Dtype>
class BaseDataLayer : public Layer<Dtype> {
 public:
  explicit BaseDataLayer(const LayerParameter& param);

  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  virtual void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {}
  // No bottom gives the tops their shape.
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override {}

 protected:
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override {}

  TransformationParameter transform_param_;
  shared_ptr<DataTransformer<Dtype>> data_transformer_;
  bool output_labels_ = false;
};

// Where a source stands after a batch.
struct SourcePlace {
  string position;   // SavePosition's
  std::mt19937 rng;  // of the transformer
};

template <typename Dtype>
class Batch {
 public:
  Blob<Dtype> data_, label_;
  SourcePlace after_;
};

// Loads batches in a background thread, data_param.prefetch of them ahead, in the order of the source. Implement
// load_batch, and call StopInternalThread in the destructor. An error of load_batch ends the loading, and Forward
// throws it when it gets there: after the batches that were good, and at every call from then on.
template <typename Dtype>
class BasePrefetchingDataLayer : public BaseDataLayer<Dtype>, public InternalThread, public Resumable {
 public:
  explicit BasePrefetchingDataLayer(const LayerParameter& param);

  // Starts the thread.
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  string SaveState() const override;
  void RestoreState(const string& state) override;

  // How long all calls of Forward had to wait for a batch.
  double seconds_waited() const { return seconds_waited_; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void InternalThreadEntry() override;
  // Fills the batch, in the background thread.
  virtual void load_batch(Batch<Dtype>* batch) = 0;
  // Where in its data the source stands, in a few bytes, for a run that is resumed: the next load_batch after
  // RestorePosition does what it would have done after SavePosition. A layer that has neither starts anew.
  virtual string SavePosition() const { return ""; }
  // Throws Error for a position that is not of this data.
  virtual void RestorePosition(const string& position) {}
  // In DataLayerSetUp: gives the tops and all batches the shape for this many images of this shape.
  void ShapeTops(const vector<int>& image_shape, int batch_size, const vector<Blob<Dtype>*>& top);

  void PushToGpu(Batch<Dtype>* batch);
  // In load_batch: makes the batch hold this many images of this shape.
  void ShapeBatch(const vector<int>& image_shape, int batch_size, Batch<Dtype>* batch);
  // In load_batch: makes transformed_data_ image `i` of the batch.
  void SelectImage(int i, Batch<Dtype>* batch);

  vector<shared_ptr<Batch<Dtype>>> prefetch_;
  BlockingQueue<Batch<Dtype>*> prefetch_free_;
  // A null batch: loading ended with failure_.
  BlockingQueue<Batch<Dtype>*> prefetch_full_;
  Batch<Dtype>* prefetch_current_ = nullptr;
  Blob<Dtype> transformed_data_;

 private:
  SourcePlace Place() const { return {SavePosition(), this->data_transformer_->rng()}; }
  // Starts the thread, with all batches empty.
  void StartLoading();

  SourcePlace start_;  // before the first batch
  std::exception_ptr failure_;
  double seconds_waited_ = 0;
};

}  // namespace caffe
