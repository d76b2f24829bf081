// An N-dimensional array of values and of their gradients; what layers pass to each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/syncedmem.hpp"

namespace caffe {

constexpr int kMaxBlobAxes = 32;

// Row-major ("C") order; an image batch is (num, channels, height, width). data and diff are allocated at first use and
// are kept when a Reshape does not need more than they hold. Knows its shared_ptr, so that a Blob* handed to Python can
// share ownership.
template <typename Dtype>
class Blob : public std::enable_shared_from_this<Blob<Dtype>> {
 public:
  Blob() = default;
  explicit Blob(int num, int channels, int height, int width);
  explicit Blob(const vector<int>& shape);

  // Throws Error for more than kMaxBlobAxes axes, a negative dimension, or more than INT_MAX values.
  void Reshape(const vector<int>& shape);
  void Reshape(int num, int channels, int height, int width);
  void Reshape(const BlobShape& shape);
  void ReshapeLike(const Blob& other);

  string shape_string() const;  // "2 3 4 (24)"
  const vector<int>& shape() const { return shape_; }
  // Dimension of an axis; negative axes count from the end.
  int shape(int index) const { return shape_[CanonicalAxisIndex(index)]; }
  int num_axes() const { return static_cast<int>(shape_.size()); }
  int count() const { return count_; }
  // Product of the dimensions of axes [start, end).
  int count(int start_axis, int end_axis) const;
  int count(int start_axis) const { return count(start_axis, num_axes()); }
  // Maps [-num_axes, num_axes) to [0, num_axes); throws Error outside.
  int CanonicalAxisIndex(int axis_index) const;

  // The four-dimensional view of blobs of at most four axes; missing axes are 1.
  int num() const { return LegacyShape(0); }
  int channels() const { return LegacyShape(1); }
  int height() const { return LegacyShape(2); }
  int width() const { return LegacyShape(3); }
  int LegacyShape(int index) const;

  int offset(int n, int c = 0, int h = 0, int w = 0) const;
  int offset(const vector<int>& indices) const;

  // Copies data, or diff with `copy_diff`; shapes must agree unless `reshape`.
  void CopyFrom(const Blob& source, bool copy_diff = false, bool reshape = false);

  Dtype data_at(int n, int c, int h, int w) const { return cpu_data()[offset(n, c, h, w)]; }
  Dtype diff_at(int n, int c, int h, int w) const { return cpu_diff()[offset(n, c, h, w)]; }
  Dtype data_at(const vector<int>& index) const { return cpu_data()[offset(index)]; }
  Dtype diff_at(const vector<int>& index) const { return cpu_diff()[offset(index)]; }

  const shared_ptr<SyncedMemory>& data() const;
  const shared_ptr<SyncedMemory>& diff() const;
  const Dtype* cpu_data() const;
  void set_cpu_data(Dtype* data);
  const Dtype* gpu_data() const;
  void set_gpu_data(Dtype* data);
  const Dtype* cpu_diff() const;
  const Dtype* gpu_diff() const;
  Dtype* mutable_cpu_data();
  Dtype* mutable_gpu_data();
  Dtype* mutable_cpu_diff();
  Dtype* mutable_gpu_diff();

  // data -= diff.
  void Update();
  // From a message, of floats or doubles, of either shape form. Throws Error where shape and number of values disagree;
  // with `reshape` false also where the shapes do.
  void FromProto(const BlobProto& proto, bool reshape = true);
  void ToProto(BlobProto* proto, bool write_diff = false) const;

  Dtype asum_data() const;
  Dtype asum_diff() const;
  Dtype sumsq_data() const;
  Dtype sumsq_diff() const;
  void scale_data(Dtype scale_factor);
  void scale_diff(Dtype scale_factor);

  // From now on uses the other blob's memory; counts must agree.
  void ShareData(const Blob& other);
  void ShareDiff(const Blob& other);

  // Whether the message describes this shape; an old four-dimensional message equals a blob of fewer axes padded
  // with 1.
  bool ShapeEquals(const BlobProto& other) const;

 protected:
  shared_ptr<SyncedMemory> data_;
  shared_ptr<SyncedMemory> diff_;
  vector<int> shape_;
  int count_ = 0;
  int capacity_ = 0;

  DISABLE_COPY_AND_ASSIGN(Blob);
};

}  // namespace caffe
