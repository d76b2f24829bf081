"""Weights of a net: to files and back, and shared."""

import numpy as np
import pytest

import caffe


@pytest.mark.parametrize("name", ["w.caffemodel", "w.caffemodel.h5", "no ending, but .h5 inside"])
def test_weights_go_to_a_file_and_back(net, net_file, inputs, tmp_path, name):
    path = tmp_path / name
    if ".h5" in name:
        net.save_hdf5(path)
    else:
        net.save(path)
    expected = net.forward(**inputs)["prob"].copy()
    caffe.set_random_seed(4)
    other = caffe.Net(net_file, caffe.TEST)
    assert np.any(other.forward(**inputs)["prob"] != expected)
    other.copy_from(path)
    np.testing.assert_array_equal(other.forward(**inputs)["prob"], expected)
    at_once = caffe.Net(net_file, caffe.TEST, weights=path)
    np.testing.assert_array_equal(at_once.forward(**inputs)["prob"], expected)
    with pytest.warns(DeprecationWarning, match="old form"):
        old_form = caffe.Net(str(net_file), str(path), caffe.TEST)
    np.testing.assert_array_equal(old_form.forward(**inputs)["prob"], expected)


def test_share_with_uses_the_same_memory(net, net_file):
    other = caffe.Net(net_file, caffe.TEST)
    other.share_with(net)
    net.params["ip"][1].data[...] = 42
    assert np.all(other.params["ip"][1].data == 42)


def test_weights_are_a_readable_message(net, tmp_path):
    net.save(tmp_path / "w.caffemodel")
    message = caffe.proto.caffe_pb2.NetParameter.FromString((tmp_path / "w.caffemodel").read_bytes())
    conv = next(layer for layer in message.layer if layer.name == "conv")
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(conv.blobs[0]), net.params["conv"][0].data)


def test_bad_weights_are_exceptions(net, net_file, tmp_path):
    path = tmp_path / "w.caffemodel"
    net.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(caffe.Error, match=r"w\.caffemodel"):
        caffe.Net(net_file, caffe.TEST, weights=path)
    path.write_bytes(whole)
    net_file.write_text(net_file.read_text().replace("kernel_size: 3", "kernel_size: 2"))
    with pytest.raises(caffe.Error, match="conv"):
        caffe.Net(net_file, caffe.TEST, weights=path)
