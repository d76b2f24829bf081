#!/usr/bin/env bash
# Runs the C++ tests of what works in threads from a build of the preset `tsan`: data layers and their prefetching, queues and
# background threads, databases, products and layers of crossbars.
#   scripts/tsan.sh BUILD_FOLDER JOBS
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: scripts/tsan.sh BUILD_FOLDER JOBS}
jobs=${2:?jobs}

# Archer, of LLVM's OpenMP, tells ThreadSanitizer where OpenMP's threads wait for each other; code built without the
# sanitizer (OpenBLAS, OpenCV, LMDB) is not judged.
archer=$(ls /usr/lib/llvm-*/lib/libarcher.so | sort -V | tail -n 1)
export OMP_TOOL_LIBRARIES=$archer OMP_NUM_THREADS=4 OMP_WAIT_POLICY=passive
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1 second_deadlock_stack=1"
exec ctest --test-dir "$build" --output-on-failure -j "$jobs" -R \
  'Data|Prefetch|Thread|Queue|Db|LMDB|Lmdb|Transformer|Crossbar|Vmm|Reads|Folded|Sweep|Images|Parallel|Random'
