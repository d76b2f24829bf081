"""examples/custom_layer: built out of tree against the engine's headers, it runs in programs that do not know it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import caffe_command
from caffe_command import BUILD
from conftest import ROOT

EXAMPLE = ROOT / "examples" / "custom_layer"

_SCRIPT = """
import numpy as np
import caffe

net = caffe.Net({model!r}, caffe.TEST)
x = np.linspace(-5, 5, 41, dtype=np.float32)
net.blobs["data"].reshape(1, x.size)
net.blobs["data"].data[...] = x
y = net.forward()["out"][0]
expected = x * np.clip(x + 3, 0, 6) / 6
assert np.abs(y - expected).max() < 1e-6, (y, expected)
net.blobs["out"].diff[...] = 1
net.backward()
slope = np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6))
assert np.abs(net.blobs["data"].diff[0] - slope).max() < 1e-6
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("custom_layer")
    for command in (
        ["cmake", "-S", EXAMPLE, "-B", folder, f"-DCaffe_DIR={BUILD}"],
        ["cmake", "--build", folder],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "libhard_swish.so"


def _python(script: str, plugins: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CAFFE_PLUGINS": str(plugins)}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment, timeout=120
    )


def test_values_and_gradients(plugin: Path, tmp_path: Path):
    model = tmp_path / "net.prototxt"
    model.write_text(
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 41 } } }\n'
        'layer { name: "swish" type: "HardSwish" bottom: "data" top: "out" }\nforce_backward: true\n'
    )
    done = _python(_SCRIPT.format(model=str(model)), plugin)
    assert done.returncode == 0, done.stderr


def test_caffe_command_runs_it_behind_a_crossbar_layer(plugin: Path):
    command = ("time", "--model", EXAMPLE / "net.prototxt", "--iterations", 2)
    done = caffe_command.caffe(*command, CAFFE_PLUGINS=str(plugin))
    assert done.returncode == 0, done.stderr
    assert "hard_swish\tforward:" in done.stderr

    assert "Unknown layer type: HardSwish" in caffe_command.error(*command)


def test_a_library_that_is_not_there_is_named(tmp_path: Path):
    missing = tmp_path / "missing.so"
    done = _python("import caffe", missing)
    assert done.returncode == 1
    assert f"CAFFE_PLUGINS: cannot load {missing}" in done.stderr
