"""NumPy views of a net's blobs: what they show, and what is written through them."""

import numpy as np


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
