#include "caffe/blob.hpp"

#include <algorithm>
#include <climits>
#include <type_traits>

#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

namespace {

// Whether the values are on the GPU, maybe on the CPU too: arithmetic stays where they are.
bool OnGpu(const shared_ptr<SyncedMemory>& memory) {
  return memory != nullptr && (memory->head() == SyncedMemory::HEAD_AT_GPU || memory->head() == SyncedMemory::SYNCED);
}

// Blobs of indices stay on the CPU.
template <typename Dtype>
constexpr bool kMayUseGpu = std::is_floating_point_v<Dtype>;

template <typename Dtype>
Dtype SumOfMagnitudes(int count, const shared_ptr<SyncedMemory>& memory) {
  // Memory that was never touched is all zero.
  if (memory == nullptr || memory->head() == SyncedMemory::UNINITIALIZED) return 0;
  if constexpr (kMayUseGpu<Dtype>) {
    if (OnGpu(memory)) {
      return GpuRuntime::Require().SumOfMagnitudes(count, static_cast<const Dtype*>(memory->gpu_data()));
    }
  }
  return caffe_cpu_asum(count, static_cast<const Dtype*>(memory->cpu_data()));
}

template <typename Dtype>
Dtype SumOfSquares(int count, const shared_ptr<SyncedMemory>& memory) {
  if (memory == nullptr || memory->head() == SyncedMemory::UNINITIALIZED) return 0;
  if constexpr (kMayUseGpu<Dtype>) {
    if (OnGpu(memory)) {
      const auto* x = static_cast<const Dtype*>(memory->gpu_data());
      return GpuRuntime::Require().Dot(count, x, x);
    }
  }
  const auto* x = static_cast<const Dtype*>(memory->cpu_data());
  return caffe_cpu_dot(count, x, x);
}

template <typename Dtype>
void ScaleBy(Dtype factor, int count, const shared_ptr<SyncedMemory>& memory) {
  if (memory == nullptr) return;
  if constexpr (kMayUseGpu<Dtype>) {
    if (OnGpu(memory)) {
      return GpuRuntime::Require().Scale(count, factor, static_cast<Dtype*>(memory->mutable_gpu_data()));
    }
  }
  caffe_scal(count, factor, static_cast<Dtype*>(memory->mutable_cpu_data()));
}

}  // namespace

template <typename Dtype>
Blob<Dtype>::Blob(int num, int channels, int height, int width) {
  Reshape(num, channels, height, width);
}

template <typename Dtype>
Blob<Dtype>::Blob(const vector<int>& shape) {
  Reshape(shape);
}

template <typename Dtype>
void Blob<Dtype>::Reshape(const vector<int>& shape) {
  CAFFE_REQUIRE(shape.size() <= kMaxBlobAxes)
      << "a blob has at most " << kMaxBlobAxes << " axes, " << shape.size() << " were asked for";
  std::int64_t count = 1;
  for (const int dim : shape) {
    CAFFE_REQUIRE(dim >= 0) << "a blob cannot have the dimension " << dim;
    // A blob without values has parts with them: count() of these fits an int too.
    count *= std::max(dim, 1);
    CAFFE_REQUIRE(count <= INT_MAX) << "a blob of more than " << INT_MAX << " values is too large";
  }
  shape_ = shape;
  count_ = std::find(shape.begin(), shape.end(), 0) == shape.end() ? static_cast<int>(count) : 0;
  if (count_ > capacity_ || !data_) {
    capacity_ = count_;
    data_ = std::make_shared<SyncedMemory>(capacity_ * sizeof(Dtype));
    diff_ = std::make_shared<SyncedMemory>(capacity_ * sizeof(Dtype));
  }
}

template <typename Dtype>
void Blob<Dtype>::Reshape(int num, int channels, int height, int width) {
  Reshape(vector<int>{num, channels, height, width});
}

template <typename Dtype>
void Blob<Dtype>::Reshape(const BlobShape& shape) {
  vector<int> dims;
  for (const std::int64_t dim : shape.dim()) {
    CAFFE_REQUIRE(dim >= 0 && dim <= INT_MAX) << "a blob cannot have the dimension " << dim;
    dims.push_back(static_cast<int>(dim));
  }
  Reshape(dims);
}

template <typename Dtype>
void Blob<Dtype>::ReshapeLike(const Blob& other) {
  Reshape(other.shape());
}

template <typename Dtype>
string Blob<Dtype>::shape_string() const {
  ostringstream stream;
  for (const int dim : shape_) stream << dim << " ";
  stream << "(" << count_ << ")";
  return stream.str();
}

template <typename Dtype>
int Blob<Dtype>::count(int start_axis, int end_axis) const {
  CHECK_LE(0, start_axis);
  CHECK_LE(start_axis, end_axis);
  CHECK_LE(end_axis, num_axes());
  int product = 1;
  for (int axis = start_axis; axis < end_axis; ++axis) product *= shape_[axis];
  return product;
}

template <typename Dtype>
int Blob<Dtype>::CanonicalAxisIndex(int axis_index) const {
  CAFFE_REQUIRE(axis_index >= -num_axes() && axis_index < num_axes())
      << "axis " << axis_index << " does not exist in a blob of shape " << shape_string();
  return axis_index < 0 ? axis_index + num_axes() : axis_index;
}

template <typename Dtype>
int Blob<Dtype>::LegacyShape(int index) const {
  CAFFE_REQUIRE(num_axes() <= 4) << "num, channels, height and width do not exist in a blob of " << num_axes()
                                 << " axes";
  CHECK(index >= -4 && index < 4) << "axis " << index << " of four";
  if (index >= num_axes() || index < -num_axes()) return 1;
  return shape(index);
}

template <typename Dtype>
int Blob<Dtype>::offset(int n, int c, int h, int w) const {
  DCHECK_GE(n, 0);
  DCHECK_LE(n, num());
  return ((n * channels() + c) * height() + h) * width() + w;
}

template <typename Dtype>
int Blob<Dtype>::offset(const vector<int>& indices) const {
  CHECK_LE(static_cast<int>(indices.size()), num_axes());
  int offset = 0;
  for (int axis = 0; axis < num_axes(); ++axis) {
    offset *= shape_[axis];
    if (axis < static_cast<int>(indices.size())) {
      CHECK(indices[axis] >= 0 && indices[axis] < shape_[axis]) << "index " << indices[axis] << " of axis " << axis;
      offset += indices[axis];
    }
  }
  return offset;
}

template <typename Dtype>
void Blob<Dtype>::CopyFrom(const Blob& source, bool copy_diff, bool reshape) {
  if (source.shape() != shape_) {
    CAFFE_REQUIRE(reshape) << "cannot copy a blob of shape " << source.shape_string() << " into one of shape "
                           << shape_string();
    ReshapeLike(source);
  }
  SyncedMemory& from = copy_diff ? *source.diff() : *source.data();
  SyncedMemory& to = copy_diff ? *diff() : *data();
  if (Caffe::mode() == Caffe::GPU) {
    GpuRuntime::Require().Copy(to.mutable_gpu_data(), from.gpu_data(), count_ * sizeof(Dtype));
  } else {
    caffe_copy(count_, static_cast<const Dtype*>(from.cpu_data()), static_cast<Dtype*>(to.mutable_cpu_data()));
  }
}

template <typename Dtype>
const shared_ptr<SyncedMemory>& Blob<Dtype>::data() const {
  CHECK(data_) << "the blob has no shape yet";
  return data_;
}

template <typename Dtype>
const shared_ptr<SyncedMemory>& Blob<Dtype>::diff() const {
  CHECK(diff_) << "the blob has no shape yet";
  return diff_;
}

template <typename Dtype>
const Dtype* Blob<Dtype>::cpu_data() const {
  return static_cast<const Dtype*>(data()->cpu_data());
}

template <typename Dtype>
void Blob<Dtype>::set_cpu_data(Dtype* data) {
  CHECK(data);
  // Memory of the right size, so that a blob that shrank does not pretend to hold more.
  const size_t size = count_ * sizeof(Dtype);
  if (data_->size() != size) {
    data_ = std::make_shared<SyncedMemory>(size);
    diff_ = std::make_shared<SyncedMemory>(size);
    capacity_ = count_;
  }
  data_->set_cpu_data(data);
}

template <typename Dtype>
const Dtype* Blob<Dtype>::gpu_data() const {
  return static_cast<const Dtype*>(data()->gpu_data());
}

template <typename Dtype>
void Blob<Dtype>::set_gpu_data(Dtype* data) {
  data_->set_gpu_data(data);
}

template <typename Dtype>
const Dtype* Blob<Dtype>::cpu_diff() const {
  return static_cast<const Dtype*>(diff()->cpu_data());
}

template <typename Dtype>
const Dtype* Blob<Dtype>::gpu_diff() const {
  return static_cast<const Dtype*>(diff()->gpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_cpu_data() {
  return static_cast<Dtype*>(data()->mutable_cpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_gpu_data() {
  return static_cast<Dtype*>(data()->mutable_gpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_cpu_diff() {
  return static_cast<Dtype*>(diff()->mutable_cpu_data());
}

template <typename Dtype>
Dtype* Blob<Dtype>::mutable_gpu_diff() {
  return static_cast<Dtype*>(diff()->mutable_gpu_data());
}

template <typename Dtype>
void Blob<Dtype>::Update() {
  if constexpr (kMayUseGpu<Dtype>) {
    if (OnGpu(data_)) return GpuRuntime::Require().Axpy(count_, Dtype(-1), gpu_diff(), mutable_gpu_data());
  }
  caffe_axpy(count_, Dtype(-1), cpu_diff(), mutable_cpu_data());
}

template <typename Dtype>
bool Blob<Dtype>::ShapeEquals(const BlobProto& other) const {
  if (other.has_num() || other.has_channels() || other.has_height() || other.has_width()) {
    return num_axes() <= 4 && LegacyShape(-4) == other.num() && LegacyShape(-3) == other.channels() &&
           LegacyShape(-2) == other.height() && LegacyShape(-1) == other.width();
  }
  return std::equal(shape_.begin(), shape_.end(), other.shape().dim().begin(), other.shape().dim().end());
}

namespace {

// Memory is taken after the message was found to have a value for each element: a shape alone can ask for any amount.
template <typename Dtype, typename Values>
void CopyValues(const Values& values, int count, const char* what, const shared_ptr<SyncedMemory>& memory) {
  CAFFE_REQUIRE(values.size() == count) << "a blob message holds " << values.size() << " " << what
                                        << " values, its shape asks for " << count;
  const HostView view(memory);
  std::copy(values.begin(), values.end(), view.values<Dtype>());
}

}  // namespace

template <typename Dtype>
void Blob<Dtype>::FromProto(const BlobProto& proto, bool reshape) {
  if (!reshape) {
    CAFFE_REQUIRE(ShapeEquals(proto)) << "a blob message of another shape, expected " << shape_string();
  } else if (proto.has_num() || proto.has_channels() || proto.has_height() || proto.has_width()) {
    Reshape(proto.num(), proto.channels(), proto.height(), proto.width());
  } else {
    Reshape(proto.shape());
  }
  if (proto.double_data_size() > 0) {
    CopyValues<Dtype>(proto.double_data(), count_, "data", data());
  } else {
    CopyValues<Dtype>(proto.data(), count_, "data", data());
  }
  if (proto.double_diff_size() > 0) {
    CopyValues<Dtype>(proto.double_diff(), count_, "diff", diff());
  } else if (proto.diff_size() > 0) {
    CopyValues<Dtype>(proto.diff(), count_, "diff", diff());
  }
}

template <typename Dtype>
void Blob<Dtype>::ToProto(BlobProto* proto, bool write_diff) const {
  proto->Clear();
  proto->mutable_shape();
  for (const int dim : shape_) proto->mutable_shape()->add_dim(dim);
  const Dtype* data = cpu_data();
  const Dtype* diff = write_diff ? cpu_diff() : nullptr;
  if constexpr (std::is_same_v<Dtype, double>) {
    proto->mutable_double_data()->Add(data, data + count_);
    if (diff) proto->mutable_double_diff()->Add(diff, diff + count_);
  } else {
    proto->mutable_data()->Add(data, data + count_);
    if (diff) proto->mutable_diff()->Add(diff, diff + count_);
  }
}

template <typename Dtype>
Dtype Blob<Dtype>::asum_data() const {
  return SumOfMagnitudes<Dtype>(count_, data_);
}

template <typename Dtype>
Dtype Blob<Dtype>::asum_diff() const {
  return SumOfMagnitudes<Dtype>(count_, diff_);
}

template <typename Dtype>
Dtype Blob<Dtype>::sumsq_data() const {
  return SumOfSquares<Dtype>(count_, data_);
}

template <typename Dtype>
Dtype Blob<Dtype>::sumsq_diff() const {
  return SumOfSquares<Dtype>(count_, diff_);
}

template <typename Dtype>
void Blob<Dtype>::scale_data(Dtype scale_factor) {
  ScaleBy(scale_factor, count_, data_);
}

template <typename Dtype>
void Blob<Dtype>::scale_diff(Dtype scale_factor) {
  ScaleBy(scale_factor, count_, diff_);
}

template <typename Dtype>
void Blob<Dtype>::ShareData(const Blob& other) {
  CHECK_EQ(count_, other.count());
  data_ = other.data();
}

template <typename Dtype>
void Blob<Dtype>::ShareDiff(const Blob& other) {
  CHECK_EQ(count_, other.count());
  diff_ = other.diff();
}

INSTANTIATE_CLASS(Blob);
template class Blob<int>;
template class Blob<unsigned int>;

}  // namespace caffe
