"""A GPU as the program asks CuPy for it: what is compiled, launched and copied."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from rnnlm.compute.cuda import Cuda, device_by_name
from rnnlm.compute.device import HOST, device_of, device_with, module_of
from rnnlm.compute.kernel import Kernel
from rnnlm.errors import ArgumentError, RnnlmError
from rnnlm.models import LanguageModel


class FakeModule:
    """In place of CuPy's RawModule: it remembers what was compiled and launched."""

    made: ClassVar[list] = []

    def __init__(self, **how):
        self.how, self.launches, self.max_dynamic_shared_size_bytes = how, [], None
        self.made.append(self)

    def get_function(self, name):
        self.name = name
        return self

    def __call__(self, grid, block, arguments, shared_mem):
        self.launches.append((grid, block, arguments, shared_mem, self.max_dynamic_shared_size_bytes))


@pytest.fixture
def gpu(monkeypatch):
    """A Cuda without a GPU."""
    attributes = {"MultiProcessorCount": 7, "MaxSharedMemoryPerBlockOptin": 232_448}
    used = [0]

    def device(number=None):
        number = used[-1] if number is None else number
        return SimpleNamespace(attributes=attributes, id=number, pci_bus_id=f"0000:0{number}:00.0",
                               use=lambda: used.append(number))

    runtime = SimpleNamespace(getDeviceCount=lambda: 3, getDeviceProperties=lambda number: {"uuid": f"name {number}"})
    cuda = SimpleNamespace(runtime=runtime, Device=device, get_cublas_handle=lambda: 0, used=used)
    FakeModule.made = []
    cupy = ModuleType("cupy")
    vars(cupy).update(cuda=cuda, RawModule=FakeModule)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    return Cuda()


def kernel_of(path, **options):
    path.write_text("// a kernel", encoding="utf-8")
    return Kernel("work", path, lambda *arguments: None, **options)


def test_a_kernel_is_compiled_once_with_its_own_options(gpu, tmp_path):
    kernel = kernel_of(tmp_path / "a.cu", cooperative=True, options=("-DSTREAMS=5",))
    for _ in range(2):
        gpu.launch(kernel, 3, 64, (), 100)
    (module,) = FakeModule.made
    assert module.how["code"] == "// a kernel" and module.how["enable_cooperative_groups"]
    assert "-DSTREAMS=5" in module.how["options"]
    other = kernel_of(tmp_path / "a.cu", cooperative=True, options=("-DSTREAMS=8",))
    gpu.launch(other, 3, 64, (), 100)
    assert len(FakeModule.made) == 2 and "-DSTREAMS=8" in FakeModule.made[1].how["options"]


def test_a_kernel_may_have_as_much_shared_memory_as_it_is_given(gpu, tmp_path):
    kernel = kernel_of(tmp_path / "a.cu")
    for shared in (0, 60_000, 50_000, 200_000):
        gpu.launch(kernel, (2, 3), 32, (), shared)
    allowed = [allowed for *_, allowed in FakeModule.made[0].launches]
    assert allowed == [None, 60_000, 60_000, 200_000]
    assert FakeModule.made[0].launches[0][:2] == ((2, 3), (32,))


def test_a_gpu_takes_float32_alone(gpu):
    model = LanguageModel(5, 3, 3, rng=None, dtype=np.float64)
    with pytest.raises(ArgumentError, match="must be of float32, got float64: leave it on the processor"):
        model.move_to(gpu)
    assert model.device is HOST


def test_missing_libraries_are_one_line(gpu, monkeypatch):
    def missing():
        raise ImportError("libcublas.so.13: cannot open shared object file")

    monkeypatch.setattr(sys.modules["cupy"].cuda, "get_cublas_handle", missing)
    with pytest.raises(RnnlmError, match=r"not the libraries of CUDA \(libcublas.*: pip install 'numpy-rnnlm\[cuda13"):
        Cuda()


def test_a_gpu_that_is_taken_is_one_line(gpu, monkeypatch):
    def taken():
        raise RuntimeError("cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy")

    monkeypatch.setattr(sys.modules["cupy"].cuda, "get_cublas_handle", taken)
    with pytest.raises(RnnlmError, match=r"cannot use the GPU \(cudaErrorDevicesUnavailable.*: see what nvidia-smi"):
        Cuda()


def test_processes_of_a_host_take_one_gpu_after_the_other(gpu):
    used = sys.modules["cupy"].cuda.used
    assert gpu.identity == "" and used == [0]  # one process alone leaves it at CuPy's
    found = [device_by_name("cuda", number).identity for number in range(4)]
    assert used == [0, 0, 1, 2, 0]
    assert found[1] == "0000:01:00.0 name 1" and found[3] == found[0] and len(set(found)) == 3


def test_a_gpu_that_cannot_be_chosen_is_one_line(gpu, monkeypatch):
    def taken(number=None):
        raise RuntimeError("cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy")

    monkeypatch.setattr(sys.modules["cupy"].cuda, "Device", taken)
    with pytest.raises(RnnlmError, match=r"cannot use the GPU \(cudaErrorDevicesUnavailable.*: see what nvidia-smi"):
        Cuda(number=1)


def test_a_gpu_that_is_too_old_is_one_line(gpu):
    attributes = sys.modules["cupy"].cuda.Device().attributes
    for major in (9, 7):
        attributes["ComputeCapabilityMajor"] = major
        assert Cuda().processors == 7
    attributes["ComputeCapabilityMajor"] = 6
    with pytest.raises(RnnlmError, match=r"needs a GPU of compute capability 7\.0 or more"):
        Cuda()


def test_a_cupy_that_cannot_be_loaded_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcuda.so.1: cannot open')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(RnnlmError, match=r"finds CuPy and cannot load it \(libcuda.*: install it anew"):
        Cuda()


def test_numbers_become_what_kernels_take(gpu, tmp_path):
    gpu.launch(kernel_of(tmp_path / "a.cu"), 1, 32, (3, 0.5, "an array"))
    whole, fraction, array = FakeModule.made[0].launches[0][2]
    assert type(whole) is np.int32 and type(fraction) is np.float32 and array == "an array"


def test_the_number_of_processors_is_the_gpus(gpu):
    assert (gpu.processors, gpu.shared_bytes) == (7, 232_448)
    assert (gpu.name, Cuda(tf32=True).name) == ("cuda", "cuda-tf32")


def test_every_kernel_of_the_package_has_a_source_that_holds_it():
    from rnnlm.compute import update_kernels
    from rnnlm.layers.cuda import draws, dropout, embedding, output, products

    modules = (update_kernels, draws, dropout, embedding, output, products)
    kernels = [value for module in modules for value in vars(module).values() if isinstance(value, Kernel)]
    assert len(kernels) >= 10
    for kernel in kernels:
        assert isinstance(kernel.source, Path)
        assert f" {kernel.name}(" in kernel.source.read_text(encoding="utf-8")


def test_arrays_and_models_of_the_host_are_known():
    assert module_of(np.ones(2)) is np and device_with(np.ones(2)) is HOST
    assert device_of(object()) is HOST and device_of(SimpleNamespace(device="mine")) is HOST
    assert HOST.numbers(np.float32(2), 3) == [2.0, 3.0]
