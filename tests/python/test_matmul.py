"""crossbar_matmul: with ideal wires and converters it is integer arithmetic, with ideal converters a folded matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rxnn
import tolerance
from caffe.proto.caffe_pb2 import CrossbarParameter
from rxnn.crossbar import program_matrix

IDEAL_WIRES = {"r_source_ohm": 0, "r_sink_ohm": 0, "r_wordline_ohm": 0, "r_bitline_ohm": 0}
IDEAL = {**IDEAL_WIRES, "adc_bits": 0}


@st.composite
def schemes(draw, **fixed):
    """Hardware of any size, bits, sign scheme and scale."""
    weight_bits = draw(st.integers(2, 10))
    input_bits = draw(st.integers(1, 9))
    return CrossbarParameter(
        rows=draw(st.integers(1, 40)),
        cols=draw(st.integers(1, 40)),
        weight_bits=weight_bits,
        cell_bits=draw(st.integers(1, min(weight_bits, 6))),
        input_bits=input_bits,
        dac_bits=draw(st.integers(1, min(input_bits, 4))),
        signed_weights=draw(st.sampled_from(CrossbarParameter.SignedWeights.values())),
        subtraction=draw(st.sampled_from(CrossbarParameter.Subtraction.values())),
        weight_scale=draw(st.sampled_from(CrossbarParameter.WeightScale.values())),
        **fixed,
    )


@st.composite
def products(draw):
    """B, K, N, whether inputs have signs, and a seed."""
    sizes = st.tuples(st.integers(1, 5), st.integers(1, 90), st.integers(1, 70))
    return (*draw(sizes), draw(st.booleans()), draw(st.integers(0, 2**32 - 1)))


def integers(hardware: CrossbarParameter, product) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (B, K) and weights (K, N) that are their own codes: the scales are the largest codes."""
    batch, inputs, outputs, signed, seed = product
    rng = np.random.default_rng(seed)
    largest_weight, largest_input = 2 ** (hardware.weight_bits - 1) - 1, 2**hardware.input_bits - 1
    w = rng.integers(-largest_weight, largest_weight + 1, (inputs, outputs))
    w[rng.integers(inputs, size=outputs), np.arange(outputs)] = largest_weight
    x = rng.integers(-largest_input if signed else 0, largest_input + 1, (batch, inputs))
    x[np.arange(batch), rng.integers(inputs, size=batch)] = largest_input
    return x, w


@settings(max_examples=150, deadline=None)
@given(schemes(**IDEAL_WIRES), products(), st.sampled_from([0, 20]))
def test_ideal_arrays_are_integer_arithmetic(hardware, product, adc_bits):
    hardware.adc_bits = adc_bits  # ideal, or enough: a step is below half a level
    x, w = integers(hardware, product)
    matrix = program_matrix(w, hardware)
    np.testing.assert_array_equal(matrix.multiply(x), x @ w)
    # Every scale is 1 but for its rounding.
    np.testing.assert_allclose(rxnn.crossbar_matmul(x, w, hardware), x @ w, rtol=2**-22)


@settings(max_examples=60, deadline=None)
@given(schemes(r_on_ohm=5e4, r_off_ohm=4e5, conductance_sigma=0.05, stuck_on_rate=0.01, adc_bits=0), products())
def test_ideal_converters_are_the_folded_matrix(hardware, product):
    x, w = integers(hardware, product)
    matrix = program_matrix(w, hardware)
    levels = matrix.levels().astype(np.float64)[0]  # polarity, slice, K, N
    shift = (2.0**hardware.cell_bits) ** np.arange(levels.shape[1])
    sign = np.array([1.0, -1.0])[: levels.shape[0]]
    folded = np.einsum("pskn,p,s->kn", levels, sign, shift)
    magnitude = np.einsum("pskn,s->kn", np.abs(levels), shift)
    if hardware.signed_weights == CrossbarParameter.OFFSET:
        folded -= 2.0 ** (hardware.weight_bits - 1)
        magnitude += 2.0 ** (hardware.weight_bits - 1)
    # Kernels may add levels in float32, in K steps at most; g_off's share is of the levels' size.
    offset = (1 / hardware.r_off_ohm) / ((1 / hardware.r_on_ohm - 1 / hardware.r_off_ohm) / (2**hardware.cell_bits - 1))
    sizes = magnitude + offset * shift.sum() * len(sign)
    bound = 2 * len(w) * 2.0**-24 * (np.abs(x) @ sizes)
    bound += tolerance.level_units(sizes.max(), np.abs(x).sum(axis=1, keepdims=True))
    assert np.all(np.abs(matrix.multiply(x) - x @ folded) <= bound + 1e-9)


def test_converters_of_few_bits_err_more(rng):
    x, w = rng.uniform(size=(20, 100)), rng.normal(size=(100, 30))
    exact = rxnn.crossbar_matmul(x, w, CrossbarParameter(**IDEAL))

    def error(bits: int) -> float:
        result = rxnn.crossbar_matmul(x, w, CrossbarParameter(adc_bits=bits, **IDEAL_WIRES))
        return float(np.std(result - exact))

    # 8 bits tell apart the 193 sums of 64 one-bit inputs and two-bit cells, and 6 bits do not.
    assert error(8) == 0
    assert 0 < error(7) < error(6) < error(4)


def test_real_values_are_quantised(rng):
    x = rng.normal(size=(6, 50)).astype(np.float32)
    w = rng.normal(size=(50, 20)).astype(np.float32)
    hardware = CrossbarParameter(weight_bits=8, input_bits=8, **IDEAL)
    x_scale, w_scale = np.abs(x).max(axis=1, keepdims=True), np.abs(w).max()
    x_q, w_q = np.rint(x / x_scale * 255), np.rint(w / w_scale * 127)
    expected = (x_q @ w_q) * x_scale * w_scale / (255 * 127)
    result = rxnn.crossbar_matmul(x, w, hardware)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=1e-6 * np.abs(expected).max())


def test_the_seed_names_a_chip(rng):
    x, w = rng.uniform(size=(3, 30)), rng.normal(size=(30, 10))

    def run(seed: int, name: str = "layer") -> np.ndarray:
        hardware = CrossbarParameter(conductance_sigma=0.1, seed=seed)
        return rxnn.crossbar_matmul(x, w, hardware, name=name)

    np.testing.assert_array_equal(run(1), run(1))
    assert np.any(run(1) != run(2))
    assert np.any(run(1) != run(1, "other"))


def test_levels_can_be_loaded(rng):
    x, w = rng.uniform(size=(3, 30)), rng.normal(size=(30, 10)).astype(np.float32)
    matrix = program_matrix(w, "rram_64x64")
    twin = rxnn._rxnn.CrossbarMatrix(rxnn.load_hardware("rram_64x64").SerializeToString(), "twin", 1, 30, 10)
    twin.load(matrix.levels(), matrix.scales())
    np.testing.assert_array_equal(twin.matmul(x), matrix.matmul(x))


def test_the_report_counts_arrays():
    hardware = CrossbarParameter(rows=16, cols=8, weight_bits=8, cell_bits=2)
    matrix = rxnn._rxnn.CrossbarMatrix(hardware.SerializeToString(), "layer", 2, 33, 9)
    calls = []
    report = matrix.program(np.ones((18, 33)), lambda done, total: calls.append((done, total)))
    assert report.tiles == matrix.num_tiles == 2 * 3 * 2
    assert report.arrays == 12 * 4 * 2
    assert report.utilisation == pytest.approx(2 * 33 * 9 / (12 * 16 * 8))
    assert 0 < report.mean_relative_change <= report.worst_relative_change
    assert calls[-1] == (96, 96)
    assert sorted(calls) == calls


def test_progress_may_stop_the_work(rng):
    matrix = rxnn._rxnn.CrossbarMatrix(CrossbarParameter().SerializeToString(), "layer", 1, 500, 300)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matrix.program(rng.normal(size=(300, 500)), stop)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_values_that_are_not_finite(bad):
    x, w = np.ones((2, 3)), np.ones((3, 4))
    x[1, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        rxnn.crossbar_matmul(x, w, "ideal")
    w[1, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        rxnn.crossbar_matmul(np.ones((2, 3)), w, "ideal")


def test_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(4, 5\)"):
        rxnn.crossbar_matmul(np.ones((2, 3)), np.ones((4, 5)), "ideal")
    with pytest.raises(ValueError, match="outside -255 to 255"):
        program_matrix(np.ones((3, 4)), "ideal").multiply([[256, 0, 0]])
