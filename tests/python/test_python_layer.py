"""Layers written in Python, run by the engine."""

import gc
import os
import shutil
import subprocess
import sys
import threading
import types
import weakref

import numpy as np
import pytest

import caffe
from caffe_command import BUILD


class Scale(caffe.Layer):
    """top = factor * bottom."""

    def setup(self, bottom, top):
        self.factor = float(self.param_str or 1)
        self.seen = []

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = self.factor * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self.seen.append(list(propagate_down))
        bottom[0].diff[...] = self.factor * top[0].diff


class Bias(caffe.Layer):
    """top = bottom + own parameter, a value per channel."""

    def setup(self, bottom, top):
        self.blobs.add_blob(bottom[0].channels)
        self.blobs[0].data[...] = 3

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data + self.blobs[0].data

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[...] += top[0].diff.sum(axis=0)
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff


class HalfSquares(caffe.Layer):
    """A loss: half the sum of squares."""

    def reshape(self, bottom, top):
        top[0].reshape(1)

    def forward(self, bottom, top):
        top[0].data[...] = 0.5 * (bottom[0].data ** 2).sum()

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = top[0].diff[0] * bottom[0].data


class Phase(caffe.Layer):
    def reshape(self, bottom, top):
        top[0].reshape()

    def forward(self, bottom, top):
        top[0].data[()] = self.phase


class Fails(Scale):
    def setup(self, bottom, top):
        super().setup(bottom, top)
        if self.factor == 0:
            raise ValueError("a factor of zero")

    def forward(self, bottom, top):
        raise ZeroDivisionError("never any luck")


class OnlyReshape(caffe.Layer):
    def setup(self, bottom, top):
        super().setup(bottom, top)  # does nothing, and does not come back here

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)


class NoReshape(caffe.Layer):
    pass


class Keeps(Scale):
    """Keeps its blobs."""

    def reshape(self, bottom, top):
        super().reshape(bottom, top)
        self.kept = bottom[0], top


class WaitsForThread(Scale):
    def forward(self, bottom, top):
        met = threading.Event()
        thread = threading.Thread(target=met.set)
        thread.start()
        assert met.wait(10)
        thread.join()
        super().forward(bottom, top)


@pytest.fixture(autouse=True)
def module(monkeypatch):
    """The classes above as module `my_layers`."""
    module = types.ModuleType("my_layers")
    vars(module).update({name: value for name, value in globals().items() if isinstance(value, type)})
    module.not_a_layer = int
    module.not_a_class = 3
    monkeypatch.setitem(sys.modules, "my_layers", module)


@pytest.fixture
def make(tmp_path):
    """A net of an input and Python layers, given as (class, param_str) or as prototxt."""

    def make(*layers, phase=caffe.TEST, head=""):
        text = head + 'layer { name: "in" type: "Input" top: "x0" input_param { shape { dim: 2 dim: 3 } } }\n'
        for i, layer in enumerate(layers):
            name, extra = layer if isinstance(layer, tuple) else (layer, "")
            text += (
                f'layer {{ name: "l{i}" type: "Python" bottom: "x{i}" top: "x{i + 1}"\n'
                f'python_param {{ module: "my_layers" layer: "{name}" {extra} }} }}\n'
            )
        path = tmp_path / "net.prototxt"
        path.write_text(text)
        return caffe.Net(path, phase)

    return make


@pytest.fixture
def x(rng):
    return rng.normal(size=(2, 3)).astype(np.float32)


def test_layers_run_forward_and_backward(make, x):
    net = make(("Scale", 'param_str: "10"'), ("Scale", 'param_str: "0.5"'), head="force_backward: true\n")
    np.testing.assert_allclose(net.forward(x0=x)["x2"], 5 * x, rtol=1e-6)
    np.testing.assert_allclose(net.backward(x2=x)["x0"], 5 * x, rtol=1e-6)
    assert net.layer_dict["l0"].seen == [[True]]
    assert [layer.type for layer in net.layers] == ["Input", "Python", "Python"]


def test_layers_follow_their_inputs(make, x):
    net = make(("Scale", 'param_str: "2"'))
    net.blobs["x0"].reshape(5, 4, 2)
    net.reshape()
    assert net.blobs["x1"].shape == (5, 4, 2)
    net.blobs["x0"].reshape(1, 3)  # forward reshapes as well
    np.testing.assert_allclose(net.forward(x0=x[:1])["x1"], 2 * x[:1])


def test_the_objects_of_a_net_are_the_layers_own(make):
    net = make("Scale")
    layer = net.layer_dict["l0"]
    assert type(layer) is Scale
    assert layer is net.layers[1]
    assert layer.factor == 1
    assert layer.name == "l0"


def test_layers_have_parameters(make, x, tmp_path):
    net = make("Bias", head="force_backward: true\n")
    assert list(net.params) == ["l0"]
    assert net.params["l0"][0].shape == (3,)
    np.testing.assert_allclose(net.forward(x0=x)["x1"], x + 3, rtol=1e-6)
    net.params["l0"][0].data[...] = [1, 2, 4]
    net.clear_param_diffs()
    net.backward(x1=x)
    np.testing.assert_allclose(net.params["l0"][0].diff, x.sum(axis=0), rtol=1e-6)
    net.save(tmp_path / "w.caffemodel")
    other = make("Bias")
    other.copy_from(tmp_path / "w.caffemodel")
    np.testing.assert_array_equal(other.params["l0"][0].data, [1, 2, 4])


def test_losses_can_be_python(tmp_path, x):
    path = tmp_path / "net.prototxt"
    path.write_text(
        "force_backward: true\n"
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "loss" type: "Python" bottom: "x" top: "loss" loss_weight: 4\n'
        '        python_param { module: "my_layers" layer: "HalfSquares" } }'
    )
    net = caffe.Net(path, caffe.TRAIN)
    assert net.blob_loss_weights["loss"] == 4
    np.testing.assert_allclose(net.forward(x=x)["loss"], [0.5 * (x**2).sum()], rtol=1e-5)
    np.testing.assert_allclose(net.backward()["x"], 4 * x, rtol=1e-6)


@pytest.mark.parametrize("phase", [caffe.TRAIN, caffe.TEST])
def test_layers_know_their_phase(make, phase):
    assert make("Phase", phase=phase).forward()["x1"] == phase


def test_what_a_layer_raises_is_raised(make):
    with pytest.raises(ZeroDivisionError) as caught:
        make("Fails").forward()
    assert str(caught.value) == "never any luck"
    assert caught.value.__notes__ == ["in layer 'l0' (Python)"]
    frame = caught.traceback[-1]
    assert frame.name == "forward"
    assert 'raise ZeroDivisionError("never any luck")' in str(frame.statement)
    with pytest.raises(ValueError, match="a factor of zero"):
        make(("Fails", 'param_str: "0"'))


def test_layers_without_a_method_say_so(make):
    with pytest.raises(caffe.Error, match=r"'l0' .*OnlyReshape of module my_layers has no method forward\(self, bott"):
        make("OnlyReshape").forward()
    with pytest.raises(caffe.Error, match="has no method reshape"):
        make("NoReshape")
    with pytest.raises(caffe.Error, match=r"has no method backward\(self, top, propagate_down, bottom\)"):
        make("Phase", head="force_backward: true\n").backward()


@pytest.mark.parametrize(
    ("python_param", "error", "message"),
    [
        ('module: "nobodys_module" layer: "Scale"', ModuleNotFoundError, "nobodys_module"),
        ('module: "my_layers" layer: "Sacle"', AttributeError, "Sacle"),
        (
            'module: "my_layers" layer: "not_a_layer"',
            caffe.Error,
            r"my_layers\.not_a_layer is no subclass of caffe.Layer",
        ),
        ('module: "my_layers" layer: "not_a_class"', caffe.Error, "no subclass"),
        ('module: "my_layers"', caffe.Error, "must name a module and a layer"),
    ],
)
def test_layers_that_do_not_exist_are_named(tmp_path, python_param, error, message):
    path = tmp_path / "net.prototxt"
    path.write_text(f'layer {{ name: "mine" type: "Python" top: "x" python_param {{ {python_param} }} }}')
    with pytest.raises(error, match=message) as caught:
        caffe.Net(path, caffe.TEST)
    assert "layer 'mine' (Python)" in str(caught.value) + "".join(getattr(caught.value, "__notes__", []))


def test_blobs_outlive_the_net(make, x):
    net = make("Keeps")
    net.forward(x0=x)
    layer = net.layer_dict["l0"]
    del net
    gc.collect()
    np.testing.assert_array_equal(layer.kept[0].data, x)
    np.testing.assert_array_equal(layer.kept[1][0].data, x)


def test_layers_go_with_their_net(make):
    net = make("Scale")
    layer = weakref.ref(net.layers[1])
    del net
    gc.collect()
    assert layer() is None


def test_other_threads_run_while_a_layer_waits(make, x):
    np.testing.assert_array_equal(make("WaitsForThread").forward(x0=x)["x1"], x)


def test_nets_run_in_threads(make, x):
    net = make("Scale", "Bias")
    results = []
    thread = threading.Thread(target=lambda: results.append(net.forward(x0=x)["x2"].copy()))
    thread.start()
    thread.join(10)
    np.testing.assert_allclose(results[0], x + 3, rtol=1e-6)


def test_solvers_train_through_python_layers(tmp_path):
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }\n'
        'layer { name: "bias" type: "Python" bottom: "x" top: "y"\n'
        '        python_param { module: "my_layers" layer: "Bias" } }\n'
        'layer { name: "loss" type: "Python" bottom: "y" top: "loss" loss_weight: 1\n'
        '        python_param { module: "my_layers" layer: "HalfSquares" } }'
    )
    (tmp_path / "solver.prototxt").write_text(
        f'net: "{tmp_path}/net.prototxt" base_lr: 0.5 lr_policy: "fixed" snapshot_prefix: "{tmp_path}/s"'
    )
    solver = caffe.get_solver(tmp_path / "solver.prototxt")
    solver.step(3)  # x = 0: the gradient is the bias itself
    np.testing.assert_allclose(solver.net.params["bias"][0].data, np.full(3, 3 * 0.5**3), rtol=1e-6)


_MODULE = """
import atexit
import caffe
import numpy  # an extension module, which looks for the interpreter among the program's symbols

atexit.register(print, "atexit ran")

class Tells(caffe.Layer):
    def setup(self, bottom, top):
        print("param_str", self.param_str, "phase", self.phase)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        if self.param_str == "fail":
            raise ZeroDivisionError("never any luck")
        top[0].data[...] = numpy.full(bottom[0].shape, 7)

    def backward(self, top, propagate_down, bottom):
        pass
"""


@pytest.fixture
def caffe_command(tmp_path):
    """Runs `caffe time` on a net of one Python layer."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "tells.py").write_text(_MODULE)

    def run(python_param, path="modules", cwd="."):
        model = tmp_path / "net.prototxt"
        model.write_text(
            'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }\n'
            f'layer {{ name: "py" type: "Python" bottom: "x" top: "y" loss_weight: 1\n'
            f"python_param {{ {python_param} }} }}"
        )
        return subprocess.run(
            [BUILD / "bin" / "caffe", "time", "--model", model, "--iterations", "1"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path / cwd,
            env={**os.environ, "PYTHONPATH": str(tmp_path / path), "GLOG_logtostderr": "1"},
        )

    return run


@pytest.mark.parametrize(("path", "cwd"), [("modules", "."), ("nothing", "modules")])
def test_the_caffe_command_runs_python_layers(caffe_command, path, cwd):
    done = caffe_command('module: "tells" layer: "Tells" param_str: "hello"', path, cwd)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "param_str hello phase 0\natexit ran\n"
    assert "Initial loss: 14" in done.stderr


def test_the_caffe_command_says_what_python_raised(caffe_command):
    done = caffe_command('module: "tells" layer: "Tells" param_str: "fail"')
    assert done.returncode == 1
    message = "caffe: error: layer 'py' (Python): ZeroDivisionError: never any luck (tells.py:17, in forward)\n"
    assert done.stderr.endswith(message)
    done = caffe_command('module: "telss" layer: "Tells"')
    assert done.returncode == 1
    message = "ModuleNotFoundError: No module named 'telss' (is the folder of the module on PYTHONPATH?)\n"
    assert done.stderr.endswith("caffe: error: layer 'py' (Python): " + message)


def test_an_engine_without_python_says_so(caffe_command, tmp_path, monkeypatch):
    shutil.copy(BUILD / "lib" / "libcaffe.so", tmp_path)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    done = caffe_command('module: "tells" layer: "Tells"')
    assert done.returncode == 1
    assert "layer 'py' (Python): Python cannot be started" in done.stderr
    assert f"{tmp_path}/libcaffe_python.so: cannot open shared object file" in done.stderr


def test_the_engine_is_not_linked_to_python():
    done = subprocess.run(["ldd", BUILD / "bin" / "caffe"], capture_output=True, text=True, check=True)
    assert "libcaffe.so" in done.stdout
    assert "python" not in done.stdout.lower().replace(str(BUILD).lower(), "")
