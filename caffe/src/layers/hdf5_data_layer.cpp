#include "caffe/layers/hdf5_data_layer.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include "caffe/util/corrupt_records.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/rng.hpp"
#include "caffe/util/solver_share.hpp"

namespace caffe {
namespace {

vector<string> ReadFileList(const string& source) {
  std::ifstream stream = OpenFile(source);
  vector<string> files;
  string line;
  while (std::getline(stream, line)) {
    line.erase(0, line.find_first_not_of(" \t\r"));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) files.push_back(line);
  }
  CAFFE_REQUIRE(!files.empty()) << source << ": names no HDF5 file";
  return files;
}

// 0 ... count - 1; with a generator, shuffled.
vector<int> Order(size_t count, std::mt19937* rng) {
  vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (rng != nullptr) shuffle(order.begin(), order.end(), rng);
  return order;
}

}  // namespace

template <typename Dtype>
void HDF5DataLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(!this->layer_param_.has_transform_param())
      << "HDF5Data does not transform data; remove transform_param";
  const HDF5DataParameter& param = this->layer_param_.hdf5_data_param();
  CAFFE_REQUIRE(param.batch_size() > 0 && param.batch_size() <= INT_MAX)
      << "hdf5_data_param needs a batch_size above 0, and of " << INT_MAX << " at most";
  CAFFE_REQUIRE(this->layer_param_.top_size() == static_cast<int>(top.size()))
      << "each top must have the name of a dataset";
  LOG(INFO) << "Loading list of HDF5 filenames from: " << param.source();
  hdf_filenames_ = ReadFileList(param.source());
  LOG(INFO) << "Number of HDF5 files: " << hdf_filenames_.size();
  pass_seed_ = param.shuffle() ? caffe_rng_rand() : 0;
  OrderFiles();
  LoadCurrentFile();
  for (size_t i = 0; i < top.size(); ++i) {
    vector<int> shape = hdf_blobs_[i]->shape();
    shape[0] = static_cast<int>(param.batch_size());
    top[i]->Reshape(shape);
  }
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::OrderFiles() {
  std::mt19937 rng(pass_seed_);
  const bool shuffled = this->layer_param_.hdf5_data_param().shuffle();
  file_permutation_ = Order(hdf_filenames_.size(), shuffled ? &rng : nullptr);
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::OrderRows() {
  // Another order for each file of the pass.
  std::seed_seq seed{pass_seed_, static_cast<unsigned>(file_permutation_[current_file_])};
  std::mt19937 rng(seed);
  const bool shuffled = this->layer_param_.hdf5_data_param().shuffle();
  data_permutation_ = Order(hdf_blobs_[0]->shape(0), shuffled ? &rng : nullptr);
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::LoadCurrentFile() {
  for (size_t skipped = 1;; ++skipped) {
    try {
      LoadHDF5FileData(hdf_filenames_[file_permutation_[current_file_]]);
      break;
    } catch (const Error& error) {
      if (!CorruptRecords::skip()) throw;
      CorruptRecords::Add(error.what());
      // As many in turn are a whole pass at least, wherever that began.
      CAFFE_REQUIRE(skipped < 2 * hdf_filenames_.size())
          << this->layer_param_.hdf5_data_param().source()
          << ": none of its files can be read; the last: " << error.what();
    }
    NextFile();
  }
  OrderRows();
}

template <typename Dtype>
string HDF5DataLayer<Dtype>::SaveState() const {
  ostringstream state;
  state << pass_seed_ << " " << current_file_ << " " << current_row_;
  return state.str();
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::RestoreState(const string& state) {
  std::istringstream text(state);
  const string& source = this->layer_param_.hdf5_data_param().source();
  size_t row = 0;
  CAFFE_REQUIRE(text >> pass_seed_ >> current_file_ >> row && current_file_ < hdf_filenames_.size())
      << source << " is not the list of the interrupted run: it has only " << hdf_filenames_.size() << " files";
  OrderFiles();
  LoadCurrentFile();
  CAFFE_REQUIRE(row < data_permutation_.size())
      << hdf_filenames_[file_permutation_[current_file_]] << " is not the file of the interrupted run: it has only "
      << data_permutation_.size() << " rows";
  current_row_ = row;
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::LoadHDF5FileData(const string& filename) {
  const Hdf5Reader file(filename);
  vector<shared_ptr<Blob<Dtype>>> blobs;
  for (const string& name : this->layer_param_.top()) {
    CAFFE_REQUIRE(file.Exists(name)) << filename << ": no dataset '" << name << "', the name of a top";
    const vector<int> shape = file.Shape(name);
    CAFFE_REQUIRE(!shape.empty() && shape[0] > 0)
        << filename << ": dataset '" << name << "' has no rows; its first axis must be the images";
    blobs.push_back(std::make_shared<Blob<Dtype>>(shape));
    file.Read(name, blobs.back()->mutable_cpu_data());
    CAFFE_REQUIRE(shape[0] == blobs[0]->shape(0))
        << filename << ": dataset '" << name << "' has " << shape[0] << " rows, '" << this->layer_param_.top(0)
        << "' has " << blobs[0]->shape(0);
    const int index = static_cast<int>(blobs.size()) - 1;
    CAFFE_REQUIRE(hdf_blobs_.empty() ||
                  std::equal(shape.begin() + 1, shape.end(), hdf_blobs_[index]->shape().begin() + 1,
                             hdf_blobs_[index]->shape().end()))
        << filename << ": dataset '" << name << "' has the shape " << blobs[index]->shape_string()
        << ", in the files before it was " << hdf_blobs_[index]->shape_string()
        << "; only the number of rows may differ";
  }
  hdf_blobs_ = blobs;
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::NextFile() {
  if (++current_file_ < hdf_filenames_.size()) return;
  current_file_ = 0;
  if (this->layer_param_.hdf5_data_param().shuffle()) pass_seed_ = std::mt19937(pass_seed_)();
  OrderFiles();
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::Next() {
  ++offset_;
  if (++current_row_ < data_permutation_.size()) return;
  current_row_ = 0;
  NextFile();
  if (hdf_filenames_.size() > 1) {
    LoadCurrentFile();
  } else {
    OrderRows();
  }
}

template <typename Dtype>
void HDF5DataLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int batch_size = static_cast<int>(this->layer_param_.hdf5_data_param().batch_size());
  for (int i = 0; i < batch_size; ++i) {
    while (!IsForThisSolver(offset_, this->phase_)) Next();
    for (size_t j = 0; j < top.size(); ++j) {
      const int row_size = top[j]->count(1);
      const Dtype* row = hdf_blobs_[j]->cpu_data() + static_cast<size_t>(data_permutation_[current_row_]) * row_size;
      caffe_copy(row_size, row, top[j]->mutable_cpu_data() + static_cast<size_t>(i) * row_size);
    }
    Next();
  }
}

INSTANTIATE_CLASS(HDF5DataLayer);
REGISTER_LAYER_CLASS(HDF5Data);

}  // namespace caffe
