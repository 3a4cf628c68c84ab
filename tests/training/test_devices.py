"""A GPU that is there and not used is told of, with a driver that is none."""

import ctypes

import pytest
import tensorflow as tf

from oasis_tf.training import devices
from oasis_tf.training.devices import device_names, unused_gpu

BUILD = {"is_cuda_build": True, "cuda_version": "12.5.1", "cudnn_version": "9"}


@pytest.fixture
def driver(tmp_path, monkeypatch):
    path = tmp_path / "version"
    path.write_text("NVRM version")
    monkeypatch.setattr(devices, "_DRIVER", (tmp_path / "none", path))
    return path


def built(monkeypatch, **changes):
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: {**BUILD, **changes})


def test_without_a_driver_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "_DRIVER", (tmp_path / "none",))
    assert unused_gpu() is None


def test_a_gpu_that_is_used(driver, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"/{kind}:0"])
    assert unused_gpu() is None


def test_libraries_that_are_lacking(driver, monkeypatch):
    built(monkeypatch)
    tried = []

    def load(name):
        tried.append(name)
        if name in ("libcudnn.so.9", "libcufft.so.11"):
            raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", load)
    line = unused_gpu()
    assert str(driver) in line and "computes on the CPU" in line
    assert "libcufft.so.11, libcudnn.so.9 cannot be loaded" in line
    assert "tensorflow[and-cuda]" in line
    assert tried[:2] == ["libcudart.so.12", "libcublas.so.12"]


def test_libraries_that_are_all_there(driver, monkeypatch):
    built(monkeypatch)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    assert "CUDA_VISIBLE_DEVICES" in unused_gpu()


def test_a_tensorflow_without_cuda(driver, monkeypatch):
    built(monkeypatch, is_cuda_build=False)
    assert "built without CUDA" in unused_gpu()


def test_names(monkeypatch):
    assert device_names(2) == ["CPU"]
    names = {"a": {"device_name": "NVIDIA H100"}, "b": {}, "c": {}}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(names))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", names.get)
    assert device_names(2) == ["NVIDIA H100", "GPU"]
