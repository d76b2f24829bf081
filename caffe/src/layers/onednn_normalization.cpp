#include "onednn_normalization.hpp"

#include <unordered_map>

namespace caffe::onednn {
namespace {

using dnnl::normalization_flags;
using dnnl::prop_kind;

// One value for each channel, of the engine's memory.
Memory Vector(const Desc& x, float* values) {
  return Memory(Desc({x.dims()[1]}, Memory::data_type::f32, Memory::format_tag::a), Engine(), values);
}

float* Values(Blob<float>* blob) { return static_cast<float*>(blob->data()->transient_data(false)); }

// Scale and shift of the followers as arguments of a primitive.
void AddParameters(const Followers<float>& followers, const Desc& x, std::unordered_map<int, Memory>* arguments) {
  if (followers.scale == nullptr) return;
  const auto& blobs = followers.scale->blobs();
  (*arguments)[DNNL_ARG_SCALE] = Vector(x, Values(blobs[0].get()));
  if (blobs.size() > 1) (*arguments)[DNNL_ARG_SHIFT] = Vector(x, Values(blobs[1].get()));
}

normalization_flags FlagsOf(const Followers<float>& followers) {
  normalization_flags flags = normalization_flags::none;
  if (followers.scale) flags |= normalization_flags::use_scale;
  if (followers.scale && followers.scale->blobs().size() > 1) flags |= normalization_flags::use_shift;
  if (followers.relu) flags |= normalization_flags::fuse_norm_relu;
  return flags;
}

}  // namespace

void Normalization::Create(const Desc& x, normalization_flags flags, float eps) {
  if (forward_ && x == x_desc_ && flags == flags_) return;
  forward_ = dnnl::batch_normalization_forward();
  const dnnl::batch_normalization_forward::primitive_desc forward({prop_kind::forward_training, x, eps, flags},
                                                                  Engine());
  const dnnl::batch_normalization_backward::primitive_desc backward({prop_kind::backward, x, x, eps, flags}, Engine(),
                                                                    forward);
  const Desc workspace = forward.workspace_desc();
  workspace_ = workspace.is_zero() ? Memory() : Memory(workspace, Engine());
  backward_ = dnnl::batch_normalization_backward(backward);
  forward_ = dnnl::batch_normalization_forward(forward);
  x_desc_ = x;
  flags_ = flags;
}

bool Normalization::Forward(const Followers<float>& followers, float eps, const vector<int>& shape, SyncedMemory* x,
                            float* mean, float* variance, SyncedMemory* y) {
  if (Foreign(*x, shape) == nullptr) return false;
  x_ = std::dynamic_pointer_cast<Tensor>(x->foreign());
  Create(x_->desc(), FlagsOf(followers), eps);
  Output output(y, x_desc_);
  std::unordered_map<int, Memory> arguments = {{DNNL_ARG_SRC, x_->memory()},
                                               {DNNL_ARG_DST, output.memory()},
                                               {DNNL_ARG_MEAN, Vector(x_desc_, mean)},
                                               {DNNL_ARG_VARIANCE, Vector(x_desc_, variance)}};
  AddParameters(followers, x_desc_, &arguments);
  if (workspace_) arguments[DNNL_ARG_WORKSPACE] = workspace_;
  forward_.execute(Stream(), arguments);
  Stream().wait();
  output.Publish();
  return true;
}

void Normalization::Backward(const Followers<float>& followers, float* mean, float* variance, SyncedMemory* y_diff,
                             SyncedMemory* x_diff) {
  const Memory gradient = Reordered(Read(y_diff, x_desc_.dims()), x_desc_, kResult);
  Output output(x_diff, x_desc_);
  std::unordered_map<int, Memory> arguments = {{DNNL_ARG_SRC, x_->memory()},
                                               {DNNL_ARG_MEAN, Vector(x_desc_, mean)},
                                               {DNNL_ARG_VARIANCE, Vector(x_desc_, variance)},
                                               {DNNL_ARG_DIFF_DST, gradient},
                                               {DNNL_ARG_DIFF_SRC, output.memory()}};
  AddParameters(followers, x_desc_, &arguments);
  if (workspace_) arguments[DNNL_ARG_WORKSPACE] = workspace_;
  const size_t parameters = followers.scale ? followers.scale->blobs().size() : 0;
  vector<vector<float>> sums(parameters, vector<float>(x_desc_.dims()[1]));
  for (size_t i = 0; i < parameters; ++i) {
    arguments[i == 0 ? DNNL_ARG_DIFF_SCALE : DNNL_ARG_DIFF_SHIFT] = Vector(x_desc_, sums[i].data());
  }
  backward_.execute(Stream(), arguments);
  Stream().wait();
  output.Publish();
  for (size_t i = 0; i < parameters; ++i) {
    if (!followers.scale->param_propagate_down(static_cast<int>(i))) continue;
    float* diff = followers.scale->blobs()[i]->mutable_cpu_diff();
    for (size_t c = 0; c < sums[i].size(); ++c) diff[c] += sums[i][c];
  }
}

}  // namespace caffe::onednn
