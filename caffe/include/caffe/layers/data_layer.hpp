// Images from a database.
#pragma once

#include <vector>

#include "caffe/layers/base_data_layer.hpp"
#include "caffe/util/db.hpp"

namespace caffe {

// Tops: data (batch_size, channels, height, width), after transform_param; label (batch_size). The records (Datum
// messages) come in the order of their keys, from the first again after the last. The shape is that of the first record
// of each batch. data_param.rand_skip > 0 starts fewer than that many records later. Of several solvers in training
// each reads its share of the records.
template <typename Dtype>
class DataLayer : public BasePrefetchingDataLayer<Dtype> {
 public:
  explicit DataLayer(const LayerParameter& param);
  ~DataLayer() override;

  void DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  const char* type() const override { return "Data"; }
  int ExactNumBottomBlobs() const override { return 0; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }

 protected:
  void Next();
  void load_batch(Batch<Dtype>* batch) override;
  // The key of the next record.
  string SavePosition() const override { return cursor_->key(); }
  void RestorePosition(const string& position) override;

  shared_ptr<db::DB> db_;
  shared_ptr<db::Cursor> cursor_;
  std::uint64_t offset_ = 0;  // records passed

 private:
  // A record on its way into a batch.
  struct Record {
    string key;
    string value;
    Datum datum;
    cv::Mat image;      // of an encoded datum
    vector<int> shape;  // of the transformed image
  };

  // The next records that are good (CorruptRecords), decoded; fewer when the thread must stop.
  vector<Record> ReadGood(int count);
  // Runs `action`; an error gets the database and the record's key in front.
  template <typename Action>
  auto InRecord(const Record& record, Action action);
};

}  // namespace caffe
