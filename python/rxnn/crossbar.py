"""One array and one matrix, from Python: the native code that the layers run."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from caffe.proto.caffe_pb2 import CrossbarParameter

from . import _rxnn
from .hardware import Hardware, load_hardware

DEFAULTS = CrossbarParameter()

# Which ends of the lines have drivers or sense amplifiers, as in CrossbarParameter.LineEnds.
LineEnds = Literal["ONE_END", "BOTH_ENDS", "ALTERNATING_ENDS"]


def equivalent_conductance(
    g: ArrayLike,
    *,
    r_source_ohm: float = DEFAULTS.r_source_ohm,
    r_sink_ohm: float = DEFAULTS.r_sink_ohm,
    r_wordline_ohm: float | ArrayLike = DEFAULTS.r_wordline_ohm,
    r_bitline_ohm: float | ArrayLike = DEFAULTS.r_bitline_ohm,
    driven: LineEnds = "ONE_END",
    sensed: LineEnds = "ONE_END",
) -> np.ndarray:
    """The matrix G_eq that stands for an array with its wires: sensed currents are I = G_eq^T V, exactly.

    Args:
        g: conductances of the cells, siemens, shape (..., M, N): M word lines, N bit lines; leading axes are arrays.
        r_source_ohm: driver of a word line, in series with its end.
        r_sink_ohm: sense amplifier of a bit line, in series with its end.
        r_wordline_ohm: word-line segment between neighbouring cells; or one value for each of the N - 1 segments.
        r_bitline_ohm: bit-line segment between neighbouring cells; or one value for each of the M - 1 segments.
        driven: word lines are driven at their left ends, at both, or at alternating ends (row 0 from the left).
        sensed: bit lines are sensed at their lower ends, at both (currents added), or at alternating ends (column 0 at
            the bottom).

    Returns:
        float64 array of the shape of `g`, siemens.

    Raises:
        ValueError: for a negative or non-finite conductance or resistance, or an array without cells.

    >>> equivalent_conductance([[1e-4]], r_source_ohm=5e3, r_sink_ohm=5e3, r_wordline_ohm=0, r_bitline_ohm=0)
    array([[5.e-05]])
    """
    wires = make_wires(r_source_ohm, r_sink_ohm, r_wordline_ohm, r_bitline_ohm, driven, sensed)
    return _rxnn.equivalent_conductance(np.asarray(g, np.float64), wires)


def node_voltages(
    g: ArrayLike,
    volts: ArrayLike,
    *,
    r_source_ohm: float = DEFAULTS.r_source_ohm,
    r_sink_ohm: float = DEFAULTS.r_sink_ohm,
    r_wordline_ohm: float | ArrayLike = DEFAULTS.r_wordline_ohm,
    r_bitline_ohm: float | ArrayLike = DEFAULTS.r_bitline_ohm,
    driven: LineEnds = "ONE_END",
    sensed: LineEnds = "ONE_END",
) -> tuple[np.ndarray, np.ndarray]:
    """The voltages at all nodes of an array for one input vector.

    Args:
        g: conductances of the cells, siemens, shape (M, N): M word lines, N bit lines.
        volts: what drives the word lines, shape (M).
        r_source_ohm: as in equivalent_conductance, like all that follow.
        r_sink_ohm: sense amplifier.
        r_wordline_ohm: word-line segment, or segments.
        r_bitline_ohm: bit-line segment, or segments.
        driven: where word lines are driven.
        sensed: where bit lines are sensed.

    Returns:
        The voltages of the word-line and of the bit-line node of every cell, float64 (M, N) each. Cell (i, j) carries
        g[i, j] * (word[i, j] - bit[i, j]) ampere; the sum over i is what the sense amplifiers of column j read.

    Raises:
        ValueError: as equivalent_conductance, and for voltages that do not fit or are not finite.

    >>> node_voltages([[1e-4]], [1], r_source_ohm=5e3, r_sink_ohm=5e3, r_wordline_ohm=0, r_bitline_ohm=0)
    (array([[0.75]]), array([[0.25]]))
    """
    wires = make_wires(r_source_ohm, r_sink_ohm, r_wordline_ohm, r_bitline_ohm, driven, sensed)
    return _rxnn.node_voltages(np.asarray(g, np.float64), np.asarray(volts, np.float64), wires)


def crossbar_matmul(
    x: ArrayLike, w: ArrayLike, hardware: Hardware, *, name: str = "matmul", first_read: int = 0
) -> np.ndarray:
    """What a crossbar layer without bias computes: about x @ w, with all that the hardware does to it.

    Args:
        x: inputs, shape (B, K); every row is an image of its own, with its own input range where that is not given.
        w: weights, shape (K, N).
        hardware: a preset's name or path, text, or a CrossbarParameter.
        name: the layer's name, which with the hardware's `seed` names the chip.
        first_read: number of the first row among the reads of this chip, for read noise.

    Returns:
        float32 array (B, N).

    Raises:
        HardwareError: for hardware that cannot exist.
        ValueError: for shapes that do not fit, or values that are not finite.
    """
    x = np.asarray(x, np.float32)
    w = np.asarray(w, np.float32)
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError(f"x must have shape (B, K) and w (K, N); they have {x.shape} and {w.shape}")
    matrix = program_matrix(w, hardware, name=name)
    return matrix.matmul(x, first_read)


def program_matrix(w: ArrayLike, hardware: Hardware, *, name: str = "matmul") -> _rxnn.CrossbarMatrix:
    """Weights (K, N) on their arrays, to be multiplied many times: matmul(x), levels(), scales()."""
    w = np.asarray(w, np.float32)
    matrix = _rxnn.CrossbarMatrix(load_hardware(hardware).SerializeToString(), name, 1, *w.shape)
    matrix.program(np.ascontiguousarray(w.T))
    return matrix


def make_wires(
    source: float, sink: float, wordline: float | ArrayLike, bitline: float | ArrayLike, driven: str, sensed: str
) -> _rxnn.Wires:
    """The native description of the wires of an array."""
    return _rxnn.Wires(
        r_source_ohm=source,
        r_sink_ohm=sink,
        r_wordline_ohm=np.asarray(wordline, np.float64),
        r_bitline_ohm=np.asarray(bitline, np.float64),
        driven=driven,
        sensed=sensed,
    )
