"""Layers against scipy and numpy in double precision, forward and backward, through pycaffe."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import scipy.spatial.distance
import scipy.special
import scipy.stats

import caffe
from tolerance import LAYER_RELATIVE

FILLERS = 'weight_filler { type: "gaussian" } bias_filler { type: "gaussian" }'


class OneLayer:
    """A net of inputs and one layer; outputs and gradients as float64 arrays."""

    def __init__(self, folder, layer: str, *inputs: np.ndarray, phase: int = caffe.TEST, tops: int = 1):
        names = [f"x{i}" for i in range(len(inputs))]
        text = "force_backward: true\n"
        for name, value in zip(names, inputs, strict=True):
            dims = " ".join(f"dim: {n}" for n in value.shape)
            text += f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ {dims} }} }} }}\n'
        bottoms = " ".join(f'bottom: "{name}"' for name in names)
        outputs = " ".join(f'top: "y{i}"' for i in range(tops))
        text += f'layer {{ name: "layer" {bottoms} {outputs} {layer} }}'
        path = folder / "one_layer.prototxt"
        path.write_text(text)
        caffe.set_random_seed(1)
        self.net = caffe.Net(str(path), phase)
        self.inputs = dict(zip(names, inputs, strict=True))

    @property
    def weights(self) -> list[np.ndarray]:
        """The parameters."""
        return [blob.data.astype(float) for blob in self.net.params["layer"]]

    def forward(self) -> np.ndarray:
        """The first top."""
        for name, value in self.inputs.items():
            self.net.blobs[name].data[...] = value
        self.net.forward()
        return self.net.blobs["y0"].data.astype(float)

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Gradients of the first input and of the parameters, for the gradient dy of the first top."""
        for blobs in self.net.params.values():
            for blob in blobs:
                blob.diff[...] = 0
        self.net.blobs["y0"].diff[...] = dy
        self.net.backward()
        parameters = [blob.diff.astype(float) for blob in self.net.params.get("layer", [])]
        return self.net.blobs["x0"].diff.astype(float), parameters


@pytest.fixture
def layer(tmp_path) -> Callable[..., OneLayer]:
    return lambda *arguments, **options: OneLayer(tmp_path, *arguments, **options)


@pytest.fixture
def normal(rng) -> Callable[..., np.ndarray]:
    """Normal numbers that float32 holds exactly."""
    return lambda *shape: rng.normal(size=shape).astype(np.float32).astype(float)


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    """Equal but for roundings of float32, relative to the largest expected value."""
    assert actual.shape == np.shape(expected)
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, rtol=0, atol=LAYER_RELATIVE * scale)


def spread(values: np.ndarray, steps: list[int]) -> np.ndarray:
    """Zeros between neighbours of the last axes, so that they lie `steps` apart."""
    lead = values.ndim - len(steps)
    shape = [s * (n - 1) + 1 for n, s in zip(values.shape[lead:], steps, strict=True)]
    result = np.zeros(values.shape[:lead] + tuple(shape))
    result[(..., *tuple(slice(None, None, s) for s in steps))] = values
    return result


def correlate(x: np.ndarray, w: np.ndarray, groups: int, stride: list[int], pad: list[int]) -> np.ndarray:
    """Convolution layer without bias: x (N, C, ...), w (O, C / groups, ...)."""
    axes = len(stride)
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in pad])
    per_group = w.shape[0] // groups
    steps = tuple(slice(None, None, s) for s in stride)
    result = []
    for image in x:
        for o, filters in enumerate(w):
            first = o // per_group * w.shape[1]
            total = scipy.signal.correlate(image[first : first + w.shape[1]], filters, "valid", method="direct")
            assert total.shape[0] == 1 and total.ndim == axes + 1
            result.append(total[0][steps])
    return np.array(result).reshape((len(x), len(w), *result[0].shape))


def transpose(y: np.ndarray, w: np.ndarray, groups: int, stride: list[int], pad: list[int], size: tuple) -> np.ndarray:
    """The transpose of `correlate`: Deconvolution without bias, and the gradient of a convolution's input of `size`."""
    y = spread(y, stride)
    outputs, inputs = len(w) // groups, w.shape[1]
    full = [n + k - 1 for n, k in zip(y.shape[2:], w.shape[2:], strict=True)]
    # Behind the last position of the kernel there may be padding or values that it never reached.
    result = np.zeros((len(y), groups * inputs, *(max(f, p + n) for f, p, n in zip(full, pad, size, strict=True))))
    reached = tuple(slice(0, f) for f in full)
    for n, image in enumerate(y):
        for o, filters in enumerate(w):
            for c in range(inputs):
                product = scipy.signal.convolve(image[o], filters[c], method="direct")
                result[(n, o // outputs * inputs + c, *reached)] += product
    return result[(slice(None), slice(None), *(slice(p, p + n) for p, n in zip(pad, size, strict=True)))]


# input, num_output, kernel, stride, pad, dilation, group
CONVOLUTIONS = {
    "plain": ((2, 3, 7, 6), 4, [3, 3], [1, 1], [0, 0], [1, 1], 1),
    "strided and padded": ((2, 3, 7, 9), 4, [3, 5], [2, 3], [1, 2], [1, 1], 1),
    "dilated": ((1, 2, 9, 9), 3, [3, 3], [1, 1], [2, 2], [2, 2], 1),
    "in groups": ((2, 6, 5, 5), 4, [3, 3], [2, 2], [1, 1], [1, 1], 2),
    "depthwise": ((1, 4, 5, 5), 4, [3, 3], [1, 1], [1, 1], [1, 1], 4),
    "1x1": ((2, 5, 4, 3), 6, [1, 1], [1, 1], [0, 0], [1, 1], 1),
    "one axis": ((2, 3, 11), 4, [4], [2], [1], [1], 1),
    "three axes": ((1, 2, 5, 4, 6), 3, [3, 2, 3], [1, 2, 1], [1, 0, 1], [1, 1, 1], 1),
}


def geometry(num_output: int, kernel: list[int], stride: list[int], pad: list[int], dilation: list[int], group: int):
    """The fields of convolution_param."""
    fields = {"kernel_size": kernel, "stride": stride, "pad": pad, "dilation": dilation}
    text = " ".join(f"{name}: {value}" for name, values in fields.items() for value in values)
    return f"convolution_param {{ num_output: {num_output} group: {group} {text} {FILLERS} }}"


@pytest.mark.parametrize("force_nd", ["", "force_nd_im2col: true"])
@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
def test_convolution(layer, normal, case, force_nd):
    shape, num_output, kernel, stride, pad, dilation, group = case
    x = normal(*shape)
    text = geometry(num_output, kernel, stride, pad, dilation, group)
    run = layer(f'type: "Convolution" {text[:-1]} {force_nd} }}', x)
    w, bias = run.weights
    assert w.shape == (num_output, shape[1] // group, *kernel)
    spread_w = spread(w, dilation)
    bias_shape = (1, -1) + (1,) * len(kernel)
    y = run.forward()
    assert_close(y, correlate(x, spread_w, group, stride, pad) + bias.reshape(bias_shape))

    dy = normal(*y.shape)
    dx, (dw, dbias) = run.backward(dy)
    assert_close(dx, transpose(dy, spread_w, group, stride, pad, shape[2:]))
    assert_close(dbias, dy.sum(axis=(0, *range(2, dy.ndim))))
    # y is linear in the weights: dw[i] is the product of dy with the output of unit weight i.
    for i in np.random.default_rng(0).choice(w.size, 5):
        unit = np.zeros(w.size)
        unit[i] = 1
        response = correlate(x, spread(unit.reshape(w.shape), dilation), group, stride, pad)
        assert dw.flat[i] == pytest.approx((response * dy).sum(), abs=LAYER_RELATIVE * np.abs(dw).max())


@pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS.keys())
def test_deconvolution(layer, normal, case):
    shape, num_output, kernel, stride, pad, dilation, group = case
    x = normal(*shape)
    run = layer(f'type: "Deconvolution" {geometry(num_output, kernel, stride, pad, dilation, group)}', x)
    w, bias = run.weights
    assert w.shape == (shape[1], num_output // group, *kernel)
    spread_w = spread(w, dilation)
    y = run.forward()
    sizes = zip(shape[2:], stride, spread_w.shape[2:], pad, strict=True)
    size = tuple(s * (n - 1) + k - 2 * p for n, s, k, p in sizes)
    assert_close(y, transpose(x, spread_w, group, stride, pad, size) + bias.reshape((1, -1) + (1,) * len(kernel)))
    dy = normal(*y.shape)
    dx, (_, dbias) = run.backward(dy)
    assert_close(dx, correlate(dy, spread_w, group, stride, pad))
    assert_close(dbias, dy.sum(axis=(0, *range(2, dy.ndim))))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad"),
    [((7, 6), 3, 2, 0), ((8, 11), 3, 2, 1), ((5, 5), 2, 1, 1), ((4, 9), 3, 3, 2), ((6, 6), 5, 1, 2), ((2, 3), 3, 2, 0)],
)
def test_pooling(layer, normal, size, kernel, stride, pad):
    x = normal(2, 3, *size)
    outputs = []
    for n in size:
        count = int(np.ceil((n + 2 * pad - kernel) / stride)) + 1
        outputs.append(count - 1 if pad and (count - 1) * stride >= n + pad else count)
    # The padded image, then what rounding up adds: nothing there counts, not even for the divisor.
    room = [(pad, pad + stride + kernel)] * 2
    around = [(0, 0), (0, 0), *room]
    padded = np.pad(np.ones((2, 3, *(n + 2 * pad for n in size))), [(0, 0), (0, 0)] + [(0, stride + kernel)] * 2)
    window = (1, 1, kernel, kernel)

    def at_outputs(values: np.ndarray) -> np.ndarray:
        return values[(..., *(slice(0, stride * n, stride) for n in outputs))]

    def sums(values: np.ndarray) -> np.ndarray:
        return at_outputs(scipy.signal.correlate(values, np.ones(window), "valid", method="direct"))

    text = f'type: "Pooling" pooling_param {{ kernel_size: {kernel} stride: {stride} pad: {pad} pool: '
    average = layer(text + "AVE }", x)
    assert_close(average.forward(), sums(np.pad(x, around)) / sums(padded))

    largest = layer(text + "MAX }", x, tops=2)
    everywhere = np.pad(x, around, constant_values=-np.inf)
    filtered = scipy.ndimage.maximum_filter(everywhere, window, mode="constant", cval=-np.inf, origin=(0, 0, 0, 0))
    first = kernel // 2  # the filter's value stands at the centre of its window
    y = largest.forward()
    assert_close(y, at_outputs(filtered[:, :, first:, first:]))
    mask = largest.net.blobs["y1"].data.astype(int)
    flat = x.reshape(2, 3, -1)
    np.testing.assert_array_equal(np.take_along_axis(flat, mask.reshape(2, 3, -1), 2).reshape(y.shape), y)

    dy = normal(*y.shape)
    expected = np.zeros_like(flat)
    for n in range(2):
        for c in range(3):
            np.add.at(expected[n, c], mask[n, c].ravel(), dy[n, c].ravel())
    assert_close(largest.backward(dy)[0], expected.reshape(x.shape))


@pytest.mark.parametrize("size", [3, 5])
def test_lrn(layer, normal, size):
    x = normal(2, 7, 6, 5)
    alpha, beta, k = 0.5, 0.75, 2.0
    text = f"local_size: {size} alpha: {alpha} beta: {beta} k: {k}"
    across = scipy.ndimage.correlate1d(x**2, np.ones(size), axis=1, mode="constant")
    run = layer(f'type: "LRN" lrn_param {{ {text} }}', x)
    scale = k + alpha / size * across
    assert_close(run.forward(), x * scale**-beta)
    dy = normal(*x.shape)
    ratio = scipy.ndimage.correlate1d(dy * x * scale ** (-beta - 1), np.ones(size), axis=1, mode="constant")
    assert_close(run.backward(dy)[0], dy * scale**-beta - 2 * alpha * beta / size * x * ratio)

    within = scipy.ndimage.correlate(x**2, np.ones((1, 1, size, size)), mode="constant")
    run = layer(f'type: "LRN" lrn_param {{ {text} norm_region: WITHIN_CHANNEL }}', x)
    assert_close(run.forward(), x * (1 + alpha / size**2 * within) ** -beta)


def test_batch_norm(layer, normal):
    x = 3 * normal(4, 3, 5, 2) + 2
    run = layer('type: "BatchNorm" batch_norm_param { moving_average_fraction: 0.9 eps: 0.01 }', x, phase=caffe.TRAIN)
    y = run.forward()
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    shape = (1, 3, 1, 1)
    deviation = np.sqrt(variance + 0.01).reshape(shape)
    expected = (x - mean.reshape(shape)) / deviation
    assert_close(y, expected)
    dy = normal(*x.shape)
    along = {"axis": (0, 2, 3), "keepdims": True}
    dx = (dy - dy.mean(**along) - expected * (dy * expected).mean(**along)) / deviation
    assert_close(run.backward(dy)[0], dx)

    run.forward()
    stored = run.weights
    weight = 1 + 0.9
    assert_close(stored[0], mean * weight)
    assert_close(stored[1], x.var(axis=(0, 2, 3), ddof=1) * weight)
    assert_close(stored[2], np.array([weight]))

    other = normal(2, 3, 5, 2)
    test = layer('type: "BatchNorm" batch_norm_param { eps: 0.01 }', other)
    for blob, value in zip(test.net.params["layer"], stored, strict=True):
        blob.data[...] = value
    population = x.var(axis=(0, 2, 3), ddof=1)
    assert_close(test.forward(), (other - mean.reshape(shape)) / np.sqrt(population + 0.01).reshape(shape))


def test_inner_product(layer, normal):
    x = normal(3, 4, 5)
    for transposed, axis in [("false", 1), ("true", 2)]:
        text = f"inner_product_param {{ num_output: 6 axis: {axis} transpose: {transposed} {FILLERS} }}"
        run = layer(f'type: "InnerProduct" {text}', x)
        w, bias = run.weights
        w = w.T if transposed == "true" else w
        rows = x.reshape(*x.shape[:axis], -1)
        y = run.forward()
        assert_close(y, np.einsum("...k,nk->...n", rows, w) + bias)
        dy = normal(*y.shape)
        dx, (dw, dbias) = run.backward(dy)
        assert_close(dx, np.einsum("...n,nk->...k", dy, w).reshape(x.shape))
        expected = np.einsum("mn,mk->nk", dy.reshape(-1, 6), rows.reshape(-1, rows.shape[-1]))
        assert_close(dw, expected.T if transposed == "true" else expected)
        assert_close(dbias, dy.reshape(-1, 6).sum(axis=0))


def test_softmax_losses(layer, normal, rng):
    x, labels = normal(4, 5, 3), rng.integers(0, 5, (4, 3))
    labels[1, 2] = 9
    valid = labels != 9
    log_p = scipy.special.log_softmax(x, axis=1)
    assert_close(layer('type: "Softmax"', x).forward(), np.exp(log_p))
    one_hot = np.where(valid[:, None], np.arange(5)[:, None] == labels[:, None], 0)
    divisors = {"VALID": valid.sum(), "FULL": 12, "BATCH_SIZE": 4, "NONE": 1}
    for mode, divisor in divisors.items():
        text = f"loss_param {{ ignore_label: 9 normalization: {mode} }} propagate_down: true propagate_down: false"
        run = layer(f'type: "SoftmaxWithLoss" {text}', x, labels)
        assert_close(run.forward(), np.array(-(log_p * one_hot).sum() / divisor))
        assert_close(run.backward(np.array(2.0))[0], 2 * (np.exp(log_p) * valid[:, None] - one_hot) / divisor)

    matrix = normal(5, 5)
    safe = np.where(valid, labels, 0)
    rows = np.moveaxis(matrix[safe], -1, 1) * valid[:, None]
    run = layer('type: "InfogainLoss" loss_param { ignore_label: 9 }', x, labels, matrix)
    assert_close(run.forward(), np.array(-(rows * log_p).sum() / valid.sum()))


def test_other_losses(layer, normal, rng):
    x, t = normal(4, 5), rng.random((4, 5)).astype(np.float32).astype(float)
    run = layer('type: "SigmoidCrossEntropyLoss"', 3 * x, t)
    expected = -(t * scipy.special.log_expit(3 * x) + (1 - t) * scipy.special.log_expit(-3 * x)).sum() / 4
    assert_close(run.forward(), np.array(expected))
    assert_close(run.backward(np.array(1.0))[0], (scipy.special.expit(3 * x) - t) / 4)

    run = layer('type: "EuclideanLoss"', x, t)
    assert_close(run.forward(), np.array(((x - t) ** 2).sum() / 8))
    assert_close(run.backward(np.array(3.0))[0], 3 * (x - t) / 4)

    labels = rng.integers(0, 5, 4)
    margin = np.maximum(0, 1 - x * np.where(np.arange(5) == labels[:, None], 1, -1))
    for norm, power in [("L1", 1), ("L2", 2)]:
        run = layer(f'type: "HingeLoss" hinge_loss_param {{ norm: {norm} }}', x, labels)
        assert_close(run.forward(), np.array((margin**power).sum() / 4))

    prob = scipy.special.softmax(x, axis=1)
    run = layer('type: "MultinomialLogisticLoss"', prob, labels)
    assert_close(run.forward(), np.array(-np.log(prob[np.arange(4), labels]).mean()))

    a, b, alike = normal(6, 3), normal(6, 3), np.array([1, 0, 0, 1, 0, 0])
    distance = np.array([scipy.spatial.distance.euclidean(p, q) for p, q in zip(a, b, strict=True)])
    run = layer('type: "ContrastiveLoss" contrastive_loss_param { margin: 2 }', a, b, alike)
    apart = np.maximum(0, 2 - distance)
    assert_close(run.forward(), np.array(np.where(alike == 1, distance**2, apart**2).sum() / 12))


def test_neurons(layer, normal):
    x = normal(3, 4, 5)
    expit = scipy.special.expit
    slopes = np.array([0.25] * 4)[:, None]
    cases = {
        'type: "ELU" elu_param { alpha: 0.5 }': (
            np.where(x > 0, x, 0.5 * np.expm1(x)),
            np.where(x > 0, 1, 0.5 * np.exp(x)),
        ),
        'type: "PReLU"': (np.where(x > 0, x, slopes * x), np.where(x > 0, 1, slopes)),
        'type: "Swish" swish_param { beta: 2 }': (
            x * expit(2 * x),
            expit(2 * x) + 2 * x * expit(2 * x) * expit(-2 * x),
        ),
        'type: "BNLL"': (np.logaddexp(0, x), expit(x)),
        'type: "Sigmoid"': (expit(x), expit(x) * expit(-x)),
        'type: "TanH"': (np.tanh(x), 1 - np.tanh(x) ** 2),
        'type: "Exp" exp_param { base: 2 scale: 0.5 shift: 1 }': (
            2 ** (1 + 0.5 * x),
            np.log(2) * 0.5 * 2 ** (1 + 0.5 * x),
        ),
        'type: "Log" log_param { base: 10 scale: 0.5 shift: 9 }': (
            np.log10(9 + 0.5 * x),
            0.5 / (np.log(10) * (9 + 0.5 * x)),
        ),
        'type: "Power" power_param { power: 3 scale: 0.5 shift: 2 }': ((2 + 0.5 * x) ** 3, 1.5 * (2 + 0.5 * x) ** 2),
        'type: "Clip" clip_param { min: -0.5 max: 1 }': (np.clip(x, -0.5, 1), (x > -0.5) & (x < 1)),
    }
    dy = normal(*x.shape)
    for text, (y, slope) in cases.items():
        run = layer(text, x)
        assert_close(run.forward(), y)
        assert_close(run.backward(dy)[0], dy * slope)


def test_mvn_and_shapes(layer, normal):
    x = 3 * normal(2, 3, 4, 5) + 1
    assert_close(layer('type: "MVN"', x).forward(), scipy.stats.zscore(x, axis=(2, 3)))
    run = layer('type: "MVN" mvn_param { across_channels: true }', x)
    assert_close(run.forward(), scipy.stats.zscore(x, axis=(1, 2, 3)))
    assert_close(layer('type: "Tile" tile_param { axis: 2 tiles: 3 }', x).forward(), np.tile(x, (1, 1, 3, 1)))
    run = layer('type: "Crop" crop_param { axis: 1 offset: 1 offset: 0 offset: 2 }', x, normal(1, 2, 4, 2))
    assert_close(run.forward(), x[:, 1:3, 0:4, 2:4])
    text = 'type: "Reduction" reduction_param { axis: 2 coeff: 2 operation: '
    assert_close(layer(text + "SUMSQ }", x).forward(), 2 * (x**2).sum(axis=(2, 3)))
    assert_close(layer(text + "MEAN }", x).forward(), 2 * x.mean(axis=(2, 3)))
    numbers = np.array([1, 1, 0])
    assert_close(layer('type: "BatchReindex"', x, numbers).forward(), x[numbers])
    assert_close(layer('type: "Filter"', x, np.array([0, 1])).forward(), x[1:])


def test_embed(layer, normal, rng):
    indices = rng.integers(0, 7, (3, 4))
    run = layer(f'type: "Embed" embed_param {{ input_dim: 7 num_output: 5 {FILLERS} }}', indices)
    w, bias = run.weights
    assert_close(run.forward(), np.take(w, indices, axis=0) + bias)
    dy = normal(3, 4, 5)
    _, (dw, dbias) = run.backward(dy)
    expected = np.zeros_like(w)
    np.add.at(expected, indices, dy)
    assert_close(dw, expected)
    assert_close(dbias, dy.sum(axis=(0, 1)))


def lstm(x: np.ndarray, cont: np.ndarray, parameters: list[np.ndarray]) -> np.ndarray:
    """h of all steps, also for complex numbers."""
    w_x, b, w_h = parameters
    size = w_h.shape[1]
    h = c = np.zeros((x.shape[1], size))
    steps = []
    for x_t, keep in zip(x, cont[..., None], strict=True):
        a = x_t @ w_x.T + b + (keep * h) @ w_h.T
        i, f, o = (1 / (1 + np.exp(-a[:, k * size : (k + 1) * size])) for k in range(3))
        c = keep * f * c + i * np.tanh(a[:, 3 * size :])
        h = o * np.tanh(c)
        steps.append(h)
    return np.array(steps)


def rnn(x: np.ndarray, cont: np.ndarray, parameters: list[np.ndarray]) -> np.ndarray:
    """o of all steps, also for complex numbers."""
    w_x, b_h, w_h, w_o, b_o = parameters
    h = np.zeros((x.shape[1], w_h.shape[1]))
    steps = []
    for x_t, keep in zip(x, cont[..., None], strict=True):
        h = np.tanh(x_t @ w_x.T + b_h + (keep * h) @ w_h.T)
        steps.append(np.tanh(h @ w_o.T + b_o))
    return np.array(steps)


@pytest.mark.parametrize(("name", "reference"), [("LSTM", lstm), ("RNN", rnn)])
def test_recurrent(layer, normal, name, reference):
    x = normal(5, 3, 4)
    cont = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], float)
    run = layer(f'type: "{name}" recurrent_param {{ num_output: 6 {FILLERS} }}', x, cont)
    parameters = run.weights
    y = run.forward()
    assert_close(y, reference(x, cont, parameters))
    # Gradients by complex steps, which are exact.
    dy = normal(*y.shape)
    dx, gradients = run.backward(dy)
    arrays, computed = [x, *parameters], [dx, *gradients]
    for which, array in enumerate(arrays):
        for i in np.random.default_rng(0).choice(array.size, 4):
            moved = [a.astype(complex) for a in arrays]
            moved[which].flat[i] += 1e-30j
            expected = (dy * reference(moved[0], cont, moved[1:]).imag).sum() / 1e-30
            scale = max(1.0, np.abs(computed[which]).max())
            assert computed[which].flat[i] == pytest.approx(expected, abs=LAYER_RELATIVE * scale)
