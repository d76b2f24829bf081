// Old files made new: every form of network and solver file that Caffe 1.0 reads becomes the current one.
#pragma once

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// Read (see util/io.hpp for errors) and upgrade; `param_file` names the file in messages and in the log.
void ReadNetParamsFromTextFileOrDie(const string& param_file, NetParameter* param);
void ReadNetParamsFromBinaryFileOrDie(const string& param_file, NetParameter* param);
void ReadSolverParamsFromTextFileOrDie(const string& param_file, SolverParameter* param);

bool NetNeedsUpgrade(const NetParameter& param);
// All steps in order: V0 layers, data transformation fields, V1 layers, input fields, batch norm multipliers. Throws
// Error for what has no current form. Returns whether all of it was upgraded.
bool UpgradeNetAsNeeded(const string& param_file, NetParameter* param);

bool NetNeedsV0ToV1Upgrade(const NetParameter& param);
bool UpgradeV0Net(const NetParameter& v0, NetParameter* v1);
// Its parts: padding layers become the pad of the layers that read them; one layer; the name of a type.
void UpgradeV0PaddingLayers(const NetParameter& param, NetParameter* param_upgraded_pad);
bool UpgradeV0LayerParameter(const V1LayerParameter& v0_layer_connection, V1LayerParameter* layer_param);
V1LayerParameter_LayerType UpgradeV0LayerType(const string& type);
bool NetNeedsDataUpgrade(const NetParameter& param);
void UpgradeNetDataTransformation(NetParameter* param);
bool NetNeedsV1ToV2Upgrade(const NetParameter& param);
bool UpgradeV1Net(const NetParameter& v1, NetParameter* v2);
// Its parts: one layer; the name of a type ("" for NONE).
bool UpgradeV1LayerParameter(const V1LayerParameter& v1, LayerParameter* layer_param);
const char* UpgradeV1LayerType(V1LayerParameter_LayerType type);
bool NetNeedsInputUpgrade(const NetParameter& param);
void UpgradeNetInput(NetParameter* param);
bool NetNeedsBatchNormUpgrade(const NetParameter& param);
void UpgradeNetBatchNorm(NetParameter* param);

bool SolverNeedsTypeUpgrade(const SolverParameter& param);
bool UpgradeSolverType(SolverParameter* param);
bool UpgradeSolverAsNeeded(const string& param_file, SolverParameter* param);
// Without a snapshot_prefix, snapshots go beside the solver file, under its name; a directory as prefix becomes that
// name in it.
void UpgradeSnapshotPrefixProperty(const string& param_file, SolverParameter* param);

}  // namespace caffe
