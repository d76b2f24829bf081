"""pycaffe: nets from scripts, what they compute, and what they say when something is wrong."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
import scipy.signal

import caffe

NET = """
name: "small"
layer { name: "input" type: "Input" top: "data" top: "extra"
        input_param { shape { dim: 2 dim: 3 dim: 6 dim: 5 } shape { dim: 2 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" }
                            bias_filler { type: "gaussian" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
        inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "sum" type: "Eltwise" bottom: "ip" bottom: "extra" top: "sum" }
layer { name: "prob" type: "Softmax" bottom: "sum" top: "prob" }
"""


@pytest.fixture
def net_file(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


@pytest.fixture
def net(net_file):
    caffe.set_random_seed(3)
    return caffe.Net(net_file, caffe.TEST)


@pytest.fixture
def inputs(rng):
    return {
        "data": rng.normal(size=(2, 3, 6, 5)).astype(np.float32),
        "extra": rng.normal(size=(2, 4)).astype(np.float32),
    }


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
    net_file.write_text(NET.replace('name: "small"', 'name: "small" force_backward: true'))
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
    net_file.write_text(NET.replace('name: "small"', 'name: "small" force_backward: true'))
    net = caffe.Net(net_file, caffe.TRAIN)
    data, extra = rng.normal(size=(3, 3, 6, 5)), rng.normal(size=(3, 4))
    slope = rng.normal(size=(3, 4))
    outs, grads = net.forward_backward_all(data=data, extra=extra, prob=slope)
    assert outs["prob"].shape == (3, 4)
    assert grads["data"].shape == data.shape
    net.forward(data=data[:2], extra=extra[:2])
    np.testing.assert_array_equal(grads["data"][:2], net.backward(prob=slope[:2])["data"])


def test_views_outlive_net_and_reshape(net, inputs):
    net.forward(**inputs)
    view = net.blobs["data"].data
    weights = net.params["conv"][0].data
    kept = weights.copy()
    net.blobs["data"].reshape(50, 3, 60, 50)
    net.blobs["data"].data[...] = 7
    np.testing.assert_array_equal(view, inputs["data"])
    del net
    np.testing.assert_array_equal(weights, kept)


def test_views_show_later_passes_and_what_is_written_is_read(net, inputs):
    """Blobs between layers, looked at for the first time or before, while views of them live."""
    net.forward(**inputs)
    kept = net.blobs["conv"].data
    first = kept.copy()
    assert first.min() == 0 and first.max() > 0  # the ReLU's
    net.forward(data=2 * inputs["data"], extra=inputs["extra"])
    assert not np.array_equal(kept, first)
    np.testing.assert_array_equal(kept, net.blobs["conv"].data)
    kept[...] = 0
    net.forward(start="ip")
    np.testing.assert_array_equal(net.blobs["ip"].data, np.tile(net.params["ip"][1].data, (2, 1)))


def test_weights_change_through_views_made_before(net, inputs):
    """Convolutions keep weights in an order of their own."""
    weights, bias = (blob.data for blob in net.params["conv"])
    net.forward(**inputs)
    weights[...] = 0
    bias[...] = [1, 2, 3, -4]
    net.forward()
    expected = np.broadcast_to(np.reshape([1, 2, 3, 0], (1, 4, 1, 1)), net.blobs["conv"].data.shape)
    np.testing.assert_array_equal(net.blobs["conv"].data, expected)
    del weights, bias
    net.forward()
    net.params["conv"][1].data[...] = 5
    net.forward()
    np.testing.assert_array_equal(net.blobs["conv"].data, np.full(expected.shape, 5))


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


def test_memory_data_is_fed(tmp_path, rng):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "d" type: "MemoryData" top: "data" top: "label"\n'
        "        memory_data_param { batch_size: 2 channels: 1 height: 3 width: 4 } }\n"
        'layer { name: "s" type: "Silence" bottom: "label" }\n'
        'layer { name: "r" type: "Power" bottom: "data" top: "r" power_param { scale: 2 } }'
    )
    net = caffe.Net(path, caffe.TEST)
    data = rng.normal(size=(4, 1, 3, 4)).astype(np.float32)
    net.set_input_arrays(data, np.arange(4, dtype=np.float32))
    np.testing.assert_array_equal(net.forward()["r"], 2 * data[:2])
    np.testing.assert_array_equal(net.forward(blobs=["label"])["label"].ravel(), [2, 3])
    with pytest.raises(caffe.Error, match="multiple of the batch size"):
        net.set_input_arrays(data[:3], np.zeros(3))
    with pytest.raises(caffe.Error, match="labels"):
        net.set_input_arrays(data, np.zeros(3))
    with pytest.raises(caffe.Error, match="4-d"):
        net.set_input_arrays(data[0], np.zeros(1))
    with pytest.raises(caffe.Error, match=r"\(N, 1, 3, 4\)"):
        net.set_input_arrays(data[:, :, :2], np.zeros(4))
    with pytest.raises(caffe.Error, match="multiple"):
        net.set_input_arrays(data[:0], np.zeros(0))


def test_fed_arrays_live_as_long_as_what_shows_them(tmp_path, rng):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "d" type: "MemoryData" top: "data" top: "label"\n'
        "        memory_data_param { batch_size: 1 channels: 1 height: 64 width: 64 } }"
    )
    net = caffe.Net(path, caffe.TEST)
    values = rng.normal(size=(1, 1, 64, 64)).astype(np.float32)
    fed = values.copy()
    alive = weakref.ref(fed)
    net.set_input_arrays(fed, np.zeros(1))
    del fed
    view, blob = net.forward()["data"], net.blobs["data"]
    del net
    gc.collect()
    np.testing.assert_array_equal(view, values)
    np.testing.assert_array_equal(blob.data, values)
    assert alive() is not None
    del view, blob
    assert alive() is None


def test_views_stay_valid_when_other_arrays_come(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "d" type: "MemoryData" top: "data" top: "label"\n'
        "        memory_data_param { batch_size: 1 channels: 1 height: 64 width: 64 } }\n"
        'layer { name: "a" type: "ReLU" bottom: "data" top: "a" }\n'
        'layer { name: "b" type: "TanH" bottom: "data" top: "b" }'
    )
    net = caffe.Net(path, caffe.TEST)
    views = [net.blobs["data"].data]
    views[0][...] = 0
    for value in (1, 2, 3):
        net.set_input_arrays(np.full((1, 1, 64, 64), value, np.float32), np.zeros(1))
        out = net.forward(blobs=["data"])
        views.append(out["data"])
        np.testing.assert_array_equal(out["a"], views[-1])
    gc.collect()
    for value, view in enumerate(views):
        np.testing.assert_array_equal(view, np.full((1, 1, 64, 64), value))


def test_only_memory_data_takes_arrays(net):
    with pytest.raises(RuntimeError, match="MemoryDataLayer"):
        net.set_input_arrays(np.zeros((2, 3, 6, 5)), np.zeros(2))


def test_phases_are_train_and_test(net_file):
    with pytest.raises(caffe.Error, match=r"phase is 2; it must be caffe\.TRAIN or caffe\.TEST"):
        caffe.Net(net_file, 2)
    with pytest.raises(TypeError):
        caffe.Net(net_file)
    with pytest.raises(TypeError):
        caffe.Net(net_file, caffe.TEST, 0, "deploy")


def test_missing_files_are_named(net_file, tmp_path, net):
    with pytest.raises(RuntimeError, match=r"Could not open file .*no\.prototxt"):
        caffe.Net(tmp_path / "no.prototxt", caffe.TEST)
    with pytest.raises(RuntimeError, match=r"Could not open file .*no\.caffemodel"):
        caffe.Net(net_file, caffe.TEST, weights=tmp_path / "no.caffemodel")
    with pytest.raises(RuntimeError, match=r"Could not open file .*no\.caffemodel"):
        net.copy_from(tmp_path / "no.caffemodel")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('layer {\n  name: "x"\n  tpye: "ReLU"\n}', r"bad\.prototxt.*3:"),
        ('layer { name: "x" type: "Rleu" top: "x" }', r"Rleu.*ReLU"),
        ('layer { name: "x" type: "ReLU" bottom: "nobody" top: "x" }', "nobody"),
        (NET.replace("kernel_size: 3", "kernel_size: 30"), "conv"),
    ],
)
def test_bad_networks_are_exceptions(tmp_path, text, message):
    path = tmp_path / "bad.prototxt"
    path.write_text(text)
    with pytest.raises(caffe.Error, match=message):
        caffe.Net(path, caffe.TEST)


def test_bad_weights_are_exceptions(net, net_file, tmp_path):
    path = tmp_path / "w.caffemodel"
    net.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(caffe.Error, match=r"w\.caffemodel"):
        caffe.Net(net_file, caffe.TEST, weights=path)
    path.write_bytes(whole)
    net_file.write_text(NET.replace("kernel_size: 3", "kernel_size: 2"))
    with pytest.raises(caffe.Error, match="conv"):
        caffe.Net(net_file, caffe.TEST, weights=path)


def test_module_names():
    assert (caffe.TRAIN, caffe.TEST) == (0, 1)
    assert caffe.__version__ == "1.0.0"
    caffe.set_mode_cpu()
    assert {"Convolution", "CrossbarConvolution", "CrossbarInnerProduct", "Data"} <= set(caffe.layer_type_list())
    with pytest.raises(caffe.Error, match="GPU"):
        caffe.set_mode_gpu()
    with pytest.raises(caffe.Error, match="GPU"):
        caffe.set_device(0)
    assert issubclass(caffe.Error, RuntimeError)
    for name in ("_caffe", "classifier", "detector", "io", "net_spec", "proto", "pycaffe"):
        assert type(getattr(caffe, name)).__name__ == "module"
    assert caffe.Net is caffe._caffe.Net
    assert all(hasattr(caffe, name) for name in caffe.__all__)


def test_solvers_of_a_process():
    assert (caffe.solver_count(), caffe.solver_rank()) == (1, 0)
    caffe.set_solver_count(3)
    caffe.set_solver_rank(2)
    assert (caffe.solver_count(), caffe.solver_rank()) == (3, 2)
    caffe.set_solver_count(1)
    caffe.set_solver_rank(0)
    caffe.set_multiprocess(False)
    assert not caffe.has_nccl()
    with pytest.raises(caffe.Error, match="NCCL"):
        caffe.NCCL.new_uid()
    with pytest.raises(caffe.Error, match="NCCL"):
        caffe.NCCL(None, "")


def test_timer():
    timer = caffe.Timer()
    timer.start()
    time.sleep(0.02)
    timer.stop()
    ms = timer.ms
    assert 15 < ms < 5000
    time.sleep(0.01)
    assert timer.ms == ms


def test_seeds_repeat_fillers(net_file):
    nets = []
    for seed in (5, 5, 6):
        caffe.set_random_seed(seed)
        nets.append(caffe.Net(net_file, caffe.TEST).params["conv"][0].data)
    np.testing.assert_array_equal(nets[0], nets[1])
    assert np.any(nets[0] != nets[2])


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
