// What the `caffe` command does; one source file each. All throw caffe::Error for what a user can get wrong.
#pragma once

#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe::tools {

// Where a network comes from and which of its layers take part.
struct NetOptions {
  string model;  // prototxt
  int level = 0;
  vector<string> stages;
};

// Scores a network in TEST phase: every scalar output of every batch, then the means.
struct TestOptions {
  NetOptions net;
  string weights;  // one .caffemodel or .h5
  int iterations = 50;
  vector<int> gpus = {};  // none: the CPU; several share the batches
};
void Test(const TestOptions& options);

// Times every layer, forward and backward; a network with a layer that has no gradient, forward alone. Input layers,
// which nobody fills here, hold random numbers, but for labels: crossbars have less to do for zeros.
struct TimeOptions {
  NetOptions net;
  Phase phase = TRAIN;
  string weights;  // one .caffemodel or .h5; empty: as filled
  int iterations = 50;
};
void Time(const TimeOptions& options);

// Trains: from filled weights, from those of another network, or on from a snapshot.
struct TrainOptions {
  string solver;  // prototxt
  int level = 0;
  vector<string> stages;
  string snapshot;                // .solverstate or .solverstate.h5; excludes weights
  vector<string> weights;         // .caffemodel or .h5, later ones over earlier ones
  string sigint_effect = "stop";  // stop, snapshot or none
  string sighup_effect = "snapshot";
  vector<int> gpus = {};  // none: as the solver says; several form the gradients of a batch each
};
void Train(const TrainOptions& options);

// Says what there is to compute on.
void DeviceQuery(const string& gpu);

// The mode for --gpu: the ids of GPUs, separated by commas, or "all"; empty is the CPU. This thread works on the first
// of those returned.
vector<int> UseDevices(const string& gpu);
// The same for what one device does.
void UseDevice(const string& gpu);

}  // namespace caffe::tools
