#include "caffe/util/unrolled_net.hpp"

namespace caffe {

UnrolledNetWriter::UnrolledNetWriter(const RecurrentParameter& params, int gates, NetParameter* net)
    : params_(params), net_(net) {
  const auto max_outputs = static_cast<unsigned>(std::sqrt(INT_MAX / gates));
  CAFFE_REQUIRE(params.num_output() > 0 && params.num_output() <= max_outputs)
      << "recurrent_param: num_output is " << params.num_output() << ", expected 1 to " << max_outputs;
}

LayerParameter* UnrolledNetWriter::Add(const string& type, const vector<string>& bottoms, const string& top,
                                       const vector<bool>& propagate_down) {
  LayerParameter* layer = net_->add_layer();
  layer->set_name(top);
  layer->set_type(type);
  for (const string& bottom : bottoms) {
    layer->add_bottom(bottom);
  }
  layer->add_top(top);
  for (const bool propagate : propagate_down) {
    layer->add_propagate_down(propagate);
  }
  return layer;
}

void UnrolledNetWriter::AddInput(const string& name, const BlobShape& shape) {
  *Add("Input", {}, name)->mutable_input_param()->add_shape() = shape;
}

LayerParameter* UnrolledNetWriter::AddProduct(const string& bottom, const string& top, int axis, int outputs,
                                              const string& weights, const string& bias) {
  LayerParameter* layer = Add("InnerProduct", {bottom}, top, {true});
  layer->add_param()->set_name(weights);
  InnerProductParameter* product = layer->mutable_inner_product_param();
  product->set_num_output(outputs);
  product->set_axis(axis);
  product->set_bias_term(!bias.empty());
  *product->mutable_weight_filler() = params_.weight_filler();
  if (!bias.empty()) {
    layer->add_param()->set_name(bias);
    *product->mutable_bias_filler() = params_.bias_filler();
  }
  return layer;
}

void UnrolledNetWriter::AddSlice(const string& blob, int steps) {
  LayerParameter* slice = Add("Slice", {blob}, Step(blob, 1));
  slice->set_name(blob + "_slice");
  slice->mutable_slice_param()->set_axis(0);
  for (int t = 2; t <= steps; ++t) {
    slice->add_top(Step(blob, t));
  }
}

void UnrolledNetWriter::AddConcat(const string& blob, int steps) {
  LayerParameter* concat = Add("Concat", {}, blob);
  concat->set_name(blob + "_concat");
  concat->mutable_concat_param()->set_axis(0);
  for (int t = 1; t <= steps; ++t) {
    concat->add_bottom(Step(blob, t));
  }
}

void UnrolledNetWriter::AddInputProducts(const string& sum, int steps, bool static_input, int outputs,
                                         const string& weights, const string& bias) {
  const string from_x = sum + "_x", from_static = sum + "_x_static";
  AddProduct("x", from_x, 2, outputs, weights, bias);
  if (static_input) {
    AddProduct("x_static", from_static + "_flat", 1, outputs, weights + "_static", "");
    BlobShape* shape = Add("Reshape", {from_static + "_flat"}, from_static)->mutable_reshape_param()->mutable_shape();
    shape->add_dim(1);
    shape->add_dim(-1);
    shape->add_dim(outputs);
  }
  AddSlice(from_x, steps);
}

void UnrolledNetWriter::AddStepSum(const string& sum, int step, bool static_input, const string& hidden,
                                   const string& top) {
  LayerParameter* add = Add("Eltwise", {hidden, Step(sum + "_x", step)}, top);
  if (static_input) {
    add->add_bottom(sum + "_x_static");
  }
}

string UnrolledNetWriter::AddContinued(const string& state, int step) {
  const string top = Step(state + "_conted", step - 1);
  Add("Scale", {Step(state, step - 1), Step("cont", step)}, top, {true, false})->mutable_scale_param()->set_axis(0);
  return top;
}

BlobShape StateShape(int streams, int values) {
  BlobShape shape;
  shape.add_dim(1);
  shape.add_dim(streams);
  shape.add_dim(values);
  return shape;
}

}  // namespace caffe
