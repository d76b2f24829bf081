#!/usr/bin/env bash
# Builds and runs all benchmarks; docs/benchmarks.md explains the figures.
#   scripts/bench.sh PYTHON JOBS
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: scripts/bench.sh PYTHON JOBS}
jobs=${2:-1}

cmake --preset release -DRXNN_BENCHMARKS=ON -DPython_EXECUTABLE="$PWD/$python" > build.log
cmake --build build -j "$jobs"
# OpenBLAS takes a slower kernel for AVX-512 processors that it does not know: no fair yardstick.
if grep -qw avx512f /proc/cpuinfo 2> /dev/null; then export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX}; fi
for program in build/bin/*_benchmark; do
  echo "== $(basename "$program")"
  "$program" --benchmark_counters_tabular=true
done
for script in benchmarks/*_benchmark.py benchmarks/engine.py; do
  [[ -e $script ]] || continue
  echo "== $(basename "$script")"
  "$python" "$script"
done
