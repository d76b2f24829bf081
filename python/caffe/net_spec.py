"""Networks written in Python: layers are functions of tops, and a NetSpec names the tops it is given.

>>> from caffe import layers as L, params as P
>>> n = caffe.NetSpec()
>>> n.data, n.label = L.Data(batch_size=64, source="train_lmdb", backend=P.Data.LMDB, ntop=2)
>>> n.ip = L.InnerProduct(n.data, num_output=10, weight_filler=dict(type="xavier"))
>>> n.loss = L.SoftmaxWithLoss(n.ip, n.label)
>>> print(n.to_proto())
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from .proto import caffe_pb2

# Layers whose parameters are another type's message.
_PARAMETERS_OF = {
    "CrossbarConvolution": "Convolution",
    "CrossbarInnerProduct": "InnerProduct",
    "Deconvolution": "Convolution",
    "Im2col": "Convolution",
    "LSTM": "Recurrent",
    "RNN": "Recurrent",
}


def param_name_dict() -> dict[str, str]:
    """The fields of LayerParameter that hold messages: {"Convolution": "convolution", "InnerProduct": "inner_product",
    ...}, from the message's name without "Parameter" to the field's without "_param"."""
    names = {}
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields:
        if field.name.endswith("_param"):
            names[field.message_type.name.removesuffix("Parameter")] = field.name.removesuffix("_param")
    return names


_FIELD_OF = param_name_dict()


def assign_proto(proto: Message, name: str, val: Any) -> None:
    """Sets a field of a message.

    A message is given as a dict, a repeated field as a list (or as one value for a list of one), an enum as the number
    or the name of its value. Raises AttributeError for a field that does not exist.
    """
    field = proto.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        raise AttributeError(f"{proto.DESCRIPTOR.name} has no field {name!r}")
    if isinstance(val, np.ndarray | np.generic):
        val = val.tolist()
    if field.label == FieldDescriptor.LABEL_REPEATED:
        values = list(val) if isinstance(val, list | tuple) else [val]
        target = getattr(proto, name)
        if field.message_type is None:
            target.extend(_scalar(field, value) for value in values)
        else:
            for value in values:
                _assign_message(target.add(), value)
    elif field.message_type is not None:
        getattr(proto, name).SetInParent()
        _assign_message(getattr(proto, name), val)
    else:
        setattr(proto, name, _scalar(field, val))


def _assign_message(message: Message, value: Mapping[str, Any] | Message) -> None:
    if isinstance(value, Message):
        message.CopyFrom(value)
        return
    if not isinstance(value, Mapping):
        raise TypeError(f"{message.DESCRIPTOR.name} takes a dict of its fields, not {value!r}")
    for name, item in value.items():
        assign_proto(message, name, item)


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if field.enum_type is not None and isinstance(value, str):
        if value not in field.enum_type.values_by_name:
            known = ", ".join(field.enum_type.values_by_name)
            raise ValueError(f"{field.name} is {value!r}; it must be one of {known}")
        return field.enum_type.values_by_name[value].number
    return value


class Top:
    """A blob that a layer makes: output `n` of function `fn`."""

    def __init__(self, fn: "Function", n: int) -> None:
        self.fn = fn
        self.n = n

    def to_proto(self) -> caffe_pb2.NetParameter:
        """The net that computes this top."""
        return to_proto(self)


class Function:
    """A layer: its type, the tops it reads, the tops it makes, and its parameters."""

    def __init__(self, type_name: str, inputs: tuple[Top, ...], params: dict[str, Any]) -> None:
        for index, top in enumerate(inputs):
            if not isinstance(top, Top):
                raise TypeError(f"{type_name} input {index} is not a Top (type is {type(top)})")
        self.type_name = type_name
        self.inputs = inputs
        self.params = dict(params)
        self.ntop: int = self.params.pop("ntop", 1)
        self.in_place: bool = self.params.pop("in_place", False)
        if self.in_place and not 0 < self.ntop <= len(inputs):
            raise ValueError(f"{type_name} cannot be in place: it has {self.ntop} tops and {len(inputs)} bottoms")
        self.tops = tuple(Top(self, n) for n in range(self.ntop))

    def _layer(self, bottoms: list[str], tops: list[str], name: str) -> caffe_pb2.LayerParameter:
        layer = caffe_pb2.LayerParameter(name=name, type=self.type_name, bottom=bottoms, top=tops)
        own = _FIELD_OF.get(_PARAMETERS_OF.get(self.type_name, self.type_name))
        for key, value in self.params.items():
            generic = key.endswith("param") or own is None
            message = layer if generic else getattr(layer, f"{own}_param")
            if not generic and key not in message.DESCRIPTOR.fields_by_name:
                message = layer
            try:
                assign_proto(message, key, value)
            except AttributeError as error:
                raise AttributeError(f"layer {name!r} ({self.type_name}): {error}") from None
            except (TypeError, ValueError) as error:
                raise type(error)(f"layer {name!r} ({self.type_name}): {key}: {error}") from None
        return layer


class _Writer:
    """Layers in the order they must run, each after those it reads from."""

    def __init__(self, names: Mapping[Top | Function, str]) -> None:
        self._names = dict(names)
        self._numbers: Counter[str] = Counter()
        self._layers: OrderedDict[Function, caffe_pb2.LayerParameter] = OrderedDict()

    def net(self) -> caffe_pb2.NetParameter:
        return caffe_pb2.NetParameter(layer=self._layers.values())

    def add(self, item: Top | Function) -> None:
        # Depth first, with an own stack: nets are deeper than Python's.
        stack = [item.fn if isinstance(item, Top) else item]
        while stack:
            function = stack[-1]
            missing = [top.fn for top in function.inputs if top.fn not in self._layers]
            if function in self._layers:
                stack.pop()
            elif missing:
                stack.extend(reversed(missing))
            else:
                bottoms = [self._top(top) for top in function.inputs]
                tops = [self._top(top) for top in function.tops]
                self._layers[function] = function._layer(bottoms, tops, self._layer_name(function))
                stack.pop()

    def _top(self, top: Top) -> str:
        if top.fn.in_place:
            return self._top(top.fn.inputs[top.n])
        if top not in self._names:
            self._names[top] = self._numbered(top.fn.type_name)
        return self._names[top]

    def _layer_name(self, function: Function) -> str:
        # An in-place layer is called as its top was in the NetSpec, not as the blob it writes to.
        named: Top | Function = function.tops[0] if function.tops else function
        if named not in self._names:
            self._names[named] = self._numbered(function.type_name)
        return self._names[named]

    def _numbered(self, type_name: str) -> str:
        self._numbers[type_name] += 1
        return f"{type_name}{self._numbers[type_name]}"


def to_proto(*tops: Top | Function) -> caffe_pb2.NetParameter:
    """The net that computes these tops; layers are called by their types and counted: Convolution1, Convolution2."""
    writer = _Writer({})
    for top in tops:
        writer.add(top)
    return writer.net()


class NetSpec:
    """A network to be written: tops get their names by assignment to attributes or items, layers that of their first
    top. A layer without tops is assigned as well, to have it in the net."""

    tops: "OrderedDict[str, Top | Function]"

    def __init__(self) -> None:
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name: str, value: Top | Function) -> None:
        if not isinstance(value, Top | Function):
            raise TypeError(f"{name!r} must be a Top, or a layer without tops, not {type(value).__name__}")
        self.tops[name] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by copy, pickle, inspect
            raise AttributeError(name)
        try:
            return self.tops[name]
        except KeyError:
            raise AttributeError(f"the NetSpec has no top {name!r}") from None

    def __delattr__(self, name: str) -> None:
        del self.tops[name]

    def __setitem__(self, name: str, value: Top | Function) -> None:
        setattr(self, name, value)

    def __getitem__(self, name: str) -> Any:
        return self.tops[name]

    def __delitem__(self, name: str) -> None:
        del self.tops[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tops

    def __iter__(self) -> Iterator[str]:
        return iter(self.tops)

    def to_proto(self) -> caffe_pb2.NetParameter:
        """The net as a message; str() of it is a prototxt."""
        writer = _Writer({top: name for name, top in self.tops.items()})
        for top in self.tops.values():
            writer.add(top)
        return writer.net()


class Layers:
    """`layers.Type(*bottoms, ntop=1, in_place=False, **params)`: a layer of any type.

    Returns its Top, a tuple of Tops for ntop above 1, or for ntop=0 the layer itself. Keywords that end in "param" are
    messages of the layer; others go to the message of its type when that has such a field, else to the layer.
    """

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def make(*bottoms: Top, **params: Any) -> Any:
            function = Function(name, bottoms, params)
            if function.ntop == 0:
                return function
            return function.tops[0] if function.ntop == 1 else function.tops

        make.__name__ = name
        return make


class _Enums:
    def __init__(self, message: type[Message]) -> None:
        self._message = message

    def __getattr__(self, name: str) -> int:
        return getattr(self._message, name)


class Parameters:
    """`params.Type.VALUE`: the number of an enum's value, such as params.Pooling.MAX."""

    def __getattr__(self, name: str) -> _Enums:
        return _Enums(getattr(caffe_pb2, f"{name}Parameter"))


layers = Layers()
params = Parameters()
