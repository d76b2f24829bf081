"""Net: the native network with dictionaries by name and forward, backward as scripts call them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat

import numpy as np

from . import _caffe
from ._caffe import Blob, BlobVec, Layer

Arrays = dict[str, np.ndarray]


def _extends(native: type) -> Callable[[type], type]:
    """Makes a class decorator that moves the members of a class into `native`.

    Not a subclass, because nets also come from solvers: all of them are the same class.
    """

    def move(extension: type) -> type:
        for name, member in vars(extension).items():
            if name not in ("__dict__", "__doc__", "__module__", "__weakref__"):
                setattr(native, name, member)
        return native

    return move


@_extends(_caffe.Net)
class Net(_caffe.Net):
    """What a net has in Python beside its native members."""

    @cached_property
    def blobs(self) -> "OrderedDict[str, Blob]":
        """Blobs by name, in the order of the net."""
        return OrderedDict(zip(self._blob_names, self._blobs, strict=True))

    @cached_property
    def blob_loss_weights(self) -> "OrderedDict[str, float]":
        """How much each blob counts in the objective."""
        return OrderedDict(zip(self._blob_names, self._blob_loss_weights, strict=True))

    @cached_property
    def params(self) -> "OrderedDict[str, BlobVec]":
        """Parameters of the layers that have any: usually [weights, bias]."""
        return OrderedDict((name, layer.blobs) for name, layer in self.layer_dict.items() if len(layer.blobs))

    @cached_property
    def layer_dict(self) -> "OrderedDict[str, Layer]":
        """Layers by name."""
        return OrderedDict(zip(self._layer_names, self.layers, strict=True))

    @cached_property
    def top_names(self) -> "OrderedDict[str, list[str]]":
        """Names of the blobs each layer makes."""
        return self._names_by_layer(self._top_ids)

    @cached_property
    def bottom_names(self) -> "OrderedDict[str, list[str]]":
        """Names of the blobs each layer reads."""
        return self._names_by_layer(self._bottom_ids)

    def forward(
        self,
        blobs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **inputs: np.ndarray,
    ) -> Arrays:
        """Runs layers start..end (names, both included; all by default) and returns its outputs, as views.

        Args:
            blobs: names of further blobs to return.
            start: first layer to run.
            end: last layer to run; then the outputs are this layer's tops.
            inputs: values for the net's inputs; all of them or none.
        """
        first = 0 if start is None else self._layer_index(start)
        last = len(self.layers) - 1 if end is None else self._layer_index(end)
        wanted = self._known([*(self.outputs if end is None else self.top_names[end]), *(blobs or [])])
        self._assign(inputs, self.inputs, "data", "Input blob arguments do not match net inputs.", "Input")
        self._forward(first, last)
        return {name: self.blobs[name].data for name in wanted}

    def backward(
        self,
        diffs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **output_diffs: np.ndarray,
    ) -> Arrays:
        """Runs gradients from layer start back to end and returns those of the inputs, as views.

        Args:
            diffs: names of further blobs whose gradients are returned.
            start: the layer to begin with, the later one.
            end: the layer to stop at; then the gradients are those of its bottoms.
            output_diffs: gradients of the net's outputs; all of them or none.
        """
        first = len(self.layers) - 1 if start is None else self._layer_index(start)
        last = 0 if end is None else self._layer_index(end)
        wanted = self._known([*(self.inputs if end is None else self.bottom_names[end]), *(diffs or [])])
        self._assign(output_diffs, self.outputs, "diff", "Top diff arguments do not match net outputs.", "Diff")
        self._backward(first, last)
        return {name: self.blobs[name].diff for name in wanted}

    def forward_all(self, blobs: Iterable[str] | None = None, **inputs: np.ndarray) -> Arrays:
        """Runs any number of inputs in batches of the net's size (the last one padded) and returns copies."""
        results = [self._copy(self.forward(blobs=blobs, **batch)) for batch in self._batch(inputs)]
        return self._joined(results, len(next(iter(inputs.values()))))

    def forward_backward_all(
        self, blobs: Iterable[str] | None = None, diffs: Iterable[str] | None = None, **inputs_and_diffs: np.ndarray
    ) -> tuple[Arrays, Arrays]:
        """forward_all and the gradients: inputs by the names of inputs, gradients by the names of outputs."""
        inputs = {name: inputs_and_diffs[name] for name in self.inputs if name in inputs_and_diffs}
        tops = {name: value for name, value in inputs_and_diffs.items() if name not in inputs}
        outs, grads = [], []
        top_batches = self._batch(tops) if tops else repeat({})
        for batch, top in zip(self._batch(inputs), top_batches, strict=False):
            outs.append(self._copy(self.forward(blobs=blobs, **batch)))
            grads.append(self._copy(self.backward(diffs=diffs, **top)))
        count = len(next(iter(inputs.values())))
        return self._joined(outs, count), self._joined(grads, count)

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Feeds a MemoryData layer: data (N, C, H, W) and N labels, N a multiple of the batch size."""
        self._set_input_arrays(data, np.asarray(labels, np.float32).reshape(-1))

    def _names_by_layer(self, ids: Callable[[int], list[int]]) -> "OrderedDict[str, list[str]]":
        blob_names = self._blob_names
        return OrderedDict(
            (layer, [blob_names[blob] for blob in ids(index)]) for index, layer in enumerate(self._layer_names)
        )

    def _layer_index(self, name: str) -> int:
        names = self._layer_names
        if name not in names:
            raise ValueError(f"{name!r} is not a layer of the net")
        return names.index(name)

    def _known(self, names: list[str]) -> list[str]:
        for name in names:
            if name not in self.blobs:
                raise ValueError(f"{name!r} is not a blob of the net")
        return names

    def _assign(
        self, values: Mapping[str, np.ndarray], names: Sequence[str], part: str, mismatch: str, what: str
    ) -> None:
        if not values:
            return
        if set(values) != set(names):
            raise ValueError(mismatch)
        for name, value in values.items():
            blob = self.blobs[name]
            if np.shape(value)[:1] != blob.shape[:1]:
                raise ValueError(f"{what} is not batch sized")
            getattr(blob, part)[...] = value

    def _batch(self, arrays: Mapping[str, np.ndarray]) -> Iterator[Arrays]:
        """Cuts arrays into pieces of the net's batch size, the last one padded with zeros."""
        sizes = {len(array) for array in arrays.values()}
        if len(sizes) != 1:
            raise ValueError("inputs must be given, and be of one length")
        total = sizes.pop()
        batch = self.blobs[next(iter(arrays))].shape[0]
        for first in range(0, total, batch):
            piece = {name: np.asarray(array[first : first + batch]) for name, array in arrays.items()}
            missing = batch - min(batch, total - first)
            if missing:
                piece = {
                    name: np.concatenate([part, np.zeros((missing, *part.shape[1:]), part.dtype)])
                    for name, part in piece.items()
                }
            yield piece

    @staticmethod
    def _copy(arrays: Arrays) -> Arrays:
        return {name: array.copy() for name, array in arrays.items()}

    @staticmethod
    def _joined(batches: list[Arrays], count: int) -> Arrays:
        """Joins results along the batch axis and trims the padding; a scalar stays one value per batch."""
        if not batches:
            return {}
        return {name: np.concatenate([np.atleast_1d(b[name]) for b in batches])[:count] for name in batches[0]}
