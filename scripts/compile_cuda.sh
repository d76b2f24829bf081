#!/usr/bin/env bash
# Compiles code for GPUs with nvcc, to see that it does; needs no GPU and keeps nothing.
#   scripts/compile_cuda.sh                    the kernels of the core
#   scripts/compile_cuda.sh engine FLAG..      the engine's part for GPUs; FLAG: where its headers are (-I..)
# ARCHITECTURES (default: sm_80 sm_90a) says for which GPUs. Files that need headers of cuBLAS, NCCL and cuDNN are left out, saying
# so, where those are neither nvcc's nor a wheel's in .venv.
# Exits with 77, saying so, where there is no nvcc.
set -euo pipefail
cd "$(dirname "$0")/.."
nvcc=$(command -v nvcc || true)
[[ -n $nvcc ]] || nvcc=$(ls /usr/local/cuda*/bin/nvcc 2> /dev/null | tail -n 1 || true)
if [[ -z $nvcc ]]; then
  echo "compile_cuda: skipped, there is no nvcc"
  exit 77
fi
"$nvcc" --version | tail -n 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags=(-x cu -std=c++17 --expt-relaxed-constexpr -Werror all-warnings)
for architecture in ${ARCHITECTURES:-sm_80 sm_90a}; do
  flags+=(-gencode "arch=compute_${architecture#sm_},code=$architecture")
done

if [[ ${1-} != engine ]]; then
  for source in src/*/*.cu; do
    echo "$source"
    "$nvcc" "${flags[@]}" -O3 -Iinclude -Isrc -c "$source" -o "$work/object.o"
  done
  exit 0
fi

shift
flags+=(--extended-lambda -Wext-lambda-captures-this -diag-suppress 177 -DCAFFE_GPU_PASS -Icaffe/include -Icaffe/src/gpu
  -Iinclude -Isrc "$@")
for wheel in .venv/lib/python3*/site-packages/nvidia/{cu*,nccl}/include; do
  [[ -d $wheel ]] && flags+=("-I$wheel")
done
mapfile -t sources < <(ls caffe/src/gpu/*.cu caffe/src/layers/*.cu src/rxnn_layers/gpu/*.cpp
  grep -lE '^(CPU_AND_GPU|GPU_TOO|UPDATE_ON_CPU_AND_GPU)\(' caffe/src/layers/*.cpp caffe/src/solvers/*.cpp)
# needs HEADER SOURCE: leaves the source out where there is no such header.
needs() {
  printf '#include <%s>\n' "$1" | "$nvcc" "${flags[@]}" -E - -o /dev/null 2> /dev/null && return
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
printf '%s\n' "$work"/part*.cu | xargs -P 2 -I{} "$nvcc" "${flags[@]}" -O1 -c {} -o {}.o
