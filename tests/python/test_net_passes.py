"""What passes of a net compute and return, forward and backward."""

import numpy as np
import pytest
import scipy.signal

import caffe


def expected_output(net, inputs):
    """The network, written with scipy and numpy in double precision."""
    params = {name: [blob.data.astype(float) for blob in blobs] for name, blobs in net.params.items()}
    w, b = params["conv"]
    conv = np.array(
        [
            [sum(scipy.signal.correlate2d(image[c], w[o, c], "valid") for c in range(3)) + b[o] for o in range(4)]
            for image in inputs["data"].astype(float)
        ]
    )
    w, b = params["ip"]
    scores = np.maximum(conv, 0).reshape(2, -1) @ w.T + b + inputs["extra"]
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def test_forward_computes_the_network(net, inputs):
    np.testing.assert_allclose(net.forward(**inputs)["prob"], expected_output(net, inputs), atol=1e-6)


def test_forward_returns_views_of_what_is_asked_for(net, inputs):
    out = net.forward(blobs=["conv"], **inputs)
    assert set(out) == {"prob", "conv"}
    assert np.shares_memory(out["conv"], net.blobs["conv"].data)


def test_forward_from_and_to_layers(net, inputs):
    full = net.forward(**inputs)["prob"].copy()
    assert set(net.forward(end="ip", **inputs)) == {"ip"}
    net.blobs["prob"].data[...] = 0
    np.testing.assert_array_equal(net.forward(start="sum")["prob"], full)
    net.blobs["ip"].data[...] = 0
    exponents = np.exp(inputs["extra"])
    np.testing.assert_allclose(
        net.forward(start="sum")["prob"], exponents / exponents.sum(axis=1, keepdims=True), rtol=1e-5
    )


def test_forward_says_what_is_wrong_with_its_arguments(net, inputs):
    with pytest.raises(Exception, match=r"^Input blob arguments do not match net inputs\.$"):
        net.forward(data=inputs["data"])
    with pytest.raises(Exception, match=r"^Input is not batch sized$"):
        net.forward(data=inputs["data"][:1], extra=inputs["extra"])
    with pytest.raises(ValueError, match="nowhere"):
        net.forward(start="nowhere")
    with pytest.raises(ValueError, match="nowhere"):
        net.backward(end="nowhere")
    with pytest.raises(ValueError, match="nothing"):
        net.forward(blobs=["nothing"])
    with pytest.raises(Exception, match=r"^Top diff arguments do not match net outputs\.$"):
        net.backward(conv=np.zeros(1))
    with pytest.raises(Exception, match=r"^Diff is not batch sized$"):
        net.backward(prob=np.zeros((3, 4)))


def test_forward_all_pads_and_trims(net, rng):
    data = rng.normal(size=(5, 3, 6, 5)).astype(np.float32)
    extra = rng.normal(size=(5, 4)).astype(np.float32)
    out = net.forward_all(blobs=["ip"], data=data, extra=extra)
    assert out["prob"].shape == (5, 4)
    for first in (0, 2, 3):
        batch = slice(first, first + 2)
        single = net.forward(blobs=["ip"], data=data[batch], extra=extra[batch])
        np.testing.assert_array_equal(out["ip"][batch], single["ip"])
        np.testing.assert_array_equal(out["prob"][batch], single["prob"])


def test_backward_is_the_gradient(net_file, inputs):
    net_file.write_text(net_file.read_text().replace('name: "small"', 'name: "small" force_backward: true'))
    caffe.set_random_seed(3)
    net = caffe.Net(net_file, caffe.TRAIN)
    slope = np.array([[1.0, -2, 3, 0.5], [0.25, 1, -1, 2]], np.float32)
    net.forward(**inputs)
    grads = net.backward(prob=slope, diffs=["ip"])
    assert set(grads) == {"data", "extra", "ip"}
    weight_grad = net.params["ip"][0].diff.copy()
    step = 1e-3

    def objective(net, inputs):
        return np.sum(expected_output(net, inputs) * slope)

    moved = {**inputs, "extra": inputs["extra"].astype(float)}
    for index in np.ndindex(2, 4):
        moved["extra"][index] += step
        higher = objective(net, moved)
        moved["extra"][index] -= 2 * step
        slope_there = (higher - objective(net, moved)) / (2 * step)
        moved["extra"][index] += step
        assert grads["extra"][index] == pytest.approx(slope_there, abs=1e-5)
    net.params["ip"][0].data[1, 7] += step
    higher = objective(net, inputs)
    net.params["ip"][0].data[1, 7] -= 2 * step
    assert weight_grad[1, 7] == pytest.approx((higher - objective(net, inputs)) / (2 * step), abs=1e-4)
    net.clear_param_diffs()
    assert not net.params["ip"][0].diff.any()


def test_forward_backward_all_equals_single_batches(net_file, rng):
    net_file.write_text(net_file.read_text().replace('name: "small"', 'name: "small" force_backward: true'))
    net = caffe.Net(net_file, caffe.TRAIN)
    data, extra = rng.normal(size=(3, 3, 6, 5)), rng.normal(size=(3, 4))
    slope = rng.normal(size=(3, 4))
    outs, grads = net.forward_backward_all(data=data, extra=extra, prob=slope)
    assert outs["prob"].shape == (3, 4)
    assert grads["data"].shape == data.shape
    net.forward(data=data[:2], extra=extra[:2])
    np.testing.assert_array_equal(grads["data"][:2], net.backward(prob=slope[:2])["data"])


@pytest.mark.parametrize("rows", [1, 2])
def test_inner_product_of_one_row_and_of_several(tmp_path, rng, rows):
    path = tmp_path / "ip.prototxt"
    path.write_text(
        f'layer {{ name: "in" type: "Input" top: "x" input_param {{ shape {{ dim: {rows} dim: 300 }} }} }} '
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 77 '
        'weight_filler { type: "xavier" } bias_filler { type: "uniform" } } }'
    )
    net = caffe.Net(path, caffe.TEST)
    x = rng.standard_normal((rows, 300)).astype(np.float32)
    weights, bias = (blob.data.astype(float) for blob in net.params["ip"])
    np.testing.assert_allclose(net.forward(x=x)["y"], x @ weights.T + bias, atol=1e-5)


def test_squeezenet_computes_what_caffe_computes(real_data):
    folder = real_data / "squeezenet"
    net = caffe.Net(folder / "deploy.prototxt", caffe.TEST, weights=folder / "squeezenet_v1.0.caffemodel")
    with np.load(folder / "golden.npz") as golden:
        images = golden["input_u8_bgr"][:8].astype(np.float32)
        mean = golden["mean_bgr"].reshape(1, 3, 1, 1)
        images = images if images.shape[1] == 3 else images.transpose(0, 3, 1, 2)
        net.blobs["data"].reshape(*images.shape)
        net.reshape()
        out = net.forward(blobs=["pool10"], data=images - mean)
        np.testing.assert_allclose(out["pool10"].squeeze(), golden["pool10"][:8].squeeze(), atol=1e-3)
