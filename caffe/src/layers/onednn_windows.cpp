#include "onednn_windows.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "caffe/util/parallel.hpp"

namespace caffe::onednn {
namespace {

dnnl::prop_kind Kind(bool training) {
  return training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
}

template <typename Primitive>
void Run(const Primitive& primitive, const Memory& source, const Memory& result, const Memory& workspace) {
  std::unordered_map<int, Memory> arguments = {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, result}};
  if (workspace) arguments[DNNL_ARG_WORKSPACE] = workspace;
  primitive.execute(Stream(), arguments);
  Stream().wait();
}

bool HasNone(const Dims& dims) { return std::count(dims.begin(), dims.end(), 0) > 0; }

// Whether oneDNN has code for it that it generates for this processor.
bool IsGenerated(const dnnl::pooling_forward::primitive_desc& desc) {
  return std::strncmp(desc.impl_info_str(), "jit", 3) == 0;
}

// The windows of plain images: their rows first, whole rows of the image at a time, then their columns.
void PoolRows(const Pooling::Shape& shape, const float* images, float* result) {
  const bool max = shape.algorithm == dnnl::algorithm::pooling_max;
  const int planes = static_cast<int>(shape.source[0] * shape.source[1]);
  const dnnl_dim_t height = shape.source[2], width = shape.source[3];
  const dnnl_dim_t result_height = shape.result[2], result_width = shape.result[3];
  const float scale = max ? 1 : 1 / static_cast<float>(shape.kernel[0] * shape.kernel[1]);
  vector<float> rows(planes * width);
  // Where window i along axis `axis` begins and ends in an image of this size.
  const auto begin = [&](int axis, dnnl_dim_t i) {
    return std::max<dnnl_dim_t>(0, i * shape.strides[axis] - shape.pads[axis]);
  };
  const auto end = [&](int axis, dnnl_dim_t i, dnnl_dim_t size) {
    return std::min(size, i * shape.strides[axis] - shape.pads[axis] + shape.kernel[axis]);
  };
  ForEachTask(planes, result_height * (width * shape.kernel[0] + result_width * shape.kernel[1]), [&](int plane) {
    const float* image = images + plane * height * width;
    float* to = result + plane * result_height * result_width;
    float* all = rows.data() + plane * width;
    for (dnnl_dim_t y = 0; y < result_height; ++y) {
      const dnnl_dim_t first = begin(0, y), last = end(0, y, height);
      std::copy_n(image + first * width, width, all);
      for (dnnl_dim_t h = first + 1; h < last; ++h) {
        const float* row = image + h * width;
        if (max) {
          for (dnnl_dim_t w = 0; w < width; ++w) all[w] = std::max(all[w], row[w]);
        } else {
          for (dnnl_dim_t w = 0; w < width; ++w) all[w] += row[w];
        }
      }
      for (dnnl_dim_t x = 0; x < result_width; ++x, ++to) {
        const dnnl_dim_t left = begin(1, x), right = end(1, x, width);
        float value = all[left];
        for (dnnl_dim_t w = left + 1; w < right; ++w) value = max ? std::max(value, all[w]) : value + all[w];
        *to = value * scale;
      }
    }
  });
}

// What a primitive keeps for its backward pass; none where it keeps nothing.
Memory Workspace(const Desc& desc) { return desc.is_zero() ? Memory() : Memory(desc, Engine()); }

}  // namespace

bool Pooling::Shape::operator==(const Shape& other) const {
  return algorithm == other.algorithm && source == other.source && result == other.result && kernel == other.kernel &&
         strides == other.strides && pads == other.pads && pads_after == other.pads_after;
}

void Pooling::Create(const Shape& shape, const Desc& given, bool training) {
  if (forward_ && shape == shape_ && given == given_desc_ && training == training_) return;
  const auto of = [&](const Desc& source) {
    return dnnl::pooling_forward::primitive_desc(
        dnnl::pooling_forward::desc(Kind(training), shape.algorithm, source, AnyDesc(shape.result), shape.strides,
                                    shape.kernel, shape.pads, shape.pads_after),
        Engine());
  };
  forward_ = dnnl::pooling_forward();
  desc_ = of(given);
  source_desc_ = given;
  // Without AVX-512, oneDNN pools plain values one by one.
  const bool is_slow = given == PlainDesc(shape.source) && !IsGenerated(desc_);
  by_rows_ = is_slow && !training;
  if (is_slow && training) {
    const Desc blocks(shape.source, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nChw8c);
    const auto in_blocks = of(blocks);
    if (IsGenerated(in_blocks)) {
      desc_ = in_blocks;
      source_desc_ = blocks;
    }
  }
  workspace_ = training ? Workspace(desc_.workspace_desc()) : Memory();
  forward_ = dnnl::pooling_forward(desc_);
  shape_ = shape;
  given_desc_ = given;
  training_ = training;
}

void Pooling::Execute(const Memory& source, const Memory& result) { Run(forward_, source, result, workspace_); }

bool Pooling::Forward(const Shape& shape, bool training, SyncedMemory* source, SyncedMemory* result) {
  ran_ = false;
  if (HasNone(shape.source)) return false;
  const Memory images = Read(source, shape.source);
  Create(shape, images.get_desc(), training);
  Output output(result, desc_.dst_desc());
  if (by_rows_) {
    PoolRows(shape, static_cast<const float*>(images.get_data_handle()), output.values());
  } else {
    Execute(Reordered(images, source_desc_, kSource), output.memory());
  }
  output.Publish();
  ran_ = true;
  return true;
}

void Pooling::Backward(SyncedMemory* source, SyncedMemory* result_diff, SyncedMemory* source_diff) {
  if (!training_) {
    Create(shape_, given_desc_, true);
    Execute(Reordered(Read(source, shape_.source), source_desc_, kSource), Scratch(desc_.dst_desc(), kOutput));
  }
  const Desc result = desc_.dst_desc();
  const dnnl::pooling_backward::primitive_desc desc(
      dnnl::pooling_backward::desc(shape_.algorithm, source_desc_, result, shape_.strides, shape_.kernel, shape_.pads,
                                   shape_.pads_after),
      Engine(), desc_);
  const Memory gradient = Reordered(Read(result_diff, shape_.result), desc.diff_dst_desc(), kResult);
  Output output(source_diff, desc.diff_src_desc());
  std::unordered_map<int, Memory> arguments = {{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, output.memory()}};
  if (workspace_) arguments[DNNL_ARG_WORKSPACE] = workspace_;
  dnnl::pooling_backward(desc).execute(Stream(), arguments);
  Stream().wait();
  output.Publish();
}

bool Lrn::Constants::operator==(const Constants& other) const {
  return size == other.size && alpha == other.alpha && beta == other.beta && k == other.k;
}

dnnl::lrn_forward::primitive_desc Lrn::ForwardOf(const Desc& images, bool training) const {
  return {dnnl::lrn_forward::desc(Kind(training), dnnl::algorithm::lrn_across_channels, images, constants_.size,
                                  constants_.alpha, constants_.beta, constants_.k),
          Engine()};
}

bool Lrn::Forward(const Constants& constants, SyncedMemory* source, const vector<int>& shape, SyncedMemory* result) {
  ran_ = false;
  if (HasNone(ToDims(shape))) return false;
  const Memory images = Read(source, ToDims(shape));
  if (!forward_ || !(constants == constants_) || images.get_desc() != source_desc_) {
    forward_ = dnnl::lrn_forward();
    constants_ = constants;
    source_desc_ = images.get_desc();
    forward_ = dnnl::lrn_forward(ForwardOf(source_desc_, false));
  }
  Output output(result, source_desc_);
  Run(forward_, images, output.memory(), Memory());
  output.Publish();
  ran_ = true;
  return true;
}

// The gradient of an image needs what oneDNN keeps of its forward pass, twice the size of the image. Made again and for
// one image at a time, that stays in the cache.
void Lrn::Backward(SyncedMemory* source, SyncedMemory* result_diff, SyncedMemory* source_diff) {
  const Dims dims = source_desc_.dims();
  Dims dims_of_one = dims;
  dims_of_one[0] = 1;
  const Desc one = source_desc_.submemory_desc(dims_of_one, Dims(dims.size(), 0));
  const auto forward_desc = ForwardOf(one, true);
  const dnnl::lrn_forward forward(forward_desc);
  const dnnl::lrn_backward backward(dnnl::lrn_backward::primitive_desc(
      dnnl::lrn_backward::desc(dnnl::algorithm::lrn_across_channels, one, one, constants_.size, constants_.alpha,
                               constants_.beta, constants_.k),
      Engine(), forward_desc));
  const Desc kept = forward_desc.workspace_desc();
  const Memory workspace = kept.is_zero() ? Memory() : Scratch(kept, kWeights);

  const Memory images = Reordered(Read(source, dims), source_desc_, kSource);
  const Memory gradients = Reordered(Read(result_diff, dims), source_desc_, kResult);
  Output output(source_diff, source_desc_);
  const auto image_of = [&](const Memory& all, int n) {
    return Memory(one, Engine(), static_cast<char*>(all.get_data_handle()) + source_desc_.get_size() / dims[0] * n);
  };
  for (int n = 0; n < dims[0]; ++n) {
    const Memory image = image_of(images, n), result = image_of(output.memory(), n);
    Run(forward, image, result, workspace);  // the gradient takes the place of y
    std::unordered_map<int, Memory> arguments = {
        {DNNL_ARG_SRC, image}, {DNNL_ARG_DIFF_DST, image_of(gradients, n)}, {DNNL_ARG_DIFF_SRC, result}};
    if (workspace) arguments[DNNL_ARG_WORKSPACE] = workspace;
    backward.execute(Stream(), arguments);
    Stream().wait();
  }
  output.Publish();
}

}  // namespace caffe::onednn
