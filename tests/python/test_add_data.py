"""rxnn add-data: a deploy network becomes one that can be scored."""

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import rxnn
from caffe.proto.caffe_pb2 import NetParameter

DEPLOY = """
input: "data" input_dim: 1 input_dim: 1 input_dim: 6 input_dim: 6
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
        inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""


@pytest.fixture
def deploy(tmp_path):
    path = tmp_path / "deploy.prototxt"
    path.write_text(DEPLOY)
    return path


def test_scores_are_those_of_the_deploy_network(lenet, deploy, tmp_path):
    digits = lenet[0].parent  # 8 x 8 images and their list
    weights = tmp_path / "w.caffemodel"
    plain = caffe.Net(deploy, caffe.TEST)
    plain.save(weights)
    out = tmp_path / "scored.prototxt"
    rxnn.add_data(deploy, digits / "list.txt", out, mean=[100], scale=0.01, batch_size=20, top_k=[1, 3])
    net = caffe.Net(out, caffe.TEST, weights=weights)
    scores = net.forward()
    images, labels = net.blobs["data"].data, net.blobs["label"].data.astype(int)
    assert images.shape == (20, 1, 6, 6)
    assert images.max() <= (255 - 100) * 0.01 + 1e-6
    plain.blobs["data"].reshape(*images.shape)
    prob = plain.forward(data=images)["prob"]
    logits = plain.blobs["fc"].data
    rank = (logits > logits[np.arange(20), labels][:, None]).sum(axis=1)
    assert float(scores["top1"]) == pytest.approx((rank < 1).mean())
    assert float(scores["top3"]) == pytest.approx((rank < 3).mean())
    assert float(scores["loss"]) == pytest.approx(-np.log(prob[np.arange(20), labels]).mean(), rel=1e-4)


def test_the_deploy_file_is_left_and_the_result_holds_what_was_asked_for(deploy, tmp_path, run_rxnn):
    (tmp_path / "list.txt").write_text("a.png 1\n")
    out = tmp_path / "o.prototxt"
    options = ("--root", "images", "--mean", "1,2,3", "--crop", "4", "--batch-size", "7", "--top-k", "5")
    status, _, err = run_rxnn(
        "add-data", "--model", deploy, "--source", tmp_path / "list.txt", *options, "--out-model", out
    )
    assert status == 0, err
    assert deploy.read_text() == DEPLOY
    net = text_format.Parse(out.read_text(), NetParameter())
    assert [layer.type for layer in net.layer] == ["ImageData", "InnerProduct", "SoftmaxWithLoss", "Accuracy"]
    data = net.layer[0]
    assert (data.image_data_param.root_folder, data.image_data_param.batch_size) == ("images/", 7)
    assert (list(data.transform_param.mean_value), data.transform_param.crop_size) == ([1, 2, 3], 4)
    assert net.layer[3].accuracy_param.top_k == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text, "source: File not found"),
        (lambda text: text[text.index("layer") :].replace('bottom: "data"', 'bottom: "fc"', 1), "Input layers: none"),
        (
            lambda text: text.replace("input_dim: 1 input_dim: 1 input_dim: 6 input_dim: 6", "input_shape { dim: 4 }"),
            "must be (batch, channels, height, width)",
        ),
    ],
)
def test_bad_input_is_one_message(deploy, tmp_path, fails, change, message):
    deploy.write_text(change(DEPLOY))
    error = fails(
        "add-data", "--model", deploy, "--source", tmp_path / "none.txt", "--out-model", tmp_path / "o.prototxt"
    )
    assert message in error
    assert not (tmp_path / "o.prototxt").exists()


def test_numbers_that_are_none(deploy, tmp_path, fails):
    assert "--mean 'grey'" in fails(
        "add-data", "--model", deploy, "--source", "x", "--mean", "grey", "--out-model", tmp_path / "o.prototxt"
    )
