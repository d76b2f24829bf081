"""Networks as pictures: a graph of layers and blobs, drawn by Graphviz.

Needs the Python package pydot; picture formats need Graphviz (`dot`) as well. The format `dot` (or `gv`) is the graph's
own text and needs no Graphviz.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import write_beside
from .proto import caffe_pb2

if TYPE_CHECKING:
    import pydot

_FILL = {
    "Convolution": "#FF5050",
    "Deconvolution": "#FF5050",
    "CrossbarConvolution": "#8050C8",
    "Pooling": "#FF9900",
    "InnerProduct": "#CC33FF",
    "CrossbarInnerProduct": "#8050C8",
}
_OTHER_LAYER = "#6495ED"
_BLOB = {"shape": "octagon", "style": "filled", "fillcolor": "#E0E0E0"}
_SLIDING = ("Convolution", "CrossbarConvolution", "Deconvolution", "Im2col")


def _pydot() -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError("drawing needs the Python package pydot: pip install pydot") from None
    return pydot


def get_pooling_types_dict() -> dict[int, str]:
    """The names of the pooling methods by their numbers."""
    return {number: name for name, number in caffe_pb2.PoolingParameter.PoolMethod.items()}


def get_edge_label(layer: caffe_pb2.LayerParameter) -> str:
    """What is written on the way from a layer to its tops: batch size of a data layer, outputs of a weighted one."""
    if layer.type == "Data":
        return f"Batch {layer.data_param.batch_size}"
    if layer.type in _SLIDING and layer.type != "Im2col":
        return str(layer.convolution_param.num_output)
    if layer.type in ("InnerProduct", "CrossbarInnerProduct"):
        return str(layer.inner_product_param.num_output)
    return ""


def get_layer_lr_mult(layer: caffe_pb2.LayerParameter) -> float:
    """The learning-rate multiplier of a layer with weights: that of its first parameter, 1 by default."""
    return layer.param[0].lr_mult if len(layer.param) else 1.0


def _pair(param: Any, name: str, default: int, size: str | None = None) -> str:
    """The one value of a kernel, stride or pad, or its values per axis."""
    if param.HasField(f"{name}_h") or param.HasField(f"{name}_w"):
        return f"{getattr(param, f'{name}_h')}x{getattr(param, f'{name}_w')}"
    given = getattr(param, size or name)
    if not hasattr(given, "extend"):
        return str(given if param.HasField(size or name) else default)
    return "x".join(str(value) for value in given) or str(default)


def get_layer_label(layer: caffe_pb2.LayerParameter, rankdir: str, display_lrm: bool = False) -> str:
    """The text in a layer's box: name, type, and for sliding layers kernel, stride and pad.

    `rankdir` TB or BT keeps it on one line, display_lrm adds the learning-rate multiplier.
    """
    lines = [layer.name, f"({layer.type})"]
    if layer.type in _SLIDING or layer.type == "Pooling":
        pooling = layer.type == "Pooling"
        param = layer.pooling_param if pooling else layer.convolution_param
        if pooling:
            lines[1] = f"({get_pooling_types_dict()[param.pool]} {layer.type})"
        if pooling and param.global_pooling:
            lines.append("global")
        else:
            lines.append(f"kernel size: {_pair(param, 'kernel', 1, 'kernel_size')}")
            lines.append(f"stride: {_pair(param, 'stride', 1)}")
            lines.append(f"pad: {_pair(param, 'pad', 0)}")
            if not pooling and param.dilation:
                lines.append("dilation: " + "x".join(str(value) for value in param.dilation))
    if layer.type.startswith("Crossbar"):
        lines.append(f"arrays: {layer.crossbar_param.rows}x{layer.crossbar_param.cols}")
    weighted = layer.type in _FILL and layer.type != "Pooling"
    if display_lrm and weighted:
        lines.append(f"lr mult: {get_layer_lr_mult(layer):.1f}")
    return ("  " if rankdir in ("TB", "BT") else "\n").join(lines)


def choose_color_by_layertype(layertype: str) -> str:
    """The colour of a layer's box."""
    return _FILL.get(layertype, _OTHER_LAYER)


def _takes_part(layer: caffe_pb2.LayerParameter, phase: int | None) -> bool:
    """Whether a layer is there in a phase; only phases are looked at, not levels and stages."""
    if phase is None:
        return True

    def meets(rule: caffe_pb2.NetStateRule) -> bool:
        return not rule.HasField("phase") or rule.phase == phase

    if len(layer.include):
        return any(meets(rule) for rule in layer.include)
    return not any(rule.HasField("phase") and rule.phase == phase for rule in layer.exclude)


def get_pydot_graph(
    caffe_net: caffe_pb2.NetParameter,
    rankdir: str,
    label_edges: bool = True,
    phase: int | None = None,
    display_lrm: bool = False,
) -> "pydot.Dot":
    """The graph of a net: layers are boxes, blobs octagons; a layer in place has an edge from its blob and one back.

    Args:
        caffe_net: the net, in the current form (caffe.Net files of any age: `caffe._caffe.read_net`).
        rankdir: direction of the graph: LR, RL, TB or BT.
        label_edges: whether edges say batch sizes and numbers of outputs.
        phase: caffe.TRAIN or caffe.TEST draws the layers of that phase; None all.
        display_lrm: whether weighted layers say their learning-rate multipliers.
    """
    pydot = _pydot()

    def node(name: str, label: str, look: dict[str, str]) -> Any:
        return pydot.Node(_quote(name), label=_quote(label), **look)

    graph = pydot.Dot(_quote(caffe_net.name or "Net"), graph_type="digraph", rankdir=rankdir)
    blobs = []
    for number, layer in enumerate(caffe_net.layer):
        if not _takes_part(layer, phase):
            continue
        name = f"layer {number} {layer.name}"
        box = {"shape": "box", "style": "filled", "fillcolor": _quote(choose_color_by_layertype(layer.type))}
        graph.add_node(node(name, get_layer_label(layer, rankdir, display_lrm), box))
        for bottom in layer.bottom:
            blobs.append(bottom)
            graph.add_edge(pydot.Edge(_quote(f"blob {bottom}"), _quote(name)))
        label = get_edge_label(layer) if label_edges else ""
        for top in layer.top:
            blobs.append(top)
            graph.add_edge(pydot.Edge(_quote(name), _quote(f"blob {top}"), label=_quote(label)))
    for blob in dict.fromkeys(blobs):
        graph.add_node(node(f"blob {blob}", blob, {**_BLOB, "fillcolor": _quote(_BLOB["fillcolor"])}))
    return graph


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def draw_net(
    caffe_net: caffe_pb2.NetParameter,
    rankdir: str,
    ext: str = "png",
    phase: int | None = None,
    display_lrm: bool = False,
) -> bytes:
    """The picture of a net as the bytes of a file of format `ext`: png, svg, pdf, ..., or dot."""
    graph = get_pydot_graph(caffe_net, rankdir, phase=phase, display_lrm=display_lrm)
    if ext in ("dot", "gv"):
        return graph.to_string().encode()
    try:
        return graph.create(format=ext)
    except FileNotFoundError:
        raise RuntimeError(
            "drawing needs Graphviz: its program `dot` was not found (Debian: apt-get install graphviz)"
        ) from None


def draw_net_to_file(
    caffe_net: caffe_pb2.NetParameter,
    filename: str | os.PathLike[str],
    rankdir: str = "LR",
    phase: int | None = None,
    display_lrm: bool = False,
) -> None:
    """Draws a net into a file, in the format that the file's ending names."""
    filename = os.fspath(filename)
    ext = os.path.splitext(filename)[1][1:]
    if not ext:
        raise ValueError(f"{filename!r} has no ending that says its format, such as .png")
    picture = draw_net(caffe_net, rankdir, ext, phase, display_lrm)
    write_beside(filename, lambda name: Path(name).write_bytes(picture))
