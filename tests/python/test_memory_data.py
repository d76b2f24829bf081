"""Arrays fed to a MemoryData layer."""

import gc
import weakref

import numpy as np
import pytest

import caffe


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
