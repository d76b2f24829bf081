"""From a deploy network, which takes its input from a program, to one that `caffe test` can score."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import caffe
from caffe.proto.caffe_pb2 import TEST, DataParameter, LayerParameter, NetParameter

from .errors import Error
from .model import FilePath, load_net, read_model, require_file, write_model
from .weights import OutputFiles

# Of a size, a batch and a rank, in the engine.
_LARGEST = 2**31 - 1


def add_data(
    model: FilePath,
    source: FilePath,
    out_model: FilePath,
    *,
    root: FilePath = "",
    mean: Sequence[float] = (),
    mean_file: FilePath | None = None,
    scale: float = 1.0,
    crop: int | None = None,
    batch_size: int = 50,
    top_k: Sequence[int] = (1, 5),
) -> NetParameter:
    """Writes the network with a data layer for its Input, and a loss and accuracies for its last Softmax.

    Args:
        model: prototxt with one Input layer (or old-style `input`) and one output.
        source: an LMDB or LevelDB folder made by convert_imageset, or a list file with a name and a label per line.
        out_model: the prototxt to write.
        root: where the names of the list start.
        mean: subtracted from every channel (BGR), one number or one per channel.
        mean_file: or a mean image, as compute_image_mean makes it.
        scale: multiplied after the mean is subtracted.
        crop: side of the centre crop; default: the input's own size.
        batch_size: images per iteration.
        top_k: an accuracy each: the label is among the k best.
    """
    files = OutputFiles(out_model)
    net = read_model(model)
    index, data = _input_layer(net)
    _, channels, height, width = _input_shape(data)
    _require_transform(mean, mean_file, scale, channels)
    _require_whole("--batch-size", batch_size)
    for k in top_k:
        _require_whole("--top-k", k)
    if len(set(top_k)) < len(top_k):
        raise Error(f"--top-k {','.join(str(k) for k in top_k)}: a number is given twice, expected one accuracy each")
    if crop is not None:
        _require_crop(net, index, crop)
    if crop is None and height == width:
        crop = height
    layer = LayerParameter(name=data.name, top=[data.top[0], _free_name(net, "label")], include=[{"phase": TEST}])
    transform = layer.transform_param
    if crop:
        transform.crop_size = crop
    if scale != 1.0:
        transform.scale = scale
    if mean_file is not None:
        transform.mean_file = str(mean_file)
    transform.mean_value.extend(mean)
    _set_source(layer, Path(source), root, batch_size)
    if channels == 1 and layer.type == "ImageData":
        layer.image_data_param.is_color = False
    net.layer[index].CopyFrom(layer)
    _score(net, layer.top[1], top_k)
    with files:
        write_model(net, files.temporary[0])
    return net


def _input_layer(net: NetParameter) -> tuple[int, LayerParameter]:
    found = [(i, layer) for i, layer in enumerate(net.layer) if layer.type == "Input"]
    if len(found) != 1 or len(found[0][1].top) != 1:
        shown = ", ".join(f"'{layer.name}' ({' and '.join(layer.top)})" for _, layer in found) or "none"
        raise Error(f"the model must have one Input layer, which makes one blob; its Input layers: {shown}")
    return found[0]


def _input_shape(layer: LayerParameter) -> list[int]:
    shape = list(layer.input_param.shape[0].dim) if layer.input_param.shape else []
    if len(shape) != 4:
        raise Error(f"layer {layer.name!r}: the input must be (batch, channels, height, width), its shape is {shape}")
    return shape


def _require_transform(mean: Sequence[float], mean_file: FilePath | None, scale: float, channels: int) -> None:
    if mean_file is not None:
        if len(mean) > 0:
            raise Error("--mean and --mean-file exclude each other")
        require_file(mean_file, "mean file")
    if len(mean) not in (0, 1, channels):
        expected = "one" if channels == 1 else f"one, or one for each of the {channels} channels"
        raise Error(f"--mean: {len(mean)} values, expected {expected} of the model's input")
    for value in mean:
        _require_finite("--mean", value)
    if _require_finite("--scale", scale) == 0:
        raise Error(f"--scale {scale:g}: every input would be 0")


def _require_finite(option: str, value: float) -> float:
    """The number as a float32, which the prototxt keeps it as."""
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    if not np.isfinite(single):
        raise Error(f"{option} {value:g}: expected a finite number")
    return single


def _require_whole(option: str, value: int) -> None:
    if not 1 <= value <= _LARGEST:
        raise Error(f"{option} {value}: expected 1 to {_LARGEST}")


def _require_crop(net: NetParameter, index: int, crop: int) -> None:
    """The weights must fit an input of that size as they do the model's own."""
    _require_whole("--crop", crop)
    _, channels, *own = _input_shape(net.layer[index])
    if own == [crop, crop]:
        return
    shapes = []
    for height, width in (own, (crop, crop)):
        resized = NetParameter()
        resized.CopyFrom(net)
        resized.layer[index].input_param.shape[0].dim[:] = [1, channels, height, width]
        try:
            params = load_net(resized).params
        except (caffe.Error, MemoryError) as error:
            if [height, width] == own:
                raise
            raise Error(f"--crop {crop}: the model cannot take such an input ({error})") from None
        shapes.append({name: [blob.shape for blob in blobs] for name, blobs in params.items()})
    for name, own_shapes in shapes[0].items():
        if shapes[1][name] != own_shapes:
            raise Error(
                f"--crop {crop}: the weights of layer {name!r} are for the model's own input, {own[0]} x {own[1]}"
            )


def _backend(folder: Path) -> "DataParameter.DB":
    """What kind of database the folder holds."""
    for name, backend in (("data.mdb", DataParameter.LMDB), ("CURRENT", DataParameter.LEVELDB)):
        if (folder / name).is_file():
            return backend
    raise Error(f"--source {folder}: the folder is no database, neither LMDB (data.mdb) nor LevelDB (CURRENT)")


def _set_source(layer: LayerParameter, source: Path, root: FilePath, batch_size: int) -> None:
    if source.is_dir():
        if root:
            raise Error("--root belongs to a list of images, but the source is a database")
        layer.type = "Data"
        layer.data_param.source = str(source)
        layer.data_param.batch_size = batch_size
        layer.data_param.backend = _backend(source)
        return
    require_file(source, "source")
    layer.type = "ImageData"
    layer.image_data_param.source = str(source)
    layer.image_data_param.root_folder = f"{root}/" if root else ""
    layer.image_data_param.batch_size = batch_size


def _score(net: NetParameter, label: str, top_k: Sequence[int]) -> None:
    """Puts a loss and accuracies on the network's only output; they stand for a Softmax at its end."""
    read = {bottom for layer in net.layer for bottom in layer.bottom}
    outputs = [layer for layer in net.layer if any(top not in read and top != label for top in layer.top)]
    if len(outputs) != 1 or len(outputs[0].top) != 1:
        names = ", ".join(top for layer in outputs for top in layer.top if top not in read)
        raise Error(f"the model must have one output to score, it has: {names or 'none'}")
    last = outputs[0]
    scores = last.top[0]
    if last.type == "Softmax":
        scores = last.bottom[0]
        net.layer.remove(last)
    net.layer.add(name="loss", type="SoftmaxWithLoss", bottom=[scores, label], top=["loss"])
    for k in top_k:
        name = "accuracy" if len(top_k) == 1 else f"top{k}"
        net.layer.add(name=name, type="Accuracy", bottom=[scores, label], top=[name], accuracy_param={"top_k": k})


def _free_name(net: NetParameter, wanted: str) -> str:
    taken = {top for layer in net.layer for top in layer.top}
    return wanted if wanted not in taken else _free_name(net, wanted + "_")
