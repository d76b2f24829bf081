#include "caffe/layers/recurrent_layer.hpp"

#include "caffe/util/math_functions.hpp"

namespace caffe {
namespace {

template <typename Dtype>
BlobShape ShapeMessage(const Blob<Dtype>& blob) {
  BlobShape shape;
  for (const int dim : blob.shape()) {
    shape.add_dim(dim);
  }
  return shape;
}

void AddInput(const string& name, const BlobShape& shape, LayerParameter* input) {
  input->add_top(name);
  *input->mutable_input_param()->add_shape() = shape;
}

// Layers of one bottom and one top, named like the top.
LayerParameter* AddLayer(const string& type, const string& bottom, const string& top, NetParameter* net) {
  LayerParameter* layer = net->add_layer();
  layer->set_name(top);
  layer->set_type(type);
  layer->add_bottom(bottom);
  layer->add_top(top);
  return layer;
}

template <typename Dtype>
Blob<Dtype>* BlobOf(const Net<Dtype>& net, const string& name) {
  CHECK(net.has_blob(name)) << "the unrolled network has no blob " << name;
  return net.blob_by_name(name).get();
}

string Exposed(const string& name) { return name + "_exposed"; }

}  // namespace

template <typename Dtype>
int RecurrentLayer<Dtype>::ExposedBlobs() const {
  if (!this->layer_param_.recurrent_param().expose_hidden()) {
    return 0;
  }
  vector<string> names;
  RecurrentInputBlobNames(&names);
  return static_cast<int>(names.size());
}

template <typename Dtype>
void RecurrentLayer<Dtype>::RequireStreams(const vector<Blob<Dtype>*>& bottom) const {
  const Blob<Dtype>& x = *bottom[0];
  CAFFE_REQUIRE(x.num_axes() >= 2) << "bottom of shape " << x.shape_string()
                                   << ", expected two axes at least (steps, streams)";
  CAFFE_REQUIRE(bottom[1]->shape() == (vector<int>{x.shape(0), x.shape(1)}))
      << "continuation indicators of shape " << bottom[1]->shape_string() << ", expected " << x.shape(0) << "x"
      << x.shape(1);
  CAFFE_REQUIRE(!static_input_ || (bottom[2]->num_axes() > 0 && bottom[2]->shape(0) == x.shape(1)))
      << "static input of shape " << bottom[2]->shape_string() << " for " << x.shape(1) << " streams";
}

template <typename Dtype>
NetParameter RecurrentLayer<Dtype>::UnrolledNet(const vector<Blob<Dtype>*>& bottom) const {
  NetParameter net;
  net.mutable_state()->set_phase(this->phase_);
  LayerParameter* input = net.add_layer();
  input->set_name("input");
  input->set_type("Input");
  AddInput("x", ShapeMessage(*bottom[0]), input);
  AddInput("cont", ShapeMessage(*bottom[1]), input);
  if (static_input_) {
    AddInput("x_static", ShapeMessage(*bottom[2]), input);
  }
  FillUnrolledNet(&net);

  // Net goes backward from losses alone: every output gets one, which never runs. An exposed state is copied first, so
  // that the gradient from outside has a place beside that of the steps.
  vector<string> ends, states;
  OutputBlobNames(&ends);
  if (expose_hidden_) {
    RecurrentOutputBlobNames(&states);
    for (const string& name : states) {
      AddLayer("Split", name, Exposed(name), &net);
      ends.push_back(Exposed(name));
    }
  }
  for (const string& name : ends) {
    AddLayer("Reduction", name, name + "_pseudoloss", &net)->add_loss_weight(1);
  }
  for (LayerParameter& layer : *net.mutable_layer()) {
    if (!this->layer_param_.name().empty()) {
      layer.set_name(this->layer_param_.name() + "_" + layer.name());
    }
  }
  return net;
}

template <typename Dtype>
void RecurrentLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  expose_hidden_ = this->layer_param_.recurrent_param().expose_hidden();
  static_input_ = static_cast<int>(bottom.size()) > 2 + ExposedBlobs();
  RequireStreams(bottom);
  T_ = bottom[0]->shape(0);
  N_ = bottom[0]->shape(1);
  // Each step is a set of layers, 40 KB of them.
  constexpr int kMaxSteps = 10000;
  CAFFE_REQUIRE(T_ > 0 && T_ <= kMaxSteps)
      << "bottom of shape " << bottom[0]->shape_string() << " has " << T_ << " steps, expected 1 to " << kMaxSteps;

  const NetParameter net_param = UnrolledNet(bottom);
  unrolled_net_ = std::make_shared<Net<Dtype>>(net_param);
  unrolled_net_->set_debug_info(this->layer_param_.recurrent_param().debug_info());
  const Net<Dtype>& net = *unrolled_net_;

  x_input_blob_ = BlobOf(net, "x");
  cont_input_blob_ = BlobOf(net, "cont");
  x_static_input_blob_ = static_input_ ? BlobOf(net, "x_static") : nullptr;
  vector<string> input_names, output_names, top_names;
  RecurrentInputBlobNames(&input_names);
  RecurrentOutputBlobNames(&output_names);
  OutputBlobNames(&top_names);
  CHECK_EQ(input_names.size(), output_names.size());
  recur_input_blobs_.clear();
  recur_output_blobs_.clear();
  output_blobs_.clear();
  exposed_blobs_.clear();
  for (size_t i = 0; i < input_names.size(); ++i) {
    recur_input_blobs_.push_back(BlobOf(net, input_names[i]));
    recur_output_blobs_.push_back(BlobOf(net, output_names[i]));
    if (expose_hidden_) {
      exposed_blobs_.push_back(BlobOf(net, Exposed(output_names[i])));
    }
  }
  for (const string& name : top_names) {
    output_blobs_.push_back(BlobOf(net, name));
  }
  last_layer_index_ =
      static_cast<int>(net.layers().size() - output_blobs_.size() - (expose_hidden_ ? exposed_blobs_.size() : 0)) - 1;
  TakeParametersOfNet();
}

template <typename Dtype>
void RecurrentLayer<Dtype>::TakeParametersOfNet() {
  const vector<shared_ptr<Blob<Dtype>>> given = this->blobs_;
  this->blobs_.clear();
  for (size_t i = 0; i < unrolled_net_->params().size(); ++i) {
    if (unrolled_net_->param_owners()[i] < 0) {
      this->blobs_.push_back(unrolled_net_->params()[i]);
    }
  }
  CAFFE_REQUIRE(given.empty() || given.size() == this->blobs_.size())
      << "has " << given.size() << " parameter blobs, expected " << this->blobs_.size();
  for (size_t i = 0; i < given.size(); ++i) {
    CAFFE_REQUIRE(given[i]->shape() == this->blobs_[i]->shape())
        << "parameter " << i << " of shape " << given[i]->shape_string() << ", expected "
        << this->blobs_[i]->shape_string();
    this->blobs_[i]->CopyFrom(*given[i]);
  }
  this->param_propagate_down_.assign(this->blobs_.size(), true);
}

template <typename Dtype>
void RecurrentLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  RequireStreams(bottom);
  CAFFE_REQUIRE(bottom[0]->shape(0) == T_)
      << "bottom of shape " << bottom[0]->shape_string() << ", the layer was set up for " << T_ << " steps";
  N_ = bottom[0]->shape(1);
  x_input_blob_->ReshapeLike(*bottom[0]);
  cont_input_blob_->ReshapeLike(*bottom[1]);
  if (static_input_) {
    x_static_input_blob_->ReshapeLike(*bottom[2]);
  }
  vector<BlobShape> state_shapes;
  RecurrentInputShapes(&state_shapes);
  CHECK_EQ(state_shapes.size(), recur_input_blobs_.size());
  for (size_t i = 0; i < state_shapes.size(); ++i) {
    recur_input_blobs_[i]->Reshape(state_shapes[i]);
  }
  unrolled_net_->Reshape();

  // Bottoms and tops are blobs of the unrolled network.
  x_input_blob_->ShareData(*bottom[0]);
  x_input_blob_->ShareDiff(*bottom[0]);
  cont_input_blob_->ShareData(*bottom[1]);
  if (static_input_) {
    x_static_input_blob_->ShareData(*bottom[2]);
    x_static_input_blob_->ShareDiff(*bottom[2]);
  }
  for (size_t i = 0; i < output_blobs_.size(); ++i) {
    top[i]->ReshapeLike(*output_blobs_[i]);
    top[i]->ShareData(*output_blobs_[i]);
    top[i]->ShareDiff(*output_blobs_[i]);
  }
  for (size_t i = 0; i < exposed_blobs_.size(); ++i) {
    const Blob<Dtype>& before = *bottom[FirstExposedBottom() + i];
    CAFFE_REQUIRE(before.count() == recur_input_blobs_[i]->count())
        << "state of shape " << before.shape_string() << ", expected " << recur_input_blobs_[i]->shape_string();
    recur_input_blobs_[i]->ShareData(before);
    recur_input_blobs_[i]->ShareDiff(before);
    Blob<Dtype>& behind = *top[FirstExposedTop() + i];
    behind.ReshapeLike(*exposed_blobs_[i]);
    behind.ShareDiff(*exposed_blobs_[i]);
  }
}

template <typename Dtype>
void RecurrentLayer<Dtype>::Reset() {
  for (Blob<Dtype>* blob : recur_output_blobs_) {
    caffe_set(blob->count(), Dtype(0), blob->mutable_cpu_data());
  }
}

template <typename Dtype>
void RecurrentLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  // An owner of parameters may have been given other memory, by a solver's test network or by weight sharing.
  unrolled_net_->ShareWeights();
  if (!expose_hidden_) {
    for (size_t i = 0; i < recur_input_blobs_.size(); ++i) {
      recur_input_blobs_[i]->CopyFrom(*recur_output_blobs_[i]);
    }
  }
  unrolled_net_->ForwardTo(last_layer_index_);
  for (size_t i = 0; i < exposed_blobs_.size(); ++i) {
    top[FirstExposedTop() + i]->ShareData(*exposed_blobs_[i]);
  }
}

// Inputs and parameters get their gradients alike, whichever were asked for: Net would not have come here for neither.
template <typename Dtype>
void RecurrentLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[1]) << this->type() << " has no gradient by its continuation indicators";
  // A network that does not reach back to its first state gives it no gradient.
  for (size_t i = 0; i < exposed_blobs_.size(); ++i) {
    caffe_set(recur_input_blobs_[i]->count(), Dtype(0), recur_input_blobs_[i]->mutable_cpu_diff());
  }
  unrolled_net_->BackwardFrom(last_layer_index_);
}

INSTANTIATE_CLASS(RecurrentLayer);

}  // namespace caffe
