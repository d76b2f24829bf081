"""Nets from scripts: their parts, which layers they have, who watches them run, and what they refuse."""

import os
import threading

import numpy as np
import pytest

import caffe


def test_a_net_can_be_inspected(net):
    assert list(net.blobs) == ["data", "extra", "conv", "ip", "sum", "prob"]
    assert list(net.params) == ["conv", "ip"]
    assert [blob.shape for blob in net.params["conv"]] == [(4, 3, 3, 3), (4,)]
    assert [layer.type for layer in net.layers] == [
        "Input",
        "Convolution",
        "ReLU",
        "InnerProduct",
        "Eltwise",
        "Softmax",
    ]
    assert list(net.layer_dict) == ["input", "conv", "relu", "ip", "sum", "prob"]
    assert net.layer_dict["ip"].blobs[0].shape == (4, 48)
    assert net.inputs == ["data", "extra"]
    assert net.outputs == ["prob"]
    assert net.top_names["conv"] == ["conv"]
    assert net.bottom_names["sum"] == ["ip", "extra"]
    assert net.blob_loss_weights["prob"] == 0


def test_blobs_have_the_legacy_view(net):
    blob = net.blobs["data"]
    assert (blob.num, blob.channels, blob.height, blob.width, blob.count) == (2, 3, 6, 5, 180)
    assert net.blobs["extra"].height == 1
    assert blob.data.dtype == np.float32


def test_splits_are_layers(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "a" type: "ReLU" bottom: "x" top: "a" } layer { name: "b" type: "TanH" bottom: "x" top: "b" }'
    )
    assert "Split" in [layer.type for layer in caffe.Net(path, caffe.TEST).layers]


def test_phases_stages_and_levels_choose_layers(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "train" type: "ReLU" bottom: "x" top: "a" include { phase: TRAIN } }\n'
        'layer { name: "staged" type: "ReLU" bottom: "x" top: "b" include { phase: TEST stage: "deploy" } }\n'
        'layer { name: "deep" type: "ReLU" bottom: "x" top: "c" include { phase: TEST min_level: 2 } }\n'
    )

    def layers(*args, **kwargs):
        return [name for name in caffe.Net(path, *args, **kwargs).layer_dict if name in ("train", "staged", "deep")]

    assert layers(caffe.TRAIN) == ["train"]
    assert layers(caffe.TEST) == []
    assert layers(caffe.TEST, stages=["deploy"]) == ["staged"]
    assert layers(caffe.TEST, level=2) == ["deep"]


def test_phases_are_train_and_test(net_file):
    with pytest.raises(caffe.Error, match=r"phase is 2; it must be caffe\.TRAIN or caffe\.TEST"):
        caffe.Net(net_file, 2)
    with pytest.raises(TypeError):
        caffe.Net(net_file)
    with pytest.raises(TypeError):
        caffe.Net(net_file, caffe.TEST, 0, "deploy")


def test_seeds_repeat_fillers(net_file):
    nets = []
    for seed in (5, 5, 6):
        caffe.set_random_seed(seed)
        nets.append(caffe.Net(net_file, caffe.TEST).params["conv"][0].data)
    np.testing.assert_array_equal(nets[0], nets[1])
    assert np.any(nets[0] != nets[2])


def test_reshape_carries_the_batch_through(net, inputs):
    net.blobs["data"].reshape(1, 3, 6, 5)
    net.blobs["extra"].reshape(1, 4)
    net.reshape()
    assert net.blobs["prob"].shape == (1, 4)
    one = net.forward(data=inputs["data"][:1], extra=inputs["extra"][:1])["prob"]
    assert one.shape == (1, 4)
    with pytest.raises(caffe.Error):
        net.blobs["data"].reshape(-1, 3)
    net.blobs["data"].reshape(1, 3, 9, 9)
    with pytest.raises(caffe.Error, match="ip"):
        net.reshape()


def test_layers_are_announced(net, inputs):
    seen = []
    net.before_forward(lambda index: seen.append(("before", index)))
    net.after_forward(lambda index: seen.append(("after", index)))
    net.forward(**inputs)
    assert seen == [(when, index) for index in range(6) for when in ("before", "after")]


def test_an_exception_of_a_callback_reaches_the_caller(net, inputs):
    def stop(index):
        raise ZeroDivisionError("stop here")

    net.after_forward(stop)
    with pytest.raises(ZeroDivisionError, match="stop here"):
        net.forward(**inputs)


def test_other_threads_run_during_forward(net, inputs):
    # The callback waits for another Python thread, which it could not if the net held the interpreter.
    met = threading.Event()
    thread = threading.Thread(target=met.set)
    net.before_forward(lambda index: index == 1 and (thread.start(), met.wait(10)))
    net.forward(**inputs)
    assert met.is_set()
    thread.join()


def test_missing_files_are_named(net_file, tmp_path, net):
    odd = os.fsdecode(b"no\xff.prototxt")  # no UTF-8, as the message is
    with pytest.raises(RuntimeError, match=r"Could not open file no\\xff\.prototxt"):
        caffe.Net(odd, caffe.TEST)
    with pytest.raises(RuntimeError, match=r"Could not open file .*no\.prototxt"):
        caffe.Net(tmp_path / "no.prototxt", caffe.TEST)
    with pytest.raises(RuntimeError, match=r"Could not open file .*no\.caffemodel"):
        caffe.Net(net_file, caffe.TEST, weights=tmp_path / "no.caffemodel")
    with pytest.raises(RuntimeError, match=r"Could not open file .*no\.caffemodel"):
        net.copy_from(tmp_path / "no.caffemodel")


def test_only_files_are_opened(net_file, tmp_path, net):
    """A pipe that nobody writes to would wait."""
    os.mkfifo(tmp_path / "pipe")
    for kind, path in ("directory", tmp_path), ("pipe", tmp_path / "pipe"):
        with pytest.raises(caffe.Error, match=f"Expected a file, found a {kind}: {path}"):
            caffe.Net(path, caffe.TEST)
        with pytest.raises(caffe.Error, match=f"Expected a file, found a {kind}: {path}"):
            net.copy_from(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('layer {\n  name: "x"\n  tpye: "ReLU"\n}', r"bad\.prototxt.*3:"),
        ('layer { name: "x" type: "Rleu" top: "x" }', r"Rleu.*ReLU"),
        ('layer { name: "x" type: "ReLU" bottom: "nobody" top: "x" }', "nobody"),
    ],
)
def test_bad_networks_are_exceptions(tmp_path, text, message):
    path = tmp_path / "bad.prototxt"
    path.write_text(text)
    with pytest.raises(caffe.Error, match=message):
        caffe.Net(path, caffe.TEST)


def test_a_kernel_that_does_not_fit_names_its_layer(net_file):
    net_file.write_text(net_file.read_text().replace("kernel_size: 3", "kernel_size: 30"))
    with pytest.raises(caffe.Error, match="conv"):
        caffe.Net(net_file, caffe.TEST)
