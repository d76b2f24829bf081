"""The .pyi files of the native modules say what is there, and what is there says what it does."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "python"


def members(body):
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets)
    return names


def native(holder):
    """What a script sees: functions, classes, properties, values; not what every object has."""
    return {name for name in vars(holder) if not name.startswith("__") or name == "__version__"}


@pytest.mark.parametrize("name", ["caffe._caffe", "rxnn._rxnn"])
def test_stubs_match(name):
    module = importlib.import_module(name)
    tree = ast.parse((ROOT / f"{name.replace('.', '/')}.pyi").read_text())
    aliases = {"Path", "Arrays", "DoubleArray", "FloatArray", "CodeArray"}
    assert members(tree.body) - aliases == native(module)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and name == "caffe._caffe":
            cls = getattr(module, node.name)
            written = members(node.body) - {"__init__", "param_str", "phase"}
            assert {member for member in written if not hasattr(cls, member)} == set(), node.name
            if cls.__init__ is not list.__init__ and node.name != "Error":
                assert {member for member in native(cls) if member[0] != "_"} <= written, node.name


def test_natives_are_documented():
    import caffe._caffe as module

    silent = []
    for name in native(module) - {"TEST", "TRAIN", "__version__"}:
        thing = getattr(module, name)
        if not thing.__doc__:
            silent.append(name)
        if isinstance(thing, type):
            silent += [
                f"{name}.{member}"
                for member in native(thing)
                if member[0] != "_" and not getattr(thing, member).__doc__
            ]
    assert silent == []
