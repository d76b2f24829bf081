#!/usr/bin/env bash
# On a machine with an NVIDIA GPU, nvcc, CMake, a C++17 compiler, Highway, Eigen and GoogleTest: builds the core for the GPU,
# runs every test of GPU against CPU, compute-sanitizer on the small ones, and prints the table of benchmarks. The engine too,
# after `make setup` and where cuBLAS is found (docs/dependencies.md).
#   scripts/gpu_check.sh [BUILD_FOLDER]      default: build-gpu; RXNN_ENGINE=OFF before it: the core alone
# Exits with 1, saying so, where there is no GPU: nothing is then checked.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build-gpu}

if ! command -v nvidia-smi > /dev/null || ! nvidia-smi -L 2> /dev/null | grep -q GPU; then
  echo "gpu_check: there is no NVIDIA GPU here; nothing was built, run or measured on one" >&2
  exit 1
fi
date -u
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv

echo "== build"
engine=${RXNN_ENGINE:-ON}
options=(-DCMAKE_BUILD_TYPE=Release -DRXNN_CUDA=ON "-DRXNN_ENGINE=$engine")
[[ -x .venv/bin/python ]] && options+=("-DPython_EXECUTABLE=$PWD/.venv/bin/python")
cmake -S . -B "$build" "${options[@]}"
if [[ $engine == ON ]] && grep -q 'CUBLAS_LIBRARY:.*NOTFOUND' "$build/CMakeCache.txt"; then
  echo "gpu_check: no cuBLAS: the engine is not checked"
  engine=OFF
fi
targets=(gpu_test gpu_benchmark cuda_test)
[[ $engine == ON ]] && targets+=(caffe_gpu_test caffe_tool _caffe)
cmake --build "$build" -j "$(nproc)" --target "${targets[@]}"

echo "== kernels on the host, emulated"
"$build/bin/cuda_test" --gtest_brief=1
echo "== kernels on the GPU against the CPU"
"$build/bin/gpu_test"
if [[ $engine == ON ]]; then
  echo "== layers, nets and solvers on the GPU against the CPU"
  "$build/bin/caffe" device_query --gpu=all
  "$build/bin/caffe_gpu_test"
fi

echo "== compute-sanitizer"
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    echo "-- $tool"
    compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/bin/gpu_test" --gtest_brief=1 \
      --gtest_filter='GpuCrossbar.ConvolvesAsTheCpuDoes:GpuCrossbar.ReadsArraysOfAnyRows:GpuRandom.*:GpuExtraction.EqualsTheCpuAndNodalAnalysis'
    if [[ $engine == ON ]]; then
      compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/bin/caffe_gpu_test" --gtest_brief=1 \
        --gtest_filter='GpuLayers.GiveWhatTheyGiveOnTheCpu:SyncedMemoryOnGpu.*'
    fi
  done
else
  echo "compute-sanitizer: not found, not run"
fi

echo "== benchmarks"
"$build/bin/gpu_benchmark"
torch=
for python in python3 python; do
  if command -v "$python" > /dev/null && "$python" -c 'import torch' 2> /dev/null; then torch=$python; fi
done
if [[ -n $torch ]]; then "$torch" benchmarks/gpu/torch_yardstick.py; else echo "PyTorch: not found"; fi
if [[ $engine == ON && -x .venv/bin/python ]]; then
  .venv/bin/python benchmarks/engine.py --gpu --batches 1 16 128 ${torch:+--torch-python "$torch"}
fi
