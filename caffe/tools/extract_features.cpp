// Stores blobs of a network, image by image, in databases.
#include <charconv>
#include <cstring>
#include <memory>

#include "caffe/net.hpp"
#include "caffe/util/format.hpp"
#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/io.hpp"
#include "new_database.hpp"
#include "tool_main.hpp"

namespace caffe::tools {
namespace {

constexpr int kCommitEvery = 1000;

vector<string> SplitList(const string& text) {
  vector<string> parts;
  stringstream list(text);
  string part;
  while (std::getline(list, part, ',')) parts.push_back(part);
  return parts;
}

int WholeNumber(const char* what, const string& text, int least) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  CAFFE_REQUIRE(error == std::errc() && end == text.data() + text.size() && value >= least)
      << what << " is '" << text << "'; a whole number from " << least << " on is needed";
  return value;
}

// One blob on its way into its database.
class Features {
 public:
  Features(const Net<float>& net, const string& name, const string& path, const string& backend)
      : name_(name),
        blob_(net.blob_by_name(name).get()),
        database_(path, backend),
        transaction_(database_.db().NewTransaction()) {}

  // The images of the current batch.
  void Store() {
    const int images = blob_->num_axes() > 0 ? blob_->shape(0) : 1;
    const int values = images > 0 ? blob_->count() / images : 0;
    Datum datum;
    // Blobs of more axes than a Datum has become one long row.
    const bool fits = blob_->num_axes() <= 4;
    datum.set_channels(fits ? blob_->channels() : values);
    datum.set_height(fits ? blob_->height() : 1);
    datum.set_width(fits ? blob_->width() : 1);
    for (int n = 0; n < images; ++n) {
      const float* feature = blob_->cpu_data() + static_cast<size_t>(n) * values;
      datum.mutable_float_data()->Assign(feature, feature + values);
      transaction_->Put(format_int(stored_, 10), datum.SerializeAsString());
      if (++stored_ % kCommitEvery == 0) {
        transaction_->Commit();
        LogProgress();
      }
    }
  }

  void Publish() {
    if (stored_ % kCommitEvery != 0) transaction_->Commit();
    LogProgress();
    transaction_.reset();
    database_.Publish();
  }

 private:
  void LogProgress() const {
    LOG(INFO) << "Extracted features of " << stored_ << " query images for feature blob " << name_;
  }

  string name_;
  const Blob<float>* blob_;
  NewDatabase database_;
  std::unique_ptr<db::Transaction> transaction_;
  int stored_ = 0;
};

int Run(int argc, char** argv) {
  if (argc < 7) {
    ShowUsage();
    return 1;
  }
  CAFFE_REQUIRE(argc <= 9) << "takes at most 8 arguments, got " << argc - 1;
  const string device = argc > 7 ? argv[7] : "CPU";
  CAFFE_REQUIRE(device == "CPU" || device == "GPU") << "the device is '" << device << "'; it must be CPU or GPU";
  CAFFE_REQUIRE(device == "CPU" || GpuRuntime::Get() != nullptr)
      << "this build has no GPU support; leave GPU out to compute on the CPU";
  LOG(INFO) << "Using " << device;
  if (device == "GPU") UseGpu(argc > 8 ? WholeNumber("the device id", argv[8], 0) : 0);

  const string weights = argv[1];
  const string model = argv[2];
  const vector<string> blobs = SplitList(argv[3]);
  const vector<string> paths = SplitList(argv[4]);
  CAFFE_REQUIRE(!blobs.empty() && blobs.size() == paths.size())
      << "there are " << blobs.size() << " blobs and " << paths.size() << " databases; each blob needs its own";
  const int batches = WholeNumber("num_batches", argv[5], 1);
  const string backend = argv[6];
  RequireFile(weights);

  Net<float> net(model, TEST);
  net.CopyTrainedLayersFrom(weights);
  vector<std::unique_ptr<Features>> features;
  for (size_t i = 0; i < blobs.size(); ++i) {
    CAFFE_REQUIRE(net.has_blob(blobs[i])) << "Unknown feature blob name " << blobs[i] << " in the network " << model;
    features.push_back(std::make_unique<Features>(net, blobs[i], paths[i], backend));
  }
  LOG(INFO) << "Extracting Features";
  for (int batch = 0; batch < batches; ++batch) {
    net.Forward();
    for (const auto& feature : features) feature->Store();
  }
  for (const auto& feature : features) feature->Publish();
  LOG(INFO) << "Successfully extracted the features!";
  return 0;
}

const char* const kUsage =
    "Runs a network in TEST phase and stores blobs of it, one record per image, in databases.\n"
    "usage: extract_features WEIGHTS NET_PROTOTXT BLOB[,BLOB...] DATABASE[,DATABASE...] NUM_BATCHES DB_TYPE [CPU | GPU "
    "[ID]]\n\n"
    "DB_TYPE is lmdb or leveldb. The records are Datum messages of floats under the keys 0000000000, 0000000001, ...\n"
    "A database must not exist; it is there when all is in it, and not before.";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "extract_features", caffe::tools::kUsage, caffe::tools::Run);
}
