"""What the module caffe has beside nets and solvers."""

import time

import pytest

import caffe


def test_module_names():
    assert (caffe.TRAIN, caffe.TEST) == (0, 1)
    assert caffe.__version__ == "1.0.0"
    caffe.set_mode_cpu()
    assert {"Convolution", "CrossbarConvolution", "CrossbarInnerProduct", "Data"} <= set(caffe.layer_type_list())
    with pytest.raises(caffe.Error, match="GPU"):
        caffe.set_mode_gpu()
    with pytest.raises(caffe.Error, match="GPU"):
        caffe.set_device(0)
    assert issubclass(caffe.Error, RuntimeError)
    for name in ("_caffe", "classifier", "detector", "io", "net_spec", "proto", "pycaffe"):
        assert type(getattr(caffe, name)).__name__ == "module"
    assert caffe.Net is caffe._caffe.Net
    assert all(hasattr(caffe, name) for name in caffe.__all__)


def test_solvers_of_a_process():
    assert (caffe.solver_count(), caffe.solver_rank()) == (1, 0)
    caffe.set_solver_count(3)
    caffe.set_solver_rank(2)
    assert (caffe.solver_count(), caffe.solver_rank()) == (3, 2)
    caffe.set_solver_count(1)
    caffe.set_solver_rank(0)
    caffe.set_multiprocess(False)
    assert not caffe.has_nccl()
    with pytest.raises(caffe.Error, match="NCCL"):
        caffe.NCCL.new_uid()
    with pytest.raises(TypeError):
        caffe.NCCL(None, b"")


def test_timer():
    timer = caffe.Timer()
    timer.start()
    time.sleep(0.02)
    timer.stop()
    ms = timer.ms
    assert 15 < ms < 5000
    time.sleep(0.01)
    assert timer.ms == ms
