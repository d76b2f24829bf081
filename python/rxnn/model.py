"""Networks as messages: which layers can go onto crossbars, and the matrices in them."""

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf import text_format

import caffe
from caffe import _caffe
from caffe.proto.caffe_pb2 import (
    TRAIN,
    ConvolutionParameter,
    CrossbarParameter,
    InnerProductParameter,
    LayerParameter,
    NetParameter,
)

from .errors import Error

# A plain layer type and the one that computes it on crossbars.
CROSSBAR_TYPES = {"Convolution": "CrossbarConvolution", "InnerProduct": "CrossbarInnerProduct"}

# Names that a message lists; of a large network there are hundreds.
_MOST_NAMES = 10

FilePath = str | os.PathLike[str]


def require_file(path: FilePath, what: str) -> None:
    """Raises Error unless the file is there; `what` says what it is for."""
    if not Path(path).is_file():
        raise Error(f"{what}: File not found: {os.fspath(path)}")


def read_model(path: FilePath) -> NetParameter:
    """The network of a prototxt of any age, in the current form; raises Error for a layer that no net could have."""
    require_file(path, "model")
    net = NetParameter.FromString(_caffe.read_net(path))
    known = caffe.layer_type_list()
    for layer in net.layer:
        if layer.type not in known and not _for_training_only(layer):
            raise Error(
                f"{os.fspath(path)}: layer {layer.name!r} has the type {layer.type!r}, which does not exist; "
                "a custom type needs its library in CAFFE_PLUGINS"
            )
    return net


def _for_training_only(layer: LayerParameter) -> bool:
    """Such layers are in no TEST phase: the machine with the network need not have their custom types."""
    return len(layer.include) > 0 and all(rule.phase == TRAIN and rule.HasField("phase") for rule in layer.include)


def load_net(net: NetParameter, weights: FilePath | None = None) -> caffe.Net:
    """The running network of a message, in the TEST phase."""
    with tempfile.TemporaryDirectory(prefix="rxnn") as folder:
        path = Path(folder) / "net.prototxt"
        write_model(net, path)
        return caffe.Net(path, caffe.TEST, weights=weights)


def write_model(net: NetParameter, path: FilePath) -> None:
    """Writes a prototxt."""
    Path(path).write_text(text_format.MessageToString(net), encoding="utf-8")


def select_layers(net: NetParameter, layers: str | None, exclude: str | None) -> list[LayerParameter]:
    """The Convolution and InnerProduct layers whose names match `layers` (default: all) and not `exclude`.

    Both are regular expressions, found anywhere in a name. Each must match a layer: one that does not is a mistake.
    """
    candidates = [layer for layer in net.layer if layer.type in CROSSBAR_TYPES]
    names = ", ".join(layer.name for layer in candidates)
    if not candidates:
        raise Error("the model has no Convolution or InnerProduct layer to put on crossbars")
    chosen = candidates
    for option, pattern, keep in (("--layers", layers, True), ("--exclude", exclude, False)):
        if pattern is None:
            continue
        expression = _compile(option, pattern)
        if not any(expression.search(layer.name) for layer in candidates):
            raise Error(f"{option} {pattern!r} matches no Convolution or InnerProduct layer; there are: {names}")
        chosen = [layer for layer in chosen if (expression.search(layer.name) is not None) == keep]
    if not chosen:
        raise Error(f"--layers {layers!r} and --exclude {exclude!r} leave no layer of: {names}")
    return chosen


def require_fault_layers(hardware: CrossbarParameter, layers: Sequence[LayerParameter]) -> None:
    """Raises Error for a fault of a layer that is not among `layers`, those to put on crossbars."""
    names = [layer.name for layer in layers]
    for index, fault in enumerate(hardware.fault):
        if fault.layer and fault.layer not in names:
            shown = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
            raise Error(f"fault[{index}]: layer {fault.layer!r} is not put on crossbars; the layers are: {shown}")


def put_on_crossbars(layer: LayerParameter, hardware: CrossbarParameter) -> None:
    """Makes a plain layer its crossbar twin."""
    layer.type = CROSSBAR_TYPES[layer.type]
    layer.crossbar_param.CopyFrom(hardware)


def _compile(option: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise Error(f"{option} {pattern!r} is no regular expression: {error}") from None


@dataclass(frozen=True)
class LayerMatrix:
    """The weights of a layer as `groups` matrices of `inputs` (K) x `outputs` (N)."""

    groups: int
    inputs: int
    outputs: int
    weights: np.ndarray  # (groups * outputs, inputs)
    bias: np.ndarray | None


def layer_matrix(layer: LayerParameter, blobs: Sequence[np.ndarray] | None) -> LayerMatrix:
    """The matrices of a Convolution or InnerProduct layer; raises Error for weights that do not fit it."""
    if blobs is None:
        raise Error(f"layer {layer.name!r}: the weight file has no weights for it")
    convolution = layer.type == "Convolution"
    param = layer.convolution_param if convolution else layer.inner_product_param
    expected = 2 if param.bias_term else 1
    if len(blobs) != expected:
        raise Error(f"layer {layer.name!r}: the weight file has {len(blobs)} blobs for it, the model takes {expected}")
    weights = blobs[0]
    if not (_fits_convolution if convolution else _fits_inner_product)(weights.shape, param):
        raise Error(f"layer {layer.name!r}: the weights have shape {weights.shape}, the model takes {_wanted(layer)}")
    bias = blobs[1] if param.bias_term else None
    if bias is not None and bias.size != param.num_output:
        raise Error(f"layer {layer.name!r}: the bias has {bias.size} values, the model takes {param.num_output}")
    groups = param.group if convolution else 1
    if not convolution and param.transpose:
        weights = weights.T
    matrix = np.ascontiguousarray(weights, np.float32).reshape(param.num_output, -1)
    return LayerMatrix(groups, matrix.shape[1], param.num_output // groups, matrix, bias)


def _fits_convolution(shape: Sequence[int], param: ConvolutionParameter) -> bool:
    if len(shape) < 3 or shape[0] != param.num_output or param.num_output % param.group != 0:
        return False
    kernel = list(shape[2:])
    return kernel == _kernel(param, len(kernel))


def _fits_inner_product(shape: Sequence[int], param: InnerProductParameter) -> bool:
    return len(shape) == 2 and shape[1 if param.transpose else 0] == param.num_output


def _kernel(param: ConvolutionParameter, axes: int) -> list[int]:
    """The kernel's size along each spatial axis; one number stands for all axes."""
    if param.HasField("kernel_h"):
        return [param.kernel_h, param.kernel_w]
    sizes = list(param.kernel_size)
    return sizes * axes if len(sizes) == 1 else sizes


def _wanted(layer: LayerParameter) -> str:
    if layer.type == "Convolution":
        param = layer.convolution_param
        kernel = ", ".join(str(size) for size in _kernel(param, 2))
        return f"({param.num_output}, channels / {param.group}, {kernel})"
    param = layer.inner_product_param
    return f"(inputs, {param.num_output})" if param.transpose else f"({param.num_output}, inputs)"
