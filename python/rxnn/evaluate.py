"""What a network's outputs are worth on hardware: its TEST phase, plain and with layers on crossbars."""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from google.protobuf.descriptor import FieldDescriptor

import caffe
from caffe.proto.caffe_pb2 import CrossbarParameter, NetParameter

from .errors import Error
from .hardware import Hardware, hardware_name, load_hardware
from .model import (
    FilePath,
    layer_matrix,
    load_net,
    put_on_crossbars,
    read_model,
    require_fault_layers,
    require_file,
    select_layers,
)
from .weights import read_weights

PLAIN = "plain"

# Called with the name of the run, images done and images in all.
Progress = Callable[[str, int, int], object]


@dataclass(frozen=True)
class Result:
    """The scalar outputs of one run, averaged over its iterations."""

    hardware: str  # "plain" for the network without crossbars
    outputs: dict[str, float]
    seconds: float  # of all iterations, mapping and extraction included
    images: int
    images_per_second: float  # mapping and extraction left out
    # Of every layer with converters: the part of its conversions whose current was beyond the converter's range.
    saturated: dict[str, float] = dataclasses.field(default_factory=dict)
    saturated_overall: float | None = None  # of all conversions; None where there are no converters


@dataclass(frozen=True)
class Evaluation:
    """The plain run and the runs on hardware."""

    iterations: int
    losses: frozenset[str]  # outputs that are worse when they are larger
    plain: Result
    on_hardware: list[Result]

    def drop(self, result: Result, output: str) -> float:
        """By how much an output is below the plain network's."""
        return self.plain.outputs[output] - result.outputs[output]


def evaluate(
    model: FilePath,
    weights: FilePath,
    hardware: Hardware | Sequence[Hardware],
    *,
    iterations: int = 50,
    layers: str | None = None,
    exclude: str | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Runs the TEST phase plain and on each hardware, mapping and extracting in memory.

    Args:
        model: prototxt with data layers for TEST and scalar outputs (Accuracy, a loss).
        weights: the plain network's .caffemodel or .h5.
        hardware: a preset, path, text or message, or several of them.
        iterations: batches to average over.
        layers: regular expression, found in the names of the layers to put on crossbars; default: all.
        exclude: regular expression, found in the names of the layers to leave.
        progress: called after every batch.
    """
    chips = [hardware] if isinstance(hardware, str | os.PathLike | CrossbarParameter) else hardware
    runs = [(hardware_name(chip), load_hardware(chip)) for chip in chips]
    return _evaluate_runs(model, weights, runs, iterations, layers, exclude, progress)


def take_apart(
    model: FilePath,
    weights: FilePath,
    hardware: Hardware,
    *,
    iterations: int = 50,
    layers: str | None = None,
    exclude: str | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Where the drop on one hardware comes from: its causes added one after the other, as `causes` lists them."""
    runs = causes(load_hardware(hardware))
    return _evaluate_runs(model, weights, runs, iterations, layers, exclude, progress)


def causes(hardware: CrossbarParameter) -> list[tuple[str, CrossbarParameter]]:
    """The hardware with one more of its imperfections at a time: quantisation, + converters, + wires, + cells.

    The first has the hardware's bits of weights and inputs and is ideal in all else; the last is the hardware.
    """
    ideal = CrossbarParameter()
    ideal.CopyFrom(hardware)
    for fields in _CAUSES.values():
        for field in fields:
            ideal.ClearField(field)
    ideal.adc_bits = 0
    for field in ("r_source_ohm", "r_sink_ohm", "r_wordline_ohm", "r_bitline_ohm"):
        setattr(ideal, field, 0)
    if hardware.level_siemens:
        ideal.r_on_ohm = 1 / hardware.level_siemens[-1]
        ideal.r_off_ohm = 1 / hardware.level_siemens[0]
    steps = [("quantisation", ideal)]
    for label, fields in _CAUSES.items():
        step = CrossbarParameter()
        step.CopyFrom(steps[-1][1])
        for field in fields:
            _copy_field(field, hardware, step)
        steps.append((label, step))
    steps[-1][1].CopyFrom(hardware)
    return steps


# The fields of each cause, in the order in which causes are added.
_CAUSES = {
    "+ converters": (
        "dac_volt",
        "dac_polynomial",
        "dac_inl_lsb",
        "dac_dnl_sigma_lsb",
        "dac_gain_error",
        "dac_offset_volt",
        "dac_noise_sigma_volt",
        "adc_bits",
        "adc_gain_error",
        "adc_gain_sigma",
        "adc_offset_lsb",
        "adc_offset_sigma_lsb",
        "adc_noise_sigma_lsb",
        "adc_polynomial",
        "adc_inl_lsb",
        "adc_transition_lsb",
        "adc_dnl_sigma_lsb",
    ),
    "+ wires": (
        "r_source_ohm",
        "r_sink_ohm",
        "r_wordline_ohm",
        "r_bitline_ohm",
        "r_wordline_segment_ohm",
        "r_bitline_segment_ohm",
        "wordline_driven",
        "bitline_sensed",
    ),
    "+ cells": (
        "cell_type",
        "cell_curve",
        "level_siemens",
        "conductance_sigma",
        "level_sigma",
        "stuck_on_rate",
        "stuck_off_rate",
        "fault",
        "drift_time_second",
        "read_noise_sigma",
    ),
}


def _copy_field(name: str, source: CrossbarParameter, target: CrossbarParameter) -> None:
    target.ClearField(name)
    if source.DESCRIPTOR.fields_by_name[name].label == FieldDescriptor.LABEL_REPEATED:
        getattr(target, name).extend(getattr(source, name))
    elif source.HasField(name):
        setattr(target, name, getattr(source, name))


def _evaluate_runs(
    model: FilePath,
    weights: FilePath,
    runs: Sequence[tuple[str, CrossbarParameter]],
    iterations: int,
    layers: str | None,
    exclude: str | None,
    progress: Progress | None,
) -> Evaluation:
    if iterations < 1:
        raise Error(f"iterations is {iterations}; at least 1 is needed")
    net = read_model(model)
    require_file(weights, "weights")
    values = read_weights(weights, net)
    chosen = select_layers(net, layers, exclude)
    for _, param in runs:
        require_fault_layers(param, chosen)
    for layer in chosen:
        layer_matrix(layer, values.get(layer.name))
    del values

    plain, losses = _run(PLAIN, net, weights, iterations, progress)
    results: dict[bytes, Result] = {}  # what costs nothing more is not run again
    on_hardware = []
    for name, param in runs:
        key = param.SerializeToString(deterministic=True)
        if key not in results:
            crossbar_net = _on_crossbars(net, param, layers, exclude)
            results[key], _ = _run(name, crossbar_net, weights, iterations, progress)
        on_hardware.append(dataclasses.replace(results[key], hardware=name))
    return Evaluation(iterations, losses, plain, on_hardware)


def _on_crossbars(
    net: NetParameter, hardware: CrossbarParameter, layers: str | None, exclude: str | None
) -> NetParameter:
    crossbar_net = NetParameter()
    crossbar_net.CopyFrom(net)
    param = CrossbarParameter()
    param.CopyFrom(hardware)
    param.conductance = CrossbarParameter.FROM_WEIGHTS
    for layer in select_layers(crossbar_net, layers, exclude):
        put_on_crossbars(layer, param)
    return crossbar_net


def _run(
    name: str, param: NetParameter, weights: FilePath, iterations: int, progress: Progress | None
) -> tuple[Result, frozenset[str]]:
    """The result, and which of its outputs are losses."""
    net = load_net(param, weights)  # gone when this returns: a database can be open only once in a process
    outputs = [output for output in net.outputs if net.blobs[output].count == 1]
    if not outputs:
        raise Error(
            "the model's TEST phase has no scalar output (an Accuracy or a loss); its outputs are: "
            + (", ".join(net.outputs) or "none")
        )
    batch = next(iter(net.blobs.values())).data.shape[0]  # of the first layer, which reads the data
    start = time.perf_counter()
    sums = dict.fromkeys(outputs, 0.0)
    for iteration in range(iterations):
        net.forward()
        for output in outputs:
            sums[output] += float(np.asarray(net.blobs[output].data).reshape(()))
        if progress is not None:
            progress(name, (iteration + 1) * batch, iterations * batch)
    seconds = time.perf_counter() - start
    mapping = sum(layer.part_seconds.get("map", 0.0) for layer in net.layers)
    speed = iterations * batch / (seconds - mapping)
    losses = frozenset(output for output in outputs if net.blob_loss_weights[output] != 0)
    means = {output: total / iterations for output, total in sums.items()}
    return Result(name, means, seconds, iterations * batch, speed, *_saturation(net)), losses


def _saturation(net: caffe.Net) -> tuple[dict[str, float], float | None]:
    saturated = {}
    conversions = 0.0
    beyond = 0.0
    for layer in net.layers:
        statistics = layer.statistics
        if "adc_conversions" not in statistics:
            continue
        part = statistics["adc_saturated_low"] + statistics["adc_saturated_high"]
        saturated[layer.name] = part
        conversions += statistics["adc_conversions"]
        beyond += part * statistics["adc_conversions"]
    return saturated, beyond / conversions if conversions else None
