// The first public form of layers, made the second.
#pragma once

#include <google/protobuf/repeated_field.h>

#include "caffe/proto/caffe.pb.h"

namespace caffe {

// Layers that carry a V0LayerParameter become V1 layers; padding layers become the pad of the convolution or pooling
// that reads them. Throws Error for a type or a field that has no successor.
google::protobuf::RepeatedPtrField<V1LayerParameter> UpgradeV0Layers(
    const google::protobuf::RepeatedPtrField<V1LayerParameter>& layers);

}  // namespace caffe
