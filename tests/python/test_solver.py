"""Solvers in Python: training steps, their state, callbacks."""

import gc
import signal
import threading

import numpy as np
import pytest

import caffe

NET = """
layer { name: "in" type: "Input" top: "x" top: "y" input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
        inner_product_param { num_output: 2 weight_filler { type: "constant" value: 0.5 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "y" top: "loss" }
"""


@pytest.fixture
def solver_file(tmp_path):
    def make(kind="SGD", **settings):
        settings = {"base_lr": 0.1, "lr_policy": "fixed", "max_iter": 5, "display": 0, "random_seed": 1, **settings}
        (tmp_path / "net.prototxt").write_text(NET)
        quoted = {key: f'"{value}"' if isinstance(value, str) else value for key, value in settings.items()}
        path = tmp_path / "solver.prototxt"
        path.write_text(
            f'type: "{kind}"\nnet: "{tmp_path}/net.prototxt"\nsnapshot_prefix: "{tmp_path}/s"\n'
            "test_iter: 1 test_interval: 1000 test_initialization: false\n"
            + "".join(f"{key}: {value}\n" for key, value in quoted.items())
        )
        return path

    return make


@pytest.fixture
def x_y(rng):
    return rng.normal(size=(4, 3)).astype(np.float32), np.array([0, 1, 1, 0])


def feed(net, x_y):
    net.blobs["x"].data[...], net.blobs["y"].data[...] = x_y


def gradient(weights, bias, x_y):
    """Of the mean over images of -log of the label's probability."""
    x, y = x_y[0].astype(float), x_y[1]
    scores = np.exp(x @ weights.T + bias)
    error = scores / scores.sum(axis=1, keepdims=True) - np.eye(2)[y]
    return error.T @ x / 4, error.sum(axis=0) / 4


def test_steps_of_sgd_are_those_of_the_formula(solver_file, x_y):
    solver = caffe.SGDSolver(solver_file(momentum=0.9))
    feed(solver.net, x_y)
    weights, bias = (blob.data.astype(float) for blob in solver.net.params["ip"])
    speeds = [0.0, 0.0]
    solver.step(3)
    for _ in range(3):
        speeds = [0.9 * v + 0.1 * g for v, g in zip(speeds, gradient(weights, bias, x_y), strict=True)]
        weights, bias = weights - speeds[0], bias - speeds[1]
    assert solver.iter == 3
    np.testing.assert_allclose(solver.net.params["ip"][0].data, weights, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(solver.net.params["ip"][1].data, bias, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"])
def test_every_type_has_a_class(solver_file, x_y, kind):
    path = solver_file(kind, momentum=0.0 if kind in ("AdaGrad", "RMSProp") else 0.9)
    solver = caffe.get_solver(path)
    own_class = getattr(caffe, f"{kind}Solver")
    assert type(solver) is own_class
    assert isinstance(solver, caffe._caffe.Solver)
    assert solver.type == kind
    other = own_class(path)
    for one in (solver, other):
        feed(one.net, x_y)
        before = one.net.forward()["loss"].item()
        one.solve()
        assert one.iter == 5
        assert one.net.forward()["loss"].item() < before
    np.testing.assert_array_equal(solver.net.params["ip"][0].data, other.net.params["ip"][0].data)


def test_nets_of_solvers_are_nets(solver_file):
    solver = caffe.SGDSolver(solver_file())
    assert isinstance(solver.net, caffe.Net)
    (test_net,) = solver.test_nets
    assert isinstance(test_net, caffe.Net)
    assert test_net.outputs == ["loss"]
    assert solver.net is solver.net or solver.net.blobs["x"] is solver.net.blobs["x"]
    net = solver.net
    del solver
    gc.collect()
    assert net.forward()["loss"].shape == ()


def test_updates_can_be_made_by_hand(solver_file, x_y):
    solver = caffe.SGDSolver(solver_file())
    feed(solver.net, x_y)
    weights, bias = (blob.data.astype(float) for blob in solver.net.params["ip"])
    solver.net.clear_param_diffs()
    solver.net.forward()
    solver.net.backward()
    by_weights, by_bias = gradient(weights, bias, x_y)
    np.testing.assert_allclose(solver.net.params["ip"][0].diff, by_weights, rtol=1e-4, atol=1e-6)
    solver.apply_update()
    assert solver.iter == 1
    np.testing.assert_allclose(solver.net.params["ip"][1].data, bias - 0.1 * by_bias, rtol=1e-4, atol=1e-6)


def test_learning_rates(solver_file):
    solver = caffe.SGDSolver(solver_file(lr_policy="step", gamma=0.5, stepsize=2, display=7))
    assert solver.lr == pytest.approx(0.1)
    assert (solver.param.max_iter, solver.param.display, solver.param.layer_wise_reduce) == (5, 7, True)
    solver.step(2)
    assert solver.lr == pytest.approx(0.05)
    solver.param.base_lr = 8
    assert solver.param.base_lr == 8
    assert solver.lr == pytest.approx(4)
    with pytest.raises(AttributeError):
        solver.param.max_iter = 3


def test_snapshots_go_on_where_they_were(solver_file, x_y, tmp_path):
    path = solver_file(momentum=0.9)
    straight, first, second = (caffe.SGDSolver(path) for _ in range(3))
    for solver in (straight, first, second):
        feed(solver.net, x_y)
    straight.solve()
    first.step(2)
    first.snapshot()
    assert (tmp_path / "s_iter_2.caffemodel").exists()
    second.restore(tmp_path / "s_iter_2.solverstate")
    assert second.iter == 2
    second.step(3)
    np.testing.assert_array_equal(second.net.params["ip"][0].data, straight.net.params["ip"][0].data)
    third = caffe.SGDSolver(path)
    feed(third.net, x_y)
    third.solve(tmp_path / "s_iter_2.solverstate")
    assert third.iter == 5
    np.testing.assert_array_equal(third.net.params["ip"][0].data, straight.net.params["ip"][0].data)


def test_weights_are_shared(solver_file, x_y, tmp_path):
    solver = caffe.SGDSolver(solver_file())
    net = caffe.Net(tmp_path / "net.prototxt", caffe.TEST)
    solver.share_weights(net)
    feed(solver.net, x_y)
    solver.step(1)
    np.testing.assert_array_equal(net.params["ip"][0].data, solver.net.params["ip"][0].data)
    assert np.shares_memory(net.params["ip"][0].data, solver.net.params["ip"][0].data)


def test_callbacks(solver_file, x_y):
    solver = caffe.SGDSolver(solver_file())
    feed(solver.net, x_y)
    seen = []
    solver.add_callback(
        lambda: seen.append(("start", solver.iter)),
        lambda: seen.append(("ready", abs(solver.net.params["ip"][0].diff).max() > 0)),
    )
    gc.collect()
    solver.step(2)
    assert seen == [("start", 0), ("ready", True), ("start", 1), ("ready", True)]

    def stop():
        raise ZeroDivisionError("stop here")

    solver.add_callback(stop, stop)
    with pytest.raises(ZeroDivisionError, match="stop here"):
        solver.step(1)


def test_callbacks_of_nets_that_only_a_solver_holds(solver_file, x_y):
    solver = caffe.SGDSolver(solver_file())
    seen = []
    solver.net.after_forward(seen.append)
    gc.collect()
    solver.step(1)
    assert seen == [0, 1, 2]


@pytest.fixture
def interrupts():
    """SIGINT as Python has it at start; a process in the background is born with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_interrupts_end_a_training(solver_file):
    solver = caffe.SGDSolver(solver_file(max_iter=2**31 - 1))
    main = threading.main_thread().ident

    def on_start():
        assert solver.iter < 10, "the interrupt did not end it"
        if solver.iter == 3:
            signal.pthread_kill(main, signal.SIGINT)

    solver.add_callback(on_start, lambda: None)
    with pytest.raises(KeyboardInterrupt):
        solver.solve()
    assert 3 <= solver.iter < 10
    solver.snapshot()


def test_what_a_solver_refuses(solver_file, tmp_path):
    with pytest.raises(RuntimeError, match=r"Could not open file .*nothing\.prototxt"):
        caffe.SGDSolver(tmp_path / "nothing.prototxt")
    with pytest.raises(RuntimeError, match=r"Could not open file .*nothing\.prototxt"):
        caffe.get_solver(str(tmp_path / "nothing.prototxt"))
    with pytest.raises(caffe.Error, match="SDG"):
        caffe.get_solver(solver_file("SDG"))
    with pytest.raises(caffe.Error, match="stpe"):
        caffe.SGDSolver(solver_file(lr_policy="stpe")).step(1)
    solver = caffe.SGDSolver(solver_file())
    with pytest.raises(RuntimeError, match="Could not open file"):
        solver.restore(tmp_path / "no.solverstate")
    with pytest.raises(RuntimeError, match="Could not open file"):
        solver.solve(tmp_path / "no.solverstate")
    (tmp_path / "bad.solverstate").write_bytes(b"\xff\xff")
    with pytest.raises(caffe.Error, match=r"bad\.solverstate"):
        solver.restore(tmp_path / "bad.solverstate")
