"""Matrices of numbers in files: .npy, .npz, or text with a row per line."""

import zipfile
from pathlib import Path

import numpy as np

from .errors import Error
from .model import FilePath, require_file


def read_table(path: FilePath, what: str, key: str | None = None) -> np.ndarray:
    """The numbers of a file, float64, two axes (a single row or column of text is a row).

    Args:
        path: .npy, .npz, or text: numbers separated by commas, semicolons or blanks, comments after #.
        what: what it is for, in messages.
        key: which array of an .npz; needed where it holds several.
    """
    require_file(path, what)
    suffix = Path(path).suffix
    if key is not None and suffix != ".npz":
        raise Error(f"{path}: a key names an array of an .npz file; this file has none")
    try:
        values = _read_binary(path, key) if suffix in (".npy", ".npz") else _read_text(path)
    except (EOFError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise Error(f"{path}: no table of numbers ({error})") from None
    if values.dtype.kind not in "fiub":
        raise Error(f"{path}: the values have type {values.dtype}, expected real numbers")
    if values.ndim not in (1, 2) or values.size == 0:
        raise Error(f"{path}: the array has shape {values.shape}, expected rows and columns")
    return np.atleast_2d(values).astype(np.float64)


def _read_binary(path: FilePath, key: str | None) -> np.ndarray:
    content = np.load(path)
    if isinstance(content, np.ndarray):
        return content
    with content:
        names = ", ".join(content.files)
        if key is None:
            if len(content.files) != 1:
                raise Error(f"{path}: holds several arrays ({names}); say which one with key (--key NAME)")
            key = content.files[0]
        if key not in content.files:
            raise Error(f"{path}: has no array {key!r}; there are: {names}")
        return content[key]


def _read_text(path: FilePath) -> np.ndarray:
    text = Path(path).read_text(encoding="utf-8")
    lines = [line.partition("#")[0].replace(",", " ").replace(";", " ") for line in text.splitlines()]
    if not any(line.strip() for line in lines):
        raise Error(f"{path}: no table of numbers (the file is empty)")
    return np.loadtxt(lines, ndmin=2)
