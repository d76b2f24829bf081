"""Weight files: .caffemodel (binary NetParameter of any age) and .h5 (one dataset data/<layer>/<i> per blob)."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

from caffe import _caffe
from caffe.proto.caffe_pb2 import NetParameter

from .errors import Error
from .model import FilePath, require_file

Weights = dict[str, list[np.ndarray]]

# A protobuf message ends here; what is not values takes less than the difference to 2 GiB.
_PROTOBUF_BYTES = 2**31 - 2**24


def is_hdf5(path: FilePath) -> bool:
    """Whether the name asks for HDF5."""
    return os.fspath(path).endswith(".h5")


def read_weights(path: FilePath, net: NetParameter) -> Weights:
    """The parameters in the file of the layers of `net`, float32."""
    require_file(path, "weights")
    names = [layer.name for layer in net.layer]
    if is_hdf5(path):
        return _read_hdf5(path, names)
    weights = _caffe.read_weights(path)
    return {name: weights[name] for name in names if name in weights}


def _read_hdf5(path: FilePath, names: Sequence[str]) -> Weights:
    weights: Weights = {}
    try:
        with h5py.File(path, "r") as file:
            for name in names:
                blobs: list[np.ndarray] = []
                while isinstance(blob := file.get(f"data/{name}/{len(blobs)}"), h5py.Dataset):
                    blobs.append(blob[()].astype(np.float32))
                if blobs:
                    weights[name] = blobs
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:  # what h5py says of damage
        raise Error(f"{os.fspath(path)}: truncated, or no HDF5 file ({error})") from None
    return weights


# Adds the parameters of a layer to a file.
AddLayer = Callable[[str, Sequence[np.ndarray]], None]


@contextmanager
def writing_weights(path: FilePath, net: NetParameter) -> Iterator[AddLayer]:
    """Gives a function that adds layers; the file is complete at the end of the block.

    HDF5 when the name ends in .h5, written as the layers come; else a binary NetParameter: `net` with its parameters.
    """
    if is_hdf5(path):
        with h5py.File(path, "w") as file:

            def add_to_file(layer: str, blobs: Sequence[np.ndarray]) -> None:
                for index, blob in enumerate(blobs):
                    file.create_dataset(f"data/{layer}/{index}", data=blob, dtype=np.float32)

            yield add_to_file
    else:
        weights: Weights = {}

        def add_to_message(layer: str, blobs: Sequence[np.ndarray]) -> None:
            weights[layer] = list(blobs)

        yield add_to_message
        _caffe.write_weights(path, net.SerializeToString(), weights)


def check_size(path: FilePath, values: int) -> None:
    """Raises Error when so many values do not fit in a protobuf file."""
    if not is_hdf5(path) and 4 * values > _PROTOBUF_BYTES:
        raise Error(
            f"{os.fspath(path)}: the weights take {4 * values / 2**30:.1f} GiB and a caffemodel ends at 2 GiB; "
            f"use a name that ends in .h5, such as {os.fspath(path)}.h5"
        )


def require_file_place(path: FilePath) -> None:
    """Raises Error where no file can be written: its folder is not there, or it is a folder."""
    path = Path(path)
    if not path.parent.is_dir():
        raise Error(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise Error(f"{path} is a folder")


def require_folder_place(path: FilePath) -> None:
    """Raises Error where no folder can be, nor be made: it or a folder above it is a file."""
    path = Path(path)
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.exists() and not there.is_dir():
        raise Error(f"{there} is a file, expected a folder")


class OutputFiles:
    """Files that appear together, complete, or not at all: written beside and renamed at the end of the block."""

    def __init__(self, *paths: FilePath) -> None:
        self._paths = [Path(path) for path in paths]
        for path in self._paths:
            require_file_place(path)
        # The suffix stays: it says what kind of file this is.
        self.temporary = [path.with_name(f".{os.getpid()}.{path.name}") for path in self._paths]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for temporary, path in zip(self.temporary, self._paths, strict=True):
                    temporary.replace(path)
        finally:
            for temporary in self.temporary:
                temporary.unlink(missing_ok=True)
