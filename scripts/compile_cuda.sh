#!/usr/bin/env bash
# Compiles the kernels for GPUs with nvcc, to see that they do; needs no GPU and keeps nothing.
#   scripts/compile_cuda.sh [ARCHITECTURE..]      default: sm_80 sm_90a
# Exits with 77, saying so, where there is no nvcc.
set -euo pipefail
cd "$(dirname "$0")/.."
nvcc=$(command -v nvcc || true)
[[ -n $nvcc ]] || nvcc=$(ls /usr/local/cuda*/bin/nvcc 2> /dev/null | tail -n 1 || true)
if [[ -z $nvcc ]]; then
  echo "compile_cuda: skipped, there is no nvcc"
  exit 77
fi
architectures=("$@")
((${#architectures[@]})) || architectures=(sm_80 sm_90a)
"$nvcc" --version | tail -n 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
generate=()
for architecture in "${architectures[@]}"; do generate+=(-gencode "arch=compute_${architecture#sm_},code=$architecture"); done
for source in src/*/*.cu; do
  echo "$source: ${architectures[*]}"
  "$nvcc" -std=c++17 -O3 --expt-relaxed-constexpr -Werror all-warnings -Iinclude -Isrc "${generate[@]}" -c "$source" \
    -o "$work/object.o"
done
