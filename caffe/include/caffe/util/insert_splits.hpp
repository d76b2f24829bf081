// A blob that several layers read gets a Split layer, so that each reader has a gradient of its own.
#pragma once

#include <string>

#include "caffe/proto/caffe.pb.h"

namespace caffe {

// `split` receives `param` with Split layers after every top that is read more than once (a loss weight counts as a
// reader). Throws Error for a bottom that no layer makes, naming layer, bottom and the blobs there are.
void InsertSplits(const NetParameter& param, NetParameter* split);

// "<blob>_<layer>_<index>_split" and "<blob>_<layer>_<index>_split_<split_index>".
std::string SplitLayerName(const std::string& layer_name, const std::string& blob_name, int blob_idx);
std::string SplitBlobName(const std::string& layer_name, const std::string& blob_name, int blob_idx, int split_idx);

}  // namespace caffe
