"""Coordinates from blob to blob: which pixel of one top lies over which of another, and the crop that aligns them.

A layer maps a spatial coordinate x of its bottom to a x + b of its top, along every axis from `axis` on; the map of a
path is the composition of its layers' maps. With stride s, pad p and extent e = dilation (kernel - 1) + 1,
a convolution or pooling has a = 1 / s, b = (p - (e - 1) / 2) / s, and a deconvolution is the inverse of that.

>>> n.score = crop(n.upscore, n.data)  # the part of upscore that lies over data
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .net_spec import Function, Layers, Top

_SAME_COORDINATES = frozenset(
    [
        "AbsVal",
        "BatchNorm",
        "Bias",
        "BNLL",
        "Clip",
        "Dropout",
        "Eltwise",
        "ELU",
        "Exp",
        "Log",
        "LRN",
        "MVN",
        "Power",
        "PReLU",
        "ReLU",
        "Scale",
        "Sigmoid",
        "Softmax",
        "Split",
        "Swish",
        "TanH",
        "Threshold",
    ]
)
_SLIDING = frozenset(["Convolution", "CrossbarConvolution", "Im2col", "Pooling"])


class UndefinedMapException(Exception):
    """The layer has no map of coordinates."""


class AxisMismatchException(Exception):
    """Layers on one path begin their spatial axes at different ones."""


class CropError(AssertionError):
    """No crop makes the one blob lie over the other."""


class CoordMap(NamedTuple):
    """x -> a x + b along the axes from `axis` + 1 on; None: along all of them."""

    axis: int | None
    a: np.ndarray
    b: np.ndarray


_IDENTITY = CoordMap(None, np.ones(1), np.zeros(1))


def coord_map(fn: Function) -> CoordMap:
    """The map of a layer from its bottom to its top. Raises UndefinedMapException where there is none."""
    if fn.type_name in _SAME_COORDINATES:
        return _IDENTITY
    if fn.type_name in _SLIDING:
        return _sliding(fn)
    if fn.type_name == "Deconvolution":
        return inverse(_sliding(fn))
    if fn.type_name == "Crop":
        param = fn.params.get("crop_param", fn.params)
        offset = np.array(param.get("offset", 0), float, ndmin=1)
        return CoordMap(param.get("axis", 2) - 1, np.ones(1), -offset)
    raise UndefinedMapException(f"coordinates have no map through a layer of type {fn.type_name}")


def _sliding(fn: Function) -> CoordMap:
    param = fn.params.get("pooling_param" if fn.type_name == "Pooling" else "convolution_param", fn.params)
    if param.get("global_pooling", False):
        raise UndefinedMapException("coordinates have no map through global pooling")
    kernel = _per_axis(param, "kernel", 1, "kernel_size")
    stride = _per_axis(param, "stride", 1)
    extent = np.array(param.get("dilation", 1), ndmin=1) * (kernel - 1) + 1
    return CoordMap(param.get("axis", 1), 1 / stride, (_per_axis(param, "pad", 0) - (extent - 1) / 2) / stride)


def _per_axis(param: Mapping[str, Any], name: str, default: int, size: str | None = None) -> np.ndarray:
    if f"{name}_h" in param or f"{name}_w" in param:
        return np.array([param.get(f"{name}_h", default), param.get(f"{name}_w", default)], float)
    return np.array(param.get(size or name, default), float, ndmin=1)


def compose(base_map: CoordMap, next_map: CoordMap) -> CoordMap:
    """x -> base_map(next_map(x))."""
    axes = {axis for axis in (base_map[0], next_map[0]) if axis is not None}
    if len(axes) > 1:
        raise AxisMismatchException(f"the spatial axes begin at {base_map[0]} and at {next_map[0]}")
    a, b = np.broadcast_arrays(base_map[1] * next_map[1], base_map[1] * next_map[2] + base_map[2])
    return CoordMap(axes.pop() if axes else None, a, b)


def inverse(coord_map: CoordMap) -> CoordMap:
    """From top to bottom."""
    axis, a, b = coord_map
    return CoordMap(axis, 1 / a, -b / a)


def _maps_to(top: Top) -> dict[Top, CoordMap]:
    """The maps to `top` from itself and from all that it is computed from, as far as there are maps."""
    maps = {top: _IDENTITY}
    frontier = [top]
    while frontier:
        current = frontier.pop()
        try:
            through = coord_map(current.fn)
        except UndefinedMapException:
            continue
        # The second bottom of a Crop gives its size, not its coordinates.
        bottoms = current.fn.inputs[:1] if current.fn.type_name == "Crop" else current.fn.inputs
        for bottom in bottoms:
            if bottom not in maps:
                maps[bottom] = compose(maps[current], through)
                frontier.append(bottom)
    return maps


def coord_map_from_to(top_from: Top, top_to: Top) -> tuple[int | None, np.ndarray, np.ndarray]:
    """(axis, a, b): pixel x of top_from lies over pixel a x + b of top_to, along the axes after `axis`.

    Raises RuntimeError when nothing that both are computed from connects them.
    """
    from_maps, to_maps = _maps_to(top_from), _maps_to(top_to)
    for top, to_map in to_maps.items():
        if top in from_maps:
            return compose(to_map, inverse(from_maps[top]))
    raise RuntimeError("Could not compute map between tops; are they connected by spatial layers?")


def crop(top_from: Top, top_to: Top) -> Top:
    """The Crop layer that cuts from top_from what lies over top_to.

    Raises CropError when the two differ in scale, or lie apart by a fraction of a pixel, or top_to begins outside.
    """
    axis, a, b = coord_map_from_to(top_from, top_to)
    if not np.allclose(a, 1):
        raise CropError(f"scale mismatch on crop (a = {a})")
    offset = -np.round(b).astype(int)
    if not np.allclose(b, -offset):
        raise CropError(f"cannot crop noninteger offset (b = {b})")
    if np.any(offset < 0):
        raise CropError(f"cannot crop negative offset (b = {b})")
    first = 2 if axis is None else axis + 1
    return Layers().Crop(top_from, top_to, crop_param={"axis": first, "offset": offset.tolist()})
