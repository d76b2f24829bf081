"""The examples of docs/ run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", ["pycaffe.md"])
def test_python_examples_run_in_order(name, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    (tmp_path / "examples.py").write_text("\n".join(blocks))
    done = subprocess.run(
        [sys.executable, "-W", "error", "examples.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
