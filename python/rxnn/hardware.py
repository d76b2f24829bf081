"""Hardware descriptions: presets, files, texts and messages."""

import os
from pathlib import Path

from caffe.proto.caffe_pb2 import CrossbarParameter

from . import _rxnn
from .errors import Error

PRESET_FOLDER = Path(__file__).resolve().parents[2] / "models" / "hardware"

# A preset's name, a path, the text of a CrossbarParameter, or the message itself.
Hardware = str | os.PathLike[str] | CrossbarParameter


def presets() -> list[str]:
    """Names of the presets."""
    return sorted(path.stem for path in PRESET_FOLDER.glob("*.prototxt"))


def load_hardware(hardware: Hardware, *, size: tuple[int, int] | None = None) -> CrossbarParameter:
    """The checked message of a hardware description; `size` takes the place of its rows and cols.

    Raises HardwareError, naming field, value and allowed range, for hardware that cannot exist; caffe.Error with line
    and column for text that does not parse; Error for a name that is neither preset nor file.
    """
    if isinstance(hardware, CrossbarParameter):
        return _checked(hardware, size)
    source = os.fspath(hardware)
    is_text = ":" in source or not source.strip()
    if not is_text or _is_file(source):
        source = str(_find(source))
    try:
        return _checked(CrossbarParameter.FromString(_rxnn.read_hardware(source)), size)
    except _rxnn.HardwareError as error:
        raise _rxnn.HardwareError(str(error) if is_text else f"{source}: {error}") from None


def hardware_name(hardware: Hardware) -> str:
    """What a table calls this hardware."""
    if isinstance(hardware, CrossbarParameter):
        return "crossbar_param"
    source = os.fspath(hardware)
    if Path(source).suffix == ".prototxt":
        return Path(source).stem
    return source if len(source) <= 40 else source[:37] + "..."


def _checked(hardware: CrossbarParameter, size: tuple[int, int] | None) -> CrossbarParameter:
    """A copy that has been checked, of that size."""
    param = CrossbarParameter()
    param.CopyFrom(hardware)
    if size is not None:
        param.rows, param.cols = size
    _rxnn.validate_hardware(param.SerializeToString())
    return param


def _is_file(source: str | Path) -> bool:
    try:
        return Path(source).is_file()
    except OSError:  # a text may be longer than any name
        return False


def _find(source: str) -> Path:
    path = Path(source)
    if _is_file(source):
        return path
    preset = PRESET_FOLDER / f"{source}.prototxt"
    if _is_file(preset):
        return preset
    raise Error(f"hardware {source[:80]!r} is neither a file nor a preset ({', '.join(presets())})")
