// A blob that several layers read gets a Split layer, so that each reader has a gradient of its own.
#pragma once

#include <string>

#include "caffe/proto/caffe.pb.h"

namespace caffe {

// `split` receives `param` with Split layers after every top that is read more than once (a loss weight counts as a
// reader). Throws Error for a bottom that no layer makes, naming layer, bottom and the blobs there are.
void InsertSplits(const NetParameter& param, NetParameter* split);

// Makes `split_layer_param` the Split layer of one top with `split_count` copies. A loss weight moves from the top to
// the first copy, which nobody else reads.
void ConfigureSplitLayer(const std::string& layer_name, const std::string& blob_name, int blob_idx, int split_count,
                         float loss_weight, LayerParameter* split_layer_param);

// "<blob>_<layer>_<index>_split" and "<blob>_<layer>_<index>_split_<split_index>".
std::string SplitLayerName(const std::string& layer_name, const std::string& blob_name, int blob_idx);
std::string SplitBlobName(const std::string& layer_name, const std::string& blob_name, int blob_idx, int split_idx);

}  // namespace caffe
