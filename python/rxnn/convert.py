"""A model on crossbars: layers get their crossbar type, weights become equivalent conductances.

Three steps: plan (everything that can be wrong is found before any work starts), program (the native core quantises,
slices, tiles and extracts), write (both files appear together).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from caffe.proto.caffe_pb2 import CrossbarParameter, LayerParameter, NetParameter

from . import _rxnn
from .errors import Error
from .hardware import Hardware, load_hardware
from .model import (
    FilePath,
    LayerMatrix,
    layer_matrix,
    put_on_crossbars,
    read_model,
    require_fault_layers,
    select_layers,
    write_model,
)
from .weights import AddLayer, OutputFiles, Weights, check_size, read_weights, writing_weights

# Of a blob.
_MOST_VALUES = 2**31 - 1

# Called with the layer's name, arrays done and arrays in all.
Progress = Callable[[str, int, int], object]


@dataclass(frozen=True)
class LayerReport:
    """What became of one layer."""

    layer: str
    type: str  # the crossbar type
    groups: int
    rows: int  # K, of one group's matrix
    columns: int  # N, of one group's matrix
    tiles: int
    arrays: int  # tiles x slices x polarities
    arrays_without_packing: int  # the same, were all groups separate
    utilisation: float  # cells that hold a digit / all cells
    mean_relative_change: float | None  # of the conductances; None when they were not computed
    worst_relative_change: float | None


@dataclass(frozen=True)
class _PlannedLayer:
    layer: LayerParameter
    hardware: CrossbarParameter
    matrix: LayerMatrix
    num_levels: int
    tiles: int
    arrays: int
    arrays_without_packing: int

    def crossbars(self) -> _rxnn.CrossbarMatrix:
        """Arrays still to be programmed; made when they are needed, for they are large."""
        matrix = self.matrix
        return _rxnn.CrossbarMatrix(
            self.hardware.SerializeToString(), self.layer.name, matrix.groups, matrix.inputs, matrix.outputs
        )


def convert(
    model: FilePath,
    weights: FilePath,
    hardware: Hardware,
    out_model: FilePath,
    out_weights: FilePath,
    *,
    layers: str | None = None,
    exclude: str | None = None,
    online: bool = False,
    progress: Progress | None = None,
) -> list[LayerReport]:
    """Writes a model and weights that run on crossbars; returns a report of every layer put there.

    Args:
        model: prototxt.
        weights: .caffemodel, or HDF5 when the name ends in .h5.
        hardware: a preset's name or path, text, or a CrossbarParameter.
        out_model: the prototxt to write.
        out_weights: the weights to write; HDF5 when the name ends in .h5, needed beyond 2 GiB.
        layers: regular expression, found in the names of the layers to convert; default: all.
        exclude: regular expression, found in the names of the layers to leave.
        online: copy the weights as they are; the layers map and extract when the net is loaded.
        progress: called as arrays are done, with the layer's name, arrays done and arrays in all.
    """
    param = load_hardware(hardware)
    net = read_model(model)
    chosen = select_layers(net, layers, exclude)
    require_fault_layers(param, chosen)
    files = OutputFiles(out_model, out_weights)
    _refuse_same_file(model, weights, out_model, out_weights)
    values = read_weights(weights, net)
    param.conductance = CrossbarParameter.FROM_WEIGHTS if online else CrossbarParameter.STORED
    plan = [_plan_layer(layer, values, param) for layer in chosen]
    for planned in plan:
        if not online and planned.num_levels > _MOST_VALUES:
            raise Error(
                f"layer '{planned.layer.name}': its {planned.num_levels} conductances are more than a blob holds "
                f"({_MOST_VALUES}); let the layers compute them (--online), or leave it (--exclude)"
            )
    check_size(out_weights, _count_values(plan, values, online))

    for planned in plan:
        put_on_crossbars(planned.layer, param)
        if not online:
            del planned.layer.param[:]  # learning rates and sharing of weights that are no longer there
    with files:
        temporary_model, temporary_weights = files.temporary
        with writing_weights(temporary_weights, net) as add_layer:
            reports = _write_layers(add_layer, net, plan, values, online, progress)
        write_model(net, temporary_model)
    return reports


def _refuse_same_file(model: FilePath, weights: FilePath, out_model: FilePath, out_weights: FilePath) -> None:
    resolved = [Path(path).resolve() for path in (model, weights, out_model, out_weights)]
    if len(set(resolved)) < len(resolved):
        raise Error("model, weights, out-model and out-weights must be four different files")


def _plan_layer(layer: LayerParameter, values: Weights, hardware: CrossbarParameter) -> _PlannedLayer:
    matrix = layer_matrix(layer, values.get(layer.name))
    shape = (matrix.groups, matrix.inputs, matrix.outputs)
    probe = _rxnn.CrossbarMatrix(hardware.SerializeToString(), layer.name, *shape)
    separate = CrossbarParameter()
    separate.CopyFrom(hardware)
    separate.ClearField("group_packing")
    separate.ClearField("fault")  # they name arrays by their numbers with packing
    arrays = _rxnn.CrossbarMatrix(separate.SerializeToString(), layer.name, *shape).num_arrays
    return _PlannedLayer(layer, hardware, matrix, probe.num_levels, probe.num_tiles, probe.num_arrays, arrays)


def _count_values(plan: list[_PlannedLayer], values: Weights, online: bool) -> int:
    total = sum(blob.size for blobs in values.values() for blob in blobs)
    return total if online else total + sum(p.num_levels - p.matrix.weights.size for p in plan)


def _write_layers(
    add_layer: AddLayer,
    net: NetParameter,
    plan: list[_PlannedLayer],
    values: Weights,
    online: bool,
    progress: Progress | None,
) -> list[LayerReport]:
    planned = {p.layer.name: p for p in plan}
    total = sum(p.arrays for p in plan)
    done = 0
    reports = []
    for name in dict.fromkeys(layer.name for layer in net.layer):  # in order, each name once
        if name not in planned:
            if name in values:
                add_layer(name, values[name])
            continue
        this = planned[name]
        program = None
        if online:
            add_layer(name, values[name])
        else:
            crossbars = this.crossbars()
            program = _program(this, crossbars, done, total, progress)
            bias = [] if this.matrix.bias is None else [this.matrix.bias]
            add_layer(name, [crossbars.levels(), crossbars.scales(), *bias])
        done += this.arrays
        reports.append(_report(this, program))
    return reports


def _program(
    planned: _PlannedLayer, crossbars: _rxnn.CrossbarMatrix, done: int, total: int, progress: Progress | None
) -> _rxnn.ProgramReport:
    if progress is None:
        return crossbars.program(planned.matrix.weights)
    name = planned.layer.name
    return crossbars.program(planned.matrix.weights, lambda arrays, _: progress(name, done + arrays, total))


def _report(planned: _PlannedLayer, program: _rxnn.ProgramReport | None) -> LayerReport:
    matrix, hardware = planned.matrix, planned.hardware
    cells = planned.tiles * hardware.rows * hardware.cols
    return LayerReport(
        layer=planned.layer.name,
        type=planned.layer.type,
        groups=matrix.groups,
        rows=matrix.inputs,
        columns=matrix.outputs,
        tiles=planned.tiles,
        arrays=planned.arrays,
        arrays_without_packing=planned.arrays_without_packing,
        utilisation=matrix.groups * matrix.inputs * matrix.outputs / cells,
        mean_relative_change=program.mean_relative_change if program else None,
        worst_relative_change=program.worst_relative_change if program else None,
    )
