"""Arrays of cells that are not linear: Newton's method against scipy, and the linear array that stands for them."""

import numpy as np
import pytest
import scipy.optimize

import rxnn
from rxnn.solve import ArraySolution

WIRES = {"r_source_ohm": 500, "r_sink_ohm": 100, "r_wordline_ohm": 2.5, "r_bitline_ohm": 3.5}
TABLE = rxnn.CurveTable([0.05, 0.1, 0.3], [0.01, 0.05, 0.4])


def curve(cell, v):
    if isinstance(cell, rxnn.Sinh):
        return cell.v0_volt * np.sinh(v / cell.v0_volt)
    slope = (cell.ampere[-1] - cell.ampere[-2]) / (cell.volt[-1] - cell.volt[-2])
    inside = np.interp(np.abs(v), [0, *cell.volt], [0, *cell.ampere])
    beyond = np.maximum(np.abs(v) - cell.volt[-1], 0) * slope
    return np.sign(v) * (inside + beyond)


def scipy_currents(g: np.ndarray, volts: np.ndarray, cell) -> np.ndarray:
    """Kirchhoff's current law at every node, solved by scipy's root finder for one input vector."""
    rows, cols = g.shape

    def imbalance(x):
        word, bit = x.reshape(2, rows, cols)
        cells = g * curve(cell, word - bit)
        along = np.diff(word, axis=1) / WIRES["r_wordline_ohm"]  # from right to left
        at_word = -cells
        at_word[:, 0] += (volts - word[:, 0]) / WIRES["r_source_ohm"]
        at_word[:, :-1] += along
        at_word[:, 1:] -= along
        down = -np.diff(bit, axis=0) / WIRES["r_bitline_ohm"]
        at_bit = cells
        at_bit[-1] -= bit[-1] / WIRES["r_sink_ohm"]
        at_bit[:-1] -= down
        at_bit[1:] += down
        return np.concatenate([at_word.ravel(), at_bit.ravel()]) * 1e5

    found = scipy.optimize.root(imbalance, np.zeros(2 * g.size), method="hybr", tol=1e-14)
    return found.x.reshape(2, rows, cols)[1, -1] / WIRES["r_sink_ohm"]


@pytest.mark.parametrize("cell", [rxnn.Sinh(0.1), rxnn.Sinh(0.5), TABLE], ids=["sinh 0.1", "sinh 0.5", "table"])
def test_equals_scipy(rng, cell):
    g = 1 / rng.uniform(1e4, 1e6, (5, 6))
    volts = rng.uniform(0, 0.3, (3, 5))
    volts[1, 2] = 0
    solution = rxnn.solve_array(g, volts, cell=cell, **WIRES)
    for k in range(3):
        np.testing.assert_allclose(solution.currents[k], scipy_currents(g, volts[k], cell), rtol=1e-7)


def test_shapes_and_summaries(rng):
    g = 1 / rng.uniform(1e5, 1e6, (4, 7))
    one = rxnn.solve_array(g, rng.uniform(0, 0.2, 4), cell=rxnn.Sinh(0.1))
    assert isinstance(one, ArraySolution)
    assert one.currents.shape == (7,)
    assert one.word_volt.shape == one.bit_volt.shape == (4, 7)
    assert [summary.converged for summary in one.summaries] == [True]
    assert one.summaries[0].iterations > 1
    assert one.summaries[0].residual < 1e-15
    many = rxnn.solve_array(g, rng.uniform(0, 0.2, (3, 4)), cell=rxnn.Sinh(0.1))
    assert many.currents.shape == (3, 7)
    assert many.word_volt.shape == (3, 4, 7)


def test_linear_cells_are_the_equivalent_conductance(rng):
    g = 1 / rng.uniform(1e5, 1e6, (8, 5))
    volts = rng.uniform(-0.1, 0.3, (4, 8))
    for ends in ("ONE_END", "BOTH_ENDS", "ALTERNATING_ENDS"):
        currents = rxnn.solve_array(g, volts, driven=ends, sensed=ends).currents
        expected = volts @ rxnn.equivalent_conductance(g, driven=ends, sensed=ends)
        np.testing.assert_allclose(currents, expected, rtol=1e-9, atol=1e-16)


def test_one_input_makes_the_fast_model_exact(rng):
    g = 1 / rng.uniform(1e4, 1e5, (12, 9))
    volts = rng.uniform(0, 0.25, 12)
    for cell in (rxnn.Sinh(0.15), TABLE):
        fitted = rxnn.effective_conductance(g, volts, cell=cell, series_ohm=2e3, **WIRES)
        fast = volts @ rxnn.equivalent_conductance(fitted, **WIRES)
        exact = rxnn.solve_array(g, volts, cell=cell, series_ohm=2e3, **WIRES).currents
        np.testing.assert_allclose(fast, exact, rtol=1e-6)


def test_what_does_not_converge_says_so(rng):
    g = 1 / rng.uniform(1e3, 1e4, (6, 6))
    volts = np.full(6, 0.3)
    with pytest.raises(rxnn.SolveError, match=r"input vector 0: did not converge: .* after 2 iterations, imbalance"):
        rxnn.solve_array(g, volts, cell=rxnn.Sinh(0.02), max_iterations=2)
    solution = rxnn.solve_array(g, volts, cell=rxnn.Sinh(0.02), max_iterations=2, must_converge=False)
    assert not solution.summaries[0].converged
    assert solution.summaries[0].iterations == 2


def test_refuses_what_cannot_be():
    g = np.full((3, 2), 1e-5)
    with pytest.raises(ValueError, match=r"curve_v0_volt: 0 is out of range"):
        rxnn.solve_array(g, [0.1] * 3, cell=rxnn.Sinh(0))
    with pytest.raises(ValueError, match=r"curve_volt\[1\]: 0\.1 must be finite and above the one before, 0\.2"):
        rxnn.solve_array(g, [0.1] * 3, cell=rxnn.CurveTable([0.2, 0.1], [1, 2]))
    with pytest.raises(ValueError, match=r"volts must have shape \(B, 3\)"):
        rxnn.solve_array(g, [0.1] * 2)
    with pytest.raises(ValueError, match=r"series resistances: 2 values, expected one for each of 3 rows"):
        rxnn.effective_conductance(g, [0.1] * 3, cell=None, series_ohm=[1, 2])
    with pytest.raises(ValueError, match=r"expected None, Sinh or CurveTable"):
        rxnn.solve_array(g, [0.1] * 3, cell="sinh")


def test_layers_of_curved_cells(rng):
    """Levels are those of the effective conductances under random digits; at v_read a cell is as programmed."""
    weights = rng.normal(size=(10, 6))
    ideal = "rows: 12 cols: 8 adc_bits: 0 r_source_ohm: 0 r_sink_ohm: 0 r_wordline_ohm: 0 r_bitline_ohm: 0 "
    # One-bit digits on ideal wires put v_read or nothing on a cell: the curve does not matter.
    linear = rxnn.program_matrix(weights, ideal).levels()
    for text in (
        "cell_curve: SINH curve_v0_volt: 0.1",
        "cell_curve: TABLE curve_volt: [0.1, 0.3] curve_ampere: [1, 9]",
    ):
        np.testing.assert_allclose(rxnn.program_matrix(weights, ideal + text).levels(), linear, atol=1e-5)
    # With more bits cells carry less than in proportion at small digits.
    curved = rxnn.program_matrix(weights, ideal + "dac_bits: 4 cell_curve: SINH curve_v0_volt: 0.1").levels()
    g_off, g_step = 1e-6, 3e-6
    ratio = (g_off + g_step * curved) / (g_off + g_step * linear)
    assert np.all((ratio > 0.5) & (ratio < 0.99))
    with pytest.raises(rxnn.HardwareError, match=r"rows, with a cell_curve that is not LINEAR: 513"):
        rxnn.program_matrix(weights, "rows: 513 cell_curve: SINH")
