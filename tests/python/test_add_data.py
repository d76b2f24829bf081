"""rxnn add-data: a deploy network becomes one that can be scored."""

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
import caffe_command
import rxnn
from caffe.proto.caffe_pb2 import NetParameter

DEPLOY = """
input: "data" input_dim: 1 input_dim: 1 input_dim: 6 input_dim: 6
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
        inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
# Takes inputs of any size: its weights are those of the channels.
ANY_SIZE = """
input: "data" input_dim: 1 input_dim: 3 input_dim: 6 input_dim: 6
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE global_pooling: true } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 10 } }
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
    deploy.write_text(ANY_SIZE)
    (tmp_path / "list.txt").write_text("a.png 1\n")
    out = tmp_path / "o.prototxt"
    options = ("--root", "images", "--mean", "1,2,3", "--crop", "4", "--batch-size", "7", "--top-k", "5")
    status, _, err = run_rxnn(
        "add-data", "--model", deploy, "--source", tmp_path / "list.txt", *options, "--out-model", out
    )
    assert status == 0, err
    assert deploy.read_text() == ANY_SIZE
    net = text_format.Parse(out.read_text(), NetParameter())
    data, *_, accuracy = net.layer
    types = ["ImageData", "Pooling", "InnerProduct", "SoftmaxWithLoss", "Accuracy"]
    assert [layer.type for layer in net.layer] == types
    assert (data.image_data_param.root_folder, data.image_data_param.batch_size) == ("images/", 7)
    assert (list(data.transform_param.mean_value), data.transform_param.crop_size) == ([1, 2, 3], 4)
    assert accuracy.accuracy_param.top_k == 5


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mean", "104,117"], "--mean: 2 values, expected one, or one for each of the 3 channels"),
        (["--mean", "1,nan,3"], "--mean nan: expected a finite number"),
        (["--mean", "1", "--mean-file", "mean.binaryproto"], "--mean and --mean-file exclude each other"),
        (["--mean-file", "none.binaryproto"], "mean file: File not found: none.binaryproto"),
        (["--scale", "inf"], "--scale inf: expected a finite number"),
        (["--scale", "1e39"], "--scale 1e+39: expected a finite number"),  # of a float32
        (["--scale", "0"], "--scale 0: "),
        (["--crop", "0"], "--crop 0: expected 1 to"),
        (["--crop", "-5"], "--crop -5: expected 1 to"),
        (["--batch-size", "0"], "--batch-size 0: expected 1 to"),
        (["--batch-size", "-5"], "--batch-size -5: expected 1 to"),
        (["--top-k", "1,0"], "--top-k 0: expected 1 to"),
        (["--top-k", "5,1,5"], "--top-k 5,1,5: a number is given twice"),
        (["--source", "."], "--source .: the folder is no database"),
        (["--out-model", "nowhere/o.prototxt"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_run_is_refused(deploy, tmp_path, refused, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    deploy.write_text(ANY_SIZE)
    (tmp_path / "list.txt").write_text("a.png 1\n")
    given = {"--source": "list.txt", "--out-model": "o.prototxt", **dict(zip(options[::2], options[1::2], strict=True))}
    assert message in refused("add-data", "--model", deploy, *(part for pair in given.items() for part in pair))
    assert not (tmp_path / "o.prototxt").exists()


@pytest.mark.parametrize("crop", [4, 9])
def test_a_crop_that_the_weights_do_not_fit_is_refused(deploy, tmp_path, crop):
    (tmp_path / "list.txt").write_text("a.png 1\n")
    with pytest.raises(rxnn.Error, match=f"--crop {crop}: the weights of layer 'fc' .* 6 x 6"):
        rxnn.add_data(deploy, tmp_path / "list.txt", tmp_path / "o.prototxt", crop=crop)
    assert not (tmp_path / "o.prototxt").exists()
    pool = 'layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { kernel_size: 6 } }'
    text = DEPLOY.replace('bottom: "data"', 'bottom: "pool"')
    deploy.write_text(text.replace('layer { name: "fc"', pool + 'layer { name: "fc"'))
    with pytest.raises(rxnn.Error, match=f"--crop {crop}: "):
        rxnn.add_data(deploy, tmp_path / "list.txt", tmp_path / "o.prototxt", crop=crop)
    rxnn.add_data(deploy, tmp_path / "list.txt", tmp_path / "o.prototxt", crop=6)


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_databases_of_both_kinds_are_read(lenet, deploy, tmp_path, backend):
    if not (caffe_command.BIN / "convert_imageset").is_file():
        pytest.skip(f"{caffe_command.BIN}/convert_imageset is not built")
    digits = lenet[0].parent / "list.txt"
    done = caffe_command.run("convert_imageset", "--gray", f"--backend={backend}", "/", digits, tmp_path / "db")
    assert done.returncode == 0, done.stderr
    data = []
    for source in (digits, tmp_path / "db"):
        rxnn.add_data(deploy, source, tmp_path / "o.prototxt", batch_size=20)
        net = caffe.Net(tmp_path / "o.prototxt", caffe.TEST)
        net.forward()
        data.append(net.blobs["data"].data.copy())
    np.testing.assert_array_equal(*data)


def test_numbers_that_are_none(deploy, tmp_path, fails):
    assert "--mean 'grey'" in fails(
        "add-data", "--model", deploy, "--source", "x", "--mean", "grey", "--out-model", tmp_path / "o.prototxt"
    )
