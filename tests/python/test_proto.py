"""caffe.proto is Caffe 1.0's, field by field: any file written for Caffe parses, and means the same."""

import csv
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from caffe.proto import caffe_pb2

DATA = Path(__file__).parent / "data"
FIRST_OWN_NUMBER = 1000  # far from Caffe's own numbers, which end at 148

LABELS = {
    FieldDescriptor.LABEL_OPTIONAL: "optional",
    FieldDescriptor.LABEL_REPEATED: "repeated",
    FieldDescriptor.LABEL_REQUIRED: "required",
}
SCALARS = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in ("int32", "int64", "uint32", "uint64", "float", "double", "bool", "string", "bytes")
}


def golden(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lookup(table: dict[str, object], name: str) -> object:
    """A message or enum by its name, Outer.Inner when it stands inside a message."""
    outer, _, inner = name.partition(".")
    if not inner:
        return table[outer]
    message = caffe_pb2.DESCRIPTOR.message_types_by_name[outer]
    nested = {**message.enum_types_by_name, **message.nested_types_by_name}
    return nested[inner]


def type_of(field: FieldDescriptor) -> str:
    kind: Descriptor | EnumDescriptor | None = field.message_type or field.enum_type
    if kind is None:
        return SCALARS[field.type]
    word = "message" if field.message_type else "enum"
    return f"{word} {kind.full_name.removeprefix('caffe.')}"


def label_of(field: FieldDescriptor) -> str:
    return LABELS[field.label] + (" packed" if field.GetOptions().packed else "")


def default_of(field: FieldDescriptor) -> str:
    """As the golden file writes it: empty where the schema names none."""
    if not field.has_default_value:
        return ""
    if field.enum_type is not None:
        return field.enum_type.values_by_number[field.default_value].name
    if field.type == FieldDescriptor.TYPE_BOOL:
        return str(field.default_value).lower()
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return f"{field.default_value:.6g}"
    return str(field.default_value)


FIELDS = golden("caffe_fields.csv")
MESSAGES = sorted({row["message"] for row in FIELDS})


@pytest.mark.parametrize("message", MESSAGES)
def test_message_has_caffes_fields(message):
    descriptor = lookup(caffe_pb2.DESCRIPTOR.message_types_by_name, message)
    for row in (row for row in FIELDS if row["message"] == message):
        field = descriptor.fields_by_name.get(row["field"])
        assert field is not None, f"{message}.{row['field']} is missing"
        found = {
            "message": message,
            "field": field.name,
            "number": str(field.number),
            "type": type_of(field),
            "label": label_of(field),
            "default": default_of(field),
        }
        assert found == row


@pytest.mark.parametrize("message", MESSAGES)
def test_own_fields_stay_clear_of_caffes_numbers(message):
    known = {row["field"] for row in FIELDS if row["message"] == message}
    descriptor = lookup(caffe_pb2.DESCRIPTOR.message_types_by_name, message)
    for field in descriptor.fields:
        assert field.name in known or field.number >= FIRST_OWN_NUMBER, f"{message}.{field.name} = {field.number}"


def test_enums_have_caffes_values():
    for row in golden("caffe_enums.csv"):
        enum = lookup(caffe_pb2.DESCRIPTOR.enum_types_by_name, row["enum"])
        value = enum.values_by_name.get(row["value"])
        assert value is not None, f"{row['enum']}.{row['value']} is missing"
        assert value.number == int(row["number"]), row


def test_golden_files_are_whole():
    assert len(FIELDS) == 423
    assert len(MESSAGES) == 63
    assert len(golden("caffe_enums.csv")) == 111
