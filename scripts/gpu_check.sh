#!/usr/bin/env bash
# On a machine with an NVIDIA GPU, nvcc, CMake, a C++17 compiler, Highway, Eigen and GoogleTest: builds the core for the GPU,
# runs every test of GPU against CPU, compute-sanitizer on the small ones, and prints the table of benchmarks.
#   scripts/gpu_check.sh [BUILD_FOLDER]      default: build-gpu
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
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DRXNN_ENGINE=OFF -DRXNN_CUDA=ON
cmake --build "$build" -j "$(nproc)" --target gpu_test gpu_benchmark cuda_test

echo "== kernels on the host, emulated"
"$build/bin/cuda_test" --gtest_brief=1
echo "== kernels on the GPU against the CPU"
"$build/bin/gpu_test"

echo "== compute-sanitizer"
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    echo "-- $tool"
    compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/bin/gpu_test" --gtest_brief=1 \
      --gtest_filter='GpuCrossbar.ConvolvesAsTheCpuDoes:GpuCrossbar.ReadsArraysOfAnyRows:GpuRandom.*:GpuExtraction.EqualsTheCpuAndNodalAnalysis'
  done
else
  echo "compute-sanitizer: not found, not run"
fi

echo "== benchmarks"
"$build/bin/gpu_benchmark"
for python in python3 python; do
  if command -v "$python" > /dev/null && "$python" -c 'import torch' 2> /dev/null; then
    "$python" benchmarks/gpu/torch_yardstick.py
    exit 0
  fi
done
echo "PyTorch: not found"
