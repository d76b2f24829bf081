// A layer's Backward against central differences of its Forward, for tests of layers.
#pragma once

#include <glog/logging.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/net.hpp"

namespace caffe {

// Checks d(objective) / d(feature) for every feature: the values of the bottoms chosen by `check_bottom` (-1: of all;
// i: of bottom i; -2: of none) and of all parameter blobs. Random numbers restart from `seed` before every Forward.
// Analytic and numeric gradient may differ by `threshold` times the larger of 1 and the gradient. Features whose
// magnitude is within `kink_range` of `kink` are not checked.
template <typename Dtype>
class GradientChecker {
 public:
  GradientChecker(Dtype stepsize, Dtype threshold, unsigned int seed = 1701, Dtype kink = 0, Dtype kink_range = -1)
      : stepsize_(stepsize), threshold_(threshold), seed_(seed), kink_(kink), kink_range_(kink_range) {}

  // SetUp, then the objective: half the sum of the squares of all top values.
  void CheckGradient(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top,
                     int check_bottom = -1) {
    layer->SetUp(bottom, top);
    CheckGradientSingle(layer, bottom, top, check_bottom, -1, -1);
  }

  // SetUp, then every top value as an objective of its own.
  void CheckGradientExhaustive(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top,
                               int check_bottom = -1) {
    layer->SetUp(bottom, top);
    ASSERT_FALSE(top.empty());
    const vector<Blob<Dtype>*> features = Features(layer, bottom, check_bottom);
    // Two Forwards a feature give its influence on all top values at once: slopes[blob][element] is a list of them.
    vector<vector<vector<Dtype>>> slopes(features.size());
    for (size_t b = 0; b < features.size(); ++b) {
      for (int i = 0; i < features[b]->count(); ++i) {
        slopes[b].push_back(Slopes(layer, bottom, top, features[b], i));
      }
    }
    size_t objective = 0;
    for (size_t t = 0; t < top.size(); ++t) {
      for (int j = 0; j < top[t]->count(); ++j, ++objective) {
        const vector<vector<Dtype>> computed = Computed(layer, bottom, top, check_bottom, static_cast<int>(t), j);
        for (size_t b = 0; b < features.size(); ++b) {
          for (int i = 0; i < features[b]->count(); ++i) {
            Compare(computed[b][i], kLossWeight * slopes[b][i][objective], features[b]->cpu_data()[i], t, j, b, i);
          }
        }
      }
    }
  }

  // The same for layers without parameters whose top value i depends on nothing but bottom values i.
  void CheckGradientEltwise(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    layer->SetUp(bottom, top);
    ASSERT_FALSE(top.empty());
    for (size_t t = 0; t < top.size(); ++t) {
      for (int j = 0; j < top[t]->count(); ++j) {
        CheckGradientSingle(layer, bottom, top, -1, static_cast<int>(t), j, true);
      }
    }
  }

  // One objective, without SetUp: top value `top_data_id` of top `top_id`, or with top_id -1 that of CheckGradient.
  void CheckGradientSingle(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top,
                           int check_bottom, int top_id, int top_data_id, bool element_wise = false) {
    const vector<Blob<Dtype>*> features = Features(layer, bottom, check_bottom);
    if (element_wise) {
      CHECK(layer->blobs().empty()) << "an elementwise layer has no parameters";
      CHECK_LE(0, top_id);
      for (const Blob<Dtype>* blob : bottom) CHECK_EQ(blob->count(), top[top_id]->count());
    }
    const vector<vector<Dtype>> computed = Computed(layer, bottom, top, check_bottom, top_id, top_data_id);
    for (size_t b = 0; b < features.size(); ++b) {
      for (int i = 0; i < features[b]->count(); ++i) {
        Dtype estimated = 0;
        if (!element_wise || i == top_data_id) {
          Dtype* feature = features[b]->mutable_cpu_data() + i;
          const Dtype value = *feature;
          *feature = value + stepsize_;
          const Dtype above = Objective(layer, bottom, top, top_id, top_data_id);
          *feature = value - stepsize_;
          const Dtype below = Objective(layer, bottom, top, top_id, top_data_id);
          *feature = value;
          estimated = (above - below) / (2 * stepsize_);
        }
        Compare(computed[b][i], estimated, features[b]->cpu_data()[i], top_id, top_data_id, b, i);
      }
    }
  }

  // Every layer of the net by itself, exhaustively.
  void CheckGradientNet(const Net<Dtype>& net, const vector<Blob<Dtype>*>& /*input*/) {
    for (size_t i = 0; i < net.layers().size(); ++i) {
      SCOPED_TRACE("layer " + net.layer_names()[i]);
      net.layers()[i]->Forward(net.bottom_vecs()[i], net.top_vecs()[i]);
      CheckGradientExhaustive(net.layers()[i].get(), net.bottom_vecs()[i], net.top_vecs()[i]);
    }
  }

 protected:
  // The objective for the present top data; its gradient goes into the diffs of the tops. A single top value counts
  // kLossWeight times, so that a layer that takes its top diff for 1 is found out.
  Dtype GetObjAndGradient(const Layer<Dtype>& /*layer*/, const vector<Blob<Dtype>*>& top, int top_id = -1,
                          int top_data_id = -1) {
    Dtype squares = 0;
    for (Blob<Dtype>* blob : top) {
      if (top_id < 0) {
        squares += blob->sumsq_data();
        caffe_copy(blob->count(), blob->cpu_data(), blob->mutable_cpu_diff());
      } else {
        caffe_set(blob->count(), Dtype(0), blob->mutable_cpu_diff());
      }
    }
    if (top_id < 0) return squares / 2;
    top[top_id]->mutable_cpu_diff()[top_data_id] = kLossWeight;
    return kLossWeight * top[top_id]->cpu_data()[top_data_id];
  }

  Dtype stepsize_;
  Dtype threshold_;
  unsigned int seed_;
  Dtype kink_;
  Dtype kink_range_;

 private:
  static constexpr Dtype kLossWeight = 2;

  static vector<Blob<Dtype>*> Features(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, int check_bottom) {
    vector<Blob<Dtype>*> features;
    for (const auto& blob : layer->blobs()) features.push_back(blob.get());
    for (size_t i = 0; i < bottom.size(); ++i) {
      if (check_bottom == -1 || check_bottom == static_cast<int>(i)) features.push_back(bottom[i]);
    }
    return features;
  }

  void Forward(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
    Caffe::set_random_seed(seed_);
    layer->Forward(bottom, top);
  }

  Dtype Objective(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top, int top_id,
                  int top_data_id) {
    Forward(layer, bottom, top);
    return GetObjAndGradient(*layer, top, top_id, top_data_id);
  }

  // Backward's gradients of all features.
  vector<vector<Dtype>> Computed(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom,
                                 const vector<Blob<Dtype>*>& top, int check_bottom, int top_id, int top_data_id) {
    vector<bool> propagate_down(bottom.size(), check_bottom == -1);
    if (check_bottom >= 0) propagate_down.at(check_bottom) = true;
    // Parameter gradients are added to what is there.
    for (const auto& blob : layer->blobs()) caffe_set(blob->count(), Dtype(0), blob->mutable_cpu_diff());
    Objective(layer, bottom, top, top_id, top_data_id);
    layer->Backward(top, propagate_down, bottom);
    vector<vector<Dtype>> gradients;
    for (const Blob<Dtype>* blob : Features(layer, bottom, check_bottom)) {
      gradients.emplace_back(blob->cpu_diff(), blob->cpu_diff() + blob->count());
    }
    return gradients;
  }

  // Central differences of all top values, one top after the other, by one feature.
  vector<Dtype> Slopes(Layer<Dtype>* layer, const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top,
                       Blob<Dtype>* blob, int element) {
    const auto top_values = [&](Dtype value) {
      blob->mutable_cpu_data()[element] = value;
      Forward(layer, bottom, top);
      vector<Dtype> values;
      for (const Blob<Dtype>* each : top)
        values.insert(values.end(), each->cpu_data(), each->cpu_data() + each->count());
      return values;
    };
    const Dtype value = blob->cpu_data()[element];
    vector<Dtype> slopes = top_values(value + stepsize_);
    const vector<Dtype> below = top_values(value - stepsize_);
    blob->mutable_cpu_data()[element] = value;
    for (size_t i = 0; i < slopes.size(); ++i) slopes[i] = (slopes[i] - below[i]) / (2 * stepsize_);
    return slopes;
  }

  void Compare(Dtype computed, Dtype estimated, Dtype feature, int top_id, int top_data_id, size_t blob, int element) {
    const Dtype magnitude = std::abs(feature);
    if (magnitude >= kink_ - kink_range_ && magnitude <= kink_ + kink_range_) return;
    const Dtype scale = std::max({std::abs(computed), std::abs(estimated), Dtype(1)});
    EXPECT_NEAR(computed, estimated, threshold_ * scale)
        << "top " << top_id << ", value " << top_data_id << "; feature " << element << " of blob " << blob
        << " (parameters first) is " << feature;
  }
};

}  // namespace caffe
