"""One array of cells with its wires and converters: of a matrix file, or of a layer of a network."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from caffe.proto.caffe_pb2 import CrossbarParameter, LayerParameter, NetParameter

from . import _rxnn
from .errors import Error
from .hardware import Hardware, load_hardware
from .model import CROSSBAR_TYPES, FilePath, LayerMatrix, layer_matrix, read_model
from .tables import read_table
from .weights import read_weights

_PLAIN_TYPES = {crossbar: plain for plain, crossbar in CROSSBAR_TYPES.items()}
_STORED_AXES = 5  # of blobs[0] of a layer with stored conductances
POLARITIES = ("positive", "negative")


@dataclass(frozen=True)
class PhysicalArray:
    """The cells as they are programmed, before wires."""

    name: str
    g: np.ndarray  # (rows, columns), siemens; of cells that are not linear, at v_read and without access transistors
    hardware: CrossbarParameter  # its rows and cols are those of g
    used_rows: int  # the first rows and columns are in use
    used_cols: int
    layer: str = ""  # whose random inputs cells that are not linear are fitted to

    @property
    def driven(self) -> str:
        """Where word lines are driven: ONE_END, BOTH_ENDS or ALTERNATING_ENDS."""
        return CrossbarParameter.LineEnds.Name(self.hardware.wordline_driven)

    @property
    def sensed(self) -> str:
        """Where bit lines are sensed, by the same names."""
        return CrossbarParameter.LineEnds.Name(self.hardware.bitline_sensed)

    def segments_away(self) -> np.ndarray:
        """Wire segments between every cell and the nearest driver of its row and sense amplifier of its column."""
        rows, cols = self.g.shape
        driver = _nearest(self.driven, np.arange(rows)[:, None], np.arange(cols)[None, :], cols)
        sense = _nearest(self.sensed, np.arange(cols)[None, :], np.arange(rows)[::-1, None], rows)
        return driver + sense

    def equivalent_conductance(self) -> np.ndarray:
        """G_eq, (rows, columns), siemens; with cells that are not linear, of their effective conductances."""
        return _rxnn.array_conductance(self.hardware.SerializeToString(), self.g, self.used_rows, self.layer)

    def node_voltages(self, volts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Voltages of the word-line and bit-line nodes, (rows, columns) each, for one input vector."""
        return _rxnn.array_voltages(self.hardware.SerializeToString(), self.g, volts, self.used_rows)

    def currents(self, volts: np.ndarray) -> np.ndarray:
        """The exact column currents for input vectors (vectors, rows): Newton's method on the whole circuit."""
        return _rxnn.array_currents(self.hardware.SerializeToString(), self.g, volts, self.used_rows)

    def ideal_currents(self, volts: np.ndarray) -> np.ndarray:
        """The column currents of the same cells without wire resistance, (vectors, columns)."""
        if self.linear:
            return volts @ self.g
        hardware = CrossbarParameter()
        hardware.CopyFrom(self.hardware)
        for field in ("r_source_ohm", "r_sink_ohm", "r_wordline_ohm", "r_bitline_ohm"):
            setattr(hardware, field, 0)
        for field in ("r_wordline_segment_ohm", "r_bitline_segment_ohm"):
            hardware.ClearField(field)
        return dataclasses.replace(self, hardware=hardware).currents(volts)

    @property
    def linear(self) -> bool:
        """Whether its cells are linear: equivalent_conductance is exact then."""
        return self.hardware.cell_curve == CrossbarParameter.LINEAR

    def dac_volts(self) -> np.ndarray:
        """What the DAC makes of every digit, volts."""
        return _rxnn.dac_voltages(self.hardware.SerializeToString())

    def describe(self) -> dict[str, Any]:
        """What it is, for reports."""
        hardware = self.hardware
        return {
            "name": self.name,
            "rows": self.g.shape[0],
            "columns": self.g.shape[1],
            "used_rows": self.used_rows,
            "used_columns": self.used_cols,
            "v_read_volt": hardware.v_read_volt,
            "r_source_ohm": hardware.r_source_ohm,
            "r_sink_ohm": hardware.r_sink_ohm,
            "r_wordline_ohm": list(hardware.r_wordline_segment_ohm) or hardware.r_wordline_ohm,
            "r_bitline_ohm": list(hardware.r_bitline_segment_ohm) or hardware.r_bitline_ohm,
            "wordline_driven": self.driven,
            "bitline_sensed": self.sensed,
            "cell_curve": CrossbarParameter.CellCurve.Name(hardware.cell_curve),
        }


def _nearest(ends: str, line: np.ndarray, from_first_end: np.ndarray, count: int) -> np.ndarray:
    """Segments to the nearest end of `line` that has a driver or a sense amplifier."""
    from_other_end = count - 1 - from_first_end
    if ends == "BOTH_ENDS":
        return np.minimum(from_first_end, from_other_end) + 0 * line
    if ends == "ALTERNATING_ENDS":
        return np.where(line % 2 == 0, from_first_end, from_other_end)
    return from_first_end + 0 * line


def matrix_array(path: FilePath, hardware: Hardware = "", *, key: str | None = None) -> PhysicalArray:
    """The array whose cells stand in a file.

    Args:
        path: conductances of the devices, siemens, row i on word line i: .npy, .npz, or text with a row per line.
        hardware: its wires, access transistors, I-V curve, v_read and DACs; rows and cols are the matrix's. Default:
            those of CrossbarParameter.
        key: which array of an .npz; needed where it holds several.
    """
    g = read_table(path, "matrix", key)
    param = load_hardware(hardware, size=g.shape)
    bad = np.argwhere(~(np.isfinite(g) & (g >= 0)))
    if bad.size:
        row, column = bad[0]
        raise Error(f"{path}: row {row}, column {column} (from 0): {g[row, column]}, expected siemens, 0 or more")
    if param.cell_type == CrossbarParameter.ONE_T_ONE_R and param.cell_curve == CrossbarParameter.LINEAR:
        g = g / (1 + g * param.r_access_on_ohm)
    return PhysicalArray(Path(path).name, g, param, *g.shape)


def layer_array(
    model: FilePath,
    weights: FilePath,
    layer: str,
    hardware: Hardware | None = None,
    *,
    tile: tuple[int, int] = (0, 0),
    group: int = 0,
    bit_slice: int = 0,
    polarity: str = "positive",
) -> PhysicalArray:
    """One array of a layer, programmed as `convert` and the layer itself do: the same chip.

    Args:
        model: prototxt, plain or on crossbars.
        weights: the plain weights. Stored conductances have the wires in them, and their cells are gone.
        layer: its name.
        hardware: the chip; default: the layer's own, where it is on crossbars.
        tile: row and column of the piece of the weight matrix, from 0.
        group: of a convolution with groups; with group_packing, the array is the one that this group shares.
        bit_slice: 0 is least significant.
        polarity: "positive" or "negative" parts; OFFSET has "positive" only.
    """
    net = read_model(model)
    message = _find_layer(net, layer)
    param = _hardware(message, hardware)
    if polarity not in POLARITIES:
        raise Error(f"polarity {polarity!r}: expected {' or '.join(POLARITIES)}")
    matrix = _plain_matrix(message, read_weights(weights, net).get(layer), weights)
    crossbars = _rxnn.CrossbarMatrix(param.SerializeToString(), layer, matrix.groups, matrix.inputs, matrix.outputs)
    together = crossbars.groups_together
    counts = (-(-matrix.inputs // param.rows), -(-matrix.outputs // param.cols))
    _require_below("tile row", tile[0], counts[0], layer)
    _require_below("tile column", tile[1], counts[1], layer)
    _require_below("group", group, matrix.groups, layer)
    _require_below("slice", bit_slice, crossbars.num_slices, layer)
    if POLARITIES.index(polarity) >= crossbars.num_polarities:
        raise Error(f"layer {layer!r}: polarity negative: OFFSET hardware has one array, positive")
    place = (group // together, *tile, bit_slice, POLARITIES.index(polarity))
    g = crossbars.cell_conductances(matrix.weights, *place)
    words = [f"layer {layer}", f"tile {tile[0]},{tile[1]}", f"slice {bit_slice}", polarity]
    first = group // together * together
    groups = min(together, matrix.groups - first)
    if groups > 1:
        words.insert(1, f"groups {first} to {first + groups - 1}")
    elif matrix.groups > 1:
        words.insert(1, f"group {group}")
    used_rows = min(param.rows, groups * matrix.inputs - tile[0] * param.rows)
    used_cols = min(param.cols, groups * matrix.outputs - tile[1] * param.cols)
    return PhysicalArray(", ".join(words), g, param, used_rows, used_cols, layer)


def _find_layer(net: NetParameter, name: str) -> LayerParameter:
    candidates = [layer for layer in net.layer if layer.type in CROSSBAR_TYPES or layer.type in _PLAIN_TYPES]
    for layer in candidates:
        if layer.name == name:
            return layer
    names = ", ".join(dict.fromkeys(layer.name for layer in candidates))
    raise Error(f"the model has no layer {name!r} with a weight matrix; there are: {names or 'none'}")


def _hardware(layer: LayerParameter, hardware: Hardware | None) -> CrossbarParameter:
    if hardware is not None:
        return load_hardware(hardware)
    if layer.type not in _PLAIN_TYPES:
        raise Error(f"layer {layer.name!r} is not on crossbars: name the hardware to put it on")
    return load_hardware(layer.crossbar_param)


def _plain_matrix(layer: LayerParameter, blobs: list[np.ndarray] | None, weights: FilePath) -> LayerMatrix:
    if blobs and blobs[0].ndim == _STORED_AXES:
        raise Error(
            f"{weights}: layer {layer.name!r} holds equivalent conductances, from which the cells cannot be told; "
            "give the plain weights that were converted"
        )
    plain = LayerParameter()
    plain.CopyFrom(layer)
    plain.type = _PLAIN_TYPES.get(layer.type, layer.type)
    return layer_matrix(plain, blobs)


def _require_below(what: str, value: int, count: int, layer: str) -> None:
    if not 0 <= value < count:
        raise Error(f"layer {layer!r}: {what} {value} is out of range, expected 0 to {count - 1}")
