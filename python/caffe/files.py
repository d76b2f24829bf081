"""Files that are there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path


def write_beside(path: str | os.PathLike[str], write: Callable[[str], object]) -> None:
    """Lets `write` make a file of another name (same ending), which then replaces `path`."""
    target = Path(path)
    beside = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        write(str(beside))
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
