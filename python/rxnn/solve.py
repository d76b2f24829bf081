"""Arrays whose cells are not linear: the whole circuit by Newton's method, and the linear array that stands for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from . import _rxnn
from .crossbar import DEFAULTS, LineEnds, make_wires


@dataclass(frozen=True)
class Sinh:
    """Cells that carry I = g V0 sinh(V / V0) ampere, g their conductance at 0 V."""

    v0_volt: float


@dataclass(frozen=True)
class CurveTable:
    """Cells that carry g times an odd function of straight pieces through (0, 0) and the given points.

    Both lists rise from above 0; beyond the last point its piece goes on. A cell of g = 1 carries `ampere` at `volt`.
    """

    volt: Sequence[float]
    ampere: Sequence[float]


# None: linear cells, I = g V.
Cell = Sinh | CurveTable | None


@dataclass(frozen=True)
class ArraySolution:
    """What Newton's method found for one or more input vectors (leading axis B where there are several)."""

    currents: np.ndarray  # (N,) or (B, N), ampere
    word_volt: np.ndarray  # (M, N) or (B, M, N), at the word-line nodes
    bit_volt: np.ndarray  # the same at the bit-line nodes
    # For every vector: converged, iterations, residual (largest imbalance of currents at a node, ampere), message.
    summaries: list[_rxnn.SolveSummary]


def solve_array(
    g: ArrayLike,
    v: ArrayLike,
    *,
    cell: Cell = None,
    series_ohm: ArrayLike = 0,
    r_source_ohm: float = DEFAULTS.r_source_ohm,
    r_sink_ohm: float = DEFAULTS.r_sink_ohm,
    r_wordline_ohm: float | ArrayLike = DEFAULTS.r_wordline_ohm,
    r_bitline_ohm: float | ArrayLike = DEFAULTS.r_bitline_ohm,
    driven: LineEnds = "ONE_END",
    sensed: LineEnds = "ONE_END",
    max_iterations: int = 200,
    tolerance: float = 1e-12,
    must_converge: bool = True,
) -> ArraySolution:
    """Solves the whole array, cells of any curve, for input vectors: the truth for cells that are not linear.

    Args:
        g: conductances of the cells, siemens, shape (M, N).
        v: voltages of the drivers, shape (M) or (B, M).
        cell: the curve that all cells have.
        series_ohm: in series with the devices of every row, a number or shape (M); access transistors are.
        r_source_ohm: as in equivalent_conductance, like the other five.
        r_sink_ohm: sense amplifier.
        r_wordline_ohm: word-line segment, or segments.
        r_bitline_ohm: bit-line segment, or segments.
        driven: where word lines are driven.
        sensed: where bit lines are sensed.
        max_iterations: of Newton's method.
        tolerance: largest change of a voltage in the last iteration, relative to the largest input.
        must_converge: raise SolveError where a vector did not converge; else its summary says so.

    Raises:
        ValueError: for arguments that cannot be.
        SolveError: with iterations and residual, unless must_converge is False.

    >>> solve_array([[1e-4]], [0.5], cell=Sinh(0.1), r_source_ohm=0, r_sink_ohm=0).currents
    array([0.00074203])
    """
    g = np.asarray(g, np.float64)
    v = np.asarray(v, np.float64)
    wires = make_wires(r_source_ohm, r_sink_ohm, r_wordline_ohm, r_bitline_ohm, driven, sensed)
    curve, series = _curve(cell), _series(series_ohm, g)
    currents, word, bit, summaries = _rxnn.solve_array(
        g, np.atleast_2d(v), wires, curve, series, max_iterations, tolerance
    )
    for index, summary in enumerate(summaries):
        if must_converge and not summary.converged:
            raise _rxnn.SolveError(f"input vector {index}: {summary.message}")
    if v.ndim == 1:
        currents, word, bit = currents[0], word[0], bit[0]
    return ArraySolution(currents, word, bit, summaries)


def effective_conductance(
    g: ArrayLike,
    v: ArrayLike,
    *,
    cell: Cell,
    series_ohm: ArrayLike = 0,
    r_source_ohm: float = DEFAULTS.r_source_ohm,
    r_sink_ohm: float = DEFAULTS.r_sink_ohm,
    r_wordline_ohm: float | ArrayLike = DEFAULTS.r_wordline_ohm,
    r_bitline_ohm: float | ArrayLike = DEFAULTS.r_bitline_ohm,
    driven: LineEnds = "ONE_END",
    sensed: LineEnds = "ONE_END",
) -> np.ndarray:
    """Conductances of the linear cells that fit an array of other cells best around its operating point.

    g_eff = sum I(v) v / sum v^2 over the voltages v that a cell sees under the calibration inputs, in the array of
    these very conductances: iterated until they agree. `equivalent_conductance` of the result is the fast model.

    Args:
        g: conductances of the cells at 0 V, siemens, shape (M, N), at most 512 of either.
        v: calibration inputs, volt, shape (M) or (B, M).
        cell: the curve that all cells have.
        series_ohm: in series with the devices of every row; is part of the result.
        r_source_ohm: as in equivalent_conductance, like the other five.
        r_sink_ohm: sense amplifier.
        r_wordline_ohm: word-line segment, or segments.
        r_bitline_ohm: bit-line segment, or segments.
        driven: where word lines are driven.
        sensed: where bit lines are sensed.

    Raises:
        ValueError: for arguments that cannot be.
        SolveError: where the conductances do not settle, with iterations and what is left.
    """
    g = np.asarray(g, np.float64)
    wires = make_wires(r_source_ohm, r_sink_ohm, r_wordline_ohm, r_bitline_ohm, driven, sensed)
    inputs = np.atleast_2d(np.asarray(v, np.float64))
    result, summary = _rxnn.effective_conductance(g, inputs, wires, _curve(cell), _series(series_ohm, g))
    if not summary.converged:
        raise _rxnn.SolveError(summary.message)
    return result


def _curve(cell: Cell) -> _rxnn.IvCurve:
    match cell:
        case None:
            return _rxnn.IvCurve("LINEAR", 1, [], [])
        case Sinh():
            return _rxnn.IvCurve("SINH", cell.v0_volt, [], [])
        case CurveTable():
            return _rxnn.IvCurve("TABLE", 1, list(cell.volt), list(cell.ampere))
    raise ValueError(f"cell is {cell!r}, expected None, Sinh or CurveTable")


def _series(series_ohm: ArrayLike, g: np.ndarray) -> list[float]:
    ohm = np.asarray(series_ohm, np.float64)
    if ohm.ndim == 0:
        return [] if ohm == 0 else [float(ohm)] * len(g)
    return ohm.tolist()
