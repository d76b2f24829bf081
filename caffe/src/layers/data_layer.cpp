#include "caffe/layers/data_layer.hpp"

#include "caffe/util/corrupt_records.hpp"
#include "caffe/util/solver_share.hpp"

namespace caffe {

template <typename Dtype>
DataLayer<Dtype>::DataLayer(const LayerParameter& param) : BasePrefetchingDataLayer<Dtype>(param) {
  db_.reset(db::GetDB(param.data_param().backend()));
  db_->Open(param.data_param().source(), db::READ);
  cursor_.reset(db_->NewCursor());
}

template <typename Dtype>
DataLayer<Dtype>::~DataLayer() {
  this->StopInternalThread();
}

template <typename Dtype>
void DataLayer<Dtype>::DataLayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const DataParameter& param = this->layer_param_.data_param();
  CAFFE_REQUIRE(param.batch_size() > 0 && param.batch_size() <= INT_MAX)
      << "data_param needs a batch_size above 0, and of " << INT_MAX << " at most";
  CAFFE_REQUIRE(cursor_->valid()) << "the database " << param.source() << " has no records";
  if (param.rand_skip() > 0) {
    unsigned skip = caffe_rng_rand() % param.rand_skip();
    LOG(INFO) << "Skipping first " << skip << " data points.";
    // Round the database as often as it takes, without going there.
    const string first = cursor_->key();
    for (unsigned passed = 1; passed <= skip; ++passed) {
      Next();
      if (cursor_->key() != first) continue;
      skip %= passed;
      passed = 0;
    }
  }
  const int batch_size = static_cast<int>(param.batch_size());
  // The first batch begins with it again.
  const string start = cursor_->key();
  const std::uint64_t offset = offset_;
  const vector<Record> first = ReadGood(1);
  InRecord(first[0], [&] { this->ShapeTops(first[0].shape, batch_size, top); });
  RestorePosition(start);
  offset_ = offset;
}

template <typename Dtype>
void DataLayer<Dtype>::Next() {
  cursor_->Next();
  ++offset_;
  if (!cursor_->valid()) {
    LOG(INFO) << "Restarting data prefetching from start.";
    cursor_->SeekToFirst();
  }
}

template <typename Dtype>
void DataLayer<Dtype>::RestorePosition(const string& position) {
  cursor_->SeekToFirst();
  while (cursor_->valid() && cursor_->key() != position) cursor_->Next();
  if (cursor_->valid()) return;
  cursor_->SeekToFirst();
  throw Error("the database " + this->layer_param_.data_param().source() + " has no record '" + position +
              "', with which the interrupted run would have gone on");
}

template <typename Dtype>
template <typename Action>
auto DataLayer<Dtype>::InRecord(const Record& record, Action action) {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("record '" + db::PrintableKey(record.key) + "' of " + this->layer_param_.data_param().source() + ": " +
                error.what());
  }
}

template <typename Dtype>
vector<typename DataLayer<Dtype>::Record> DataLayer<Dtype>::ReadGood(int count) {
  const auto take = [this] {
    while (!IsForThisSolver(offset_, this->phase_)) Next();
    Record record{cursor_->key(), cursor_->value(), {}, {}, {}};
    Next();
    return record;
  };
  const auto load = [this](Record& record) {
    InRecord(record, [&] {
      CAFFE_REQUIRE(record.datum.ParseFromString(record.value)) << "corrupt: it is no Datum message";
      record.value.clear();
      DataTransformer<Dtype>& transformer = *this->data_transformer_;
      if (record.datum.encoded()) {
        record.image = transformer.Decode(record.datum);
        record.shape = transformer.InferBlobShape(record.image);
      } else {
        record.shape = transformer.InferBlobShape(record.datum);
      }
    });
  };
  return LoadGoodItems<Record>(count, take, load, [this] { return this->must_stop(); });
}

template <typename Dtype>
void DataLayer<Dtype>::load_batch(Batch<Dtype>* batch) {
  const int batch_size = static_cast<int>(this->layer_param_.data_param().batch_size());
  const vector<Record> records = ReadGood(batch_size);
  if (this->must_stop()) return;
  this->ShapeBatch(records[0].shape, batch_size, batch);
  // One after the other: the random crops and mirrors are drawn in the order of the records.
  for (int i = 0; i < batch_size; ++i) {
    const Record& record = records[i];
    this->SelectImage(i, batch);
    InRecord(record, [&] {
      if (record.datum.encoded()) {
        this->data_transformer_->Transform(record.image, &this->transformed_data_);
      } else {
        this->data_transformer_->Transform(record.datum, &this->transformed_data_);
      }
    });
    if (this->output_labels_) batch->label_.mutable_cpu_data()[i] = static_cast<Dtype>(record.datum.label());
  }
}

INSTANTIATE_CLASS(DataLayer);
REGISTER_LAYER_CLASS(Data);

}  // namespace caffe
