#!/usr/bin/env bash
# Runs the test programs of a build of the preset `tsan` under ThreadSanitizer, JOBS at a time; ends with 1 when one reports a race.
#   scripts/tsan.sh BUILD_FOLDER JOBS
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: scripts/tsan.sh BUILD_FOLDER JOBS}
jobs=${2:?jobs}

# Archer, of LLVM's OpenMP, tells ThreadSanitizer where OpenMP's threads wait for each other. Libraries that are not built with
# the sanitizer are not judged.
export OMP_TOOL_LIBRARIES=$(ls /usr/lib/llvm-*/lib/libarcher.so | sort -V | tail -n 1)
export OMP_NUM_THREADS=4 OMP_WAIT_POLICY=passive
export TSAN_OPTIONS="ignore_noninstrumented_modules=1:halt_on_error=1"

run() {
  local log=$1.log
  if "$1" > "$log" 2>&1; then
    echo "tsan: $(basename "$1"): $(tail -n 1 "$log")"
  else
    grep -v -E '^\[( +OK|-+|=+| RUN) ' "$log" | tail -n 80
    echo "tsan: $(basename "$1"): FAILED; the log is $log"
    return 1
  fi
}
export -f run
ls "$build"/bin/*_test | xargs -P "$jobs" -I{} bash -c 'run {}'
