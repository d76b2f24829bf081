"""caffe.draw: the graph of a network."""

import os

import pytest
from google.protobuf import text_format

import caffe
import caffe.draw
from caffe.proto.caffe_pb2 import NetParameter

pydot = pytest.importorskip("pydot")

NET = """
name: "a \\"net\\""
layer { name: "data" type: "Data" top: "data" top: "label" data_param { batch_size: 32 } include { phase: TRAIN } }
layer { name: "in" type: "Input" top: "data" exclude { phase: TRAIN } }
layer { name: "conv:1" type: "Convolution" bottom: "data" top: "conv" param { lr_mult: 3 }
        convolution_param { num_output: 7 kernel_h: 3 kernel_w: 5 stride: 2 dilation: 2 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: AVE kernel_size: 3 pad: 1 } }
layer { name: "all" type: "Pooling" bottom: "pool" top: "all" pooling_param { global_pooling: true } }
layer { name: "ip" type: "CrossbarInnerProduct" bottom: "all" top: "ip" inner_product_param { num_output: 9 }
        crossbar_param { rows: 128 } }
"""


@pytest.fixture
def net():
    return text_format.Parse(NET, NetParameter())


def labels(graph):
    return {node.get_name().strip('"'): node.get_label().strip('"') for node in graph.get_nodes()}


def test_layers_and_blobs_are_nodes(net):
    graph = caffe.draw.get_pydot_graph(net, "LR")
    boxes = labels(graph)
    assert boxes["layer 2 conv:1"] == r"conv:1\n(Convolution)\nkernel size: 3x5\nstride: 2\npad: 0\ndilation: 2"
    assert boxes["layer 4 pool"] == r"pool\n(AVE Pooling)\nkernel size: 3\nstride: 1\npad: 1"
    assert boxes["layer 5 all"] == r"all\n(MAX Pooling)\nglobal"
    assert boxes["layer 6 ip"] == r"ip\n(CrossbarInnerProduct)\narrays: 128x64"
    assert boxes["blob conv"] == "conv"
    assert len(boxes) == 7 + 6


def test_edges_follow_the_data(net):
    edges = {
        (edge.get_source().strip('"'), edge.get_destination().strip('"')): (edge.get_label() or "").strip('"')
        for edge in caffe.draw.get_pydot_graph(net, "LR").get_edges()
    }
    assert edges["layer 0 data", "blob label"] == "Batch 32"
    assert edges["layer 2 conv:1", "blob conv"] == "7"
    assert edges["layer 6 ip", "blob ip"] == "9"
    assert ("blob conv", "layer 3 relu") in edges
    assert ("layer 3 relu", "blob conv") in edges
    quiet = caffe.draw.get_pydot_graph(net, "LR", label_edges=False)
    assert not any((edge.get_label() or "").strip('"') for edge in quiet.get_edges())


def test_phases_choose_layers(net):
    train = labels(caffe.draw.get_pydot_graph(net, "LR", phase=caffe.TRAIN))
    test = labels(caffe.draw.get_pydot_graph(net, "LR", phase=caffe.TEST))
    assert "layer 0 data" in train
    assert "layer 1 in" not in train
    assert "layer 0 data" not in test
    assert "layer 1 in" in test


def test_labels_fit_the_direction_and_show_learning_rates(net):
    conv = net.layer[2]
    label = caffe.draw.get_layer_label(conv, "TB", display_lrm=True)
    assert "\n" not in label
    assert "lr mult: 3.0" in label
    assert caffe.draw.get_layer_lr_mult(net.layer[6]) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pydot's parser
def test_files_have_the_format_of_their_ending(net, tmp_path):
    path = tmp_path / "net.dot"
    caffe.draw.draw_net_to_file(net, path, rankdir="TB")
    text = path.read_text()
    assert "rankdir=TB" in text
    (again,) = pydot.graph_from_dot_data(text)
    assert len(again.get_edges()) == len(caffe.draw.get_pydot_graph(net, "TB").get_edges())
    with pytest.raises(ValueError, match="no ending"):
        caffe.draw.draw_net_to_file(net, tmp_path / "net")


def test_pictures_are_graphvizs(net, tmp_path, monkeypatch):
    dot = tmp_path / "dot"
    dot.write_text('#!/bin/sh\necho "picture: $1"; cat "$2"\n')  # says what it was asked
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    caffe.draw.draw_net_to_file(net, tmp_path / "net.svg")
    text = (tmp_path / "net.svg").read_text()
    assert text.startswith("picture: -Tsvg\ndigraph")
    assert "conv:1" in text


def test_without_graphviz_there_is_one_message(net, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="needs Graphviz"):
        caffe.draw.draw_net_to_file(net, tmp_path / "net.png")
    assert not (tmp_path / "net.png").exists()
