#include "caffe/util/insert_splits.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {
namespace {

using TopIndex = pair<int, int>;  // layer, top

// Who reads each top.
struct Readers {
  map<TopIndex, int> count;
  map<TopIndex, TopIndex> source_of_bottom;  // (layer, bottom) -> the top it reads
};

float LossWeight(const LayerParameter& layer, int top) {
  return top < layer.loss_weight_size() ? layer.loss_weight(top) : 0;
}

[[noreturn]] void ThrowUnknownBottom(const LayerParameter& layer, const string& bottom,
                                     const map<string, TopIndex>& known) {
  ostringstream message;
  message << "Unknown bottom blob '" << bottom << "' (layer '" << layer.name()
          << "'): no layer before it makes this blob; there are";
  for (const auto& entry : known) message << " '" << entry.first << "'";
  if (known.empty()) message << " none";
  throw Error(message.str());
}

Readers FindReaders(const NetParameter& param) {
  Readers readers;
  map<string, TopIndex> last_maker;  // an in-place layer makes its blob anew
  for (int i = 0; i < param.layer_size(); ++i) {
    const LayerParameter& layer = param.layer(i);
    for (int j = 0; j < layer.bottom_size(); ++j) {
      const auto maker = last_maker.find(layer.bottom(j));
      if (maker == last_maker.end()) ThrowUnknownBottom(layer, layer.bottom(j), last_maker);
      readers.source_of_bottom[{i, j}] = maker->second;
      ++readers.count[maker->second];
    }
    for (int j = 0; j < layer.top_size(); ++j) last_maker[layer.top(j)] = {i, j};
  }
  // A loss reads a top once more, since its gradient starts there.
  for (auto& [top, count] : readers.count) {
    if (LossWeight(param.layer(top.first), top.second) != 0) ++count;
  }
  return readers;
}

// Takes the loss weight from a top whose first copy has it now. An empty list is the same as one of zeros, except that
// a loss gives its first top the weight 1.
void ClearLossWeight(LayerParameter* layer, int top) {
  layer->set_loss_weight(top, 0);
  const auto& weights = layer->loss_weight();
  const bool none = std::all_of(weights.begin(), weights.end(), [](float weight) { return weight == 0; });
  if (none && layer->type().find("Loss") == string::npos) layer->clear_loss_weight();
}

}  // namespace

void InsertSplits(const NetParameter& param, NetParameter* split) {
  const Readers readers = FindReaders(param);
  const auto count_of = [&](const TopIndex& top) {
    const auto found = readers.count.find(top);
    return found == readers.count.end() ? 0 : found->second;
  };
  map<TopIndex, int> next_copy;
  NetParameter result = param;
  result.clear_layer();
  for (int i = 0; i < param.layer_size(); ++i) {
    LayerParameter layer = param.layer(i);
    for (int j = 0; j < layer.bottom_size(); ++j) {
      const TopIndex source = readers.source_of_bottom.at({i, j});
      if (count_of(source) <= 1) continue;
      const LayerParameter& maker = param.layer(source.first);
      const int first = LossWeight(maker, source.second) != 0 ? 1 : 0;
      layer.set_bottom(j, SplitBlobName(maker.name(), layer.bottom(j), source.second, first + next_copy[source]++));
    }
    const int position = result.layer_size();
    *result.add_layer() = layer;
    for (int j = 0; j < layer.top_size(); ++j) {
      if (count_of({i, j}) <= 1) continue;
      const float loss_weight = LossWeight(layer, j);
      ConfigureSplitLayer(layer.name(), layer.top(j), j, count_of({i, j}), loss_weight, result.add_layer());
      if (loss_weight != 0) ClearLossWeight(result.mutable_layer(position), j);
    }
  }
  *split = std::move(result);
}

void ConfigureSplitLayer(const std::string& layer_name, const std::string& blob_name, int blob_idx, int split_count,
                         float loss_weight, LayerParameter* split_layer_param) {
  split_layer_param->Clear();
  split_layer_param->set_name(SplitLayerName(layer_name, blob_name, blob_idx));
  split_layer_param->set_type("Split");
  split_layer_param->add_bottom(blob_name);
  for (int k = 0; k < split_count; ++k) {
    split_layer_param->add_top(SplitBlobName(layer_name, blob_name, blob_idx, k));
    if (loss_weight != 0) split_layer_param->add_loss_weight(k == 0 ? loss_weight : 0);
  }
}

std::string SplitLayerName(const std::string& layer_name, const std::string& blob_name, int blob_idx) {
  return blob_name + "_" + layer_name + "_" + std::to_string(blob_idx) + "_split";
}

std::string SplitBlobName(const std::string& layer_name, const std::string& blob_name, int blob_idx, int split_idx) {
  return SplitLayerName(layer_name, blob_name, blob_idx) + "_" + std::to_string(split_idx);
}

}  // namespace caffe
