#!/usr/bin/env bash
# Compiles code for GPUs with nvcc, to see that it does; needs no GPU and keeps nothing.
#   scripts/compile_cuda.sh                    the kernels of the core
#   scripts/compile_cuda.sh engine FLAG..      the engine's part for GPUs; FLAG: where its headers are (-I..)
# ARCHITECTURES (default: sm_80 sm_90a) says for which GPUs. CLANG=clang++-19 CUDA_PATH=FOLDER compiles with clang in place of nvcc, GPU code
# alone, by the headers and the ptxas of a CUDA whose nvcc is not at hand. Files that need headers of cuBLAS, NCCL and cuDNN are left out,
# saying so, where those are neither the compiler's nor a wheel's in .venv.
# Exits with 77, saying so, where there is no nvcc.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra architectures <<< "${ARCHITECTURES:-sm_80 sm_90a}"
if [[ -n ${CLANG-} ]]; then
  "$CLANG" --version | head -n 1
  compiler=("$CLANG" -x cuda "--cuda-path=$CUDA_PATH" --cuda-device-only -Werror -Wno-unknown-cuda-version)
  targets=("${architectures[@]/#/--cuda-gpu-arch=}")  # one at a time
  for_engine=()
else
  nvcc=$(command -v nvcc || true)
  [[ -n $nvcc ]] || nvcc=$(ls /usr/local/cuda*/bin/nvcc 2> /dev/null | tail -n 1 || true)
  if [[ -z $nvcc ]]; then
    echo "compile_cuda: skipped, there is no nvcc"
    exit 77
  fi
  "$nvcc" --version | tail -n 2
  compiler=("$nvcc" -x cu --expt-relaxed-constexpr -Werror all-warnings)
  targets=("")  # all at once
  for architecture in "${architectures[@]}"; do
    targets[0]+=" -gencode arch=compute_${architecture#sm_},code=$architecture"
  done
  for_engine=(--extended-lambda -Wext-lambda-captures-this -diag-suppress 177)
fi
compiler+=(-std=c++17 -Iinclude -Isrc)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ ${1-} != engine ]]; then
  for source in src/*/*.cu; do
    echo "$source"
    for target in "${targets[@]}"; do
      "${compiler[@]}" $target -O3 -c "$source" -o "$work/object.o"
    done
  done
  exit 0
fi

shift
compiler+=("${for_engine[@]}" -DCAFFE_GPU_PASS -Icaffe/include -Icaffe/src/gpu "$@")
for wheel in .venv/lib/python3*/site-packages/nvidia/{cu*,nccl}/include; do
  [[ -d $wheel ]] && compiler+=("-I$wheel")
done
mapfile -t sources < <(ls caffe/src/gpu/*.cu caffe/src/layers/*.cu src/rxnn_layers/gpu/*.cpp
  grep -lE '^(CPU_AND_GPU|GPU_TOO|UPDATE_ON_CPU_AND_GPU)\(' caffe/src/layers/*.cpp caffe/src/solvers/*.cpp)
# needs HEADER SOURCE: leaves the source out where there is no such header.
needs() {
  printf '#include <%s>\n' "$1" | "${compiler[@]}" -E - -o /dev/null 2> /dev/null && return
  echo "compile_cuda: there is no $1: $2 is left out"
  mapfile -t sources < <(printf '%s\n' "${sources[@]}" | grep -vF "$2")
}
needs cublas_v2.h caffe/src/gpu/math_functions.cu
needs nccl.h caffe/src/gpu/nccl.cu
needs cudnn.h caffe/src/gpu/cudnn.cu
# A few files that include the others: their headers are most of the work.
for i in "${!sources[@]}"; do
  echo "${sources[i]}"
  echo "#include \"$PWD/${sources[i]}\"" >> "$work/part$((i * 4 / ${#sources[@]})).cu"
done
for target in "${targets[@]}"; do
  printf '%s\n' "$work"/part*.cu | xargs -P 2 -I{} "${compiler[@]}" $target -O1 -c {} -o {}.o
done
