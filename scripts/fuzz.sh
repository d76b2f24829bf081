#!/usr/bin/env bash
# Runs the fuzz targets of a build of the preset `fuzz`, SECONDS each, JOBS at a time; ends with 1 when one found something.
#   scripts/fuzz.sh BUILD_FOLDER SECONDS JOBS [TARGET...]
# What was found lies in BUILD_FOLDER/fuzz/TARGET/; BUILD_FOLDER/bin/TARGET_fuzzer FILE runs it again.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: scripts/fuzz.sh BUILD_FOLDER SECONDS JOBS [TARGET...]}
export build seconds=${2:?seconds} # for the shells below
jobs=${3:?jobs}
shift 3
export source_folder=$PWD OMP_NUM_THREADS=1
# Errors of other threads are part of the game; glog's files are not.
export GLOG_logtostderr=1

fuzz() {
  set -euo pipefail
  local target=$1 folder=$build/fuzz/$1
  rm -rf "$folder"
  mkdir -p "$folder/corpus"
  local options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -use_value_profile=1
                 -artifact_prefix="$folder/")
  local dictionary=$source_folder/tests/fuzz/seeds/$target.dict
  [[ -f $dictionary ]] && options+=(-dict="$dictionary")
  if "$build/bin/${target}_fuzzer" "${options[@]}" "$folder/corpus" "$source_folder/tests/fuzz/seeds/$target" \
      > "$folder/log" 2>&1; then
    echo "fuzz: $target: $(sed -n 's/stat::number_of_executed_units: *//p' "$folder/log") inputs in $seconds s, nothing found"
  else
    tail -n 60 "$folder/log"
    echo "fuzz: $target: FAILED: $(ls "$folder" | grep -E '^(crash|leak|oom|timeout|slow)' || true); the log is $folder/log"
    return 1
  fi
}
export -f fuzz

if (($# == 0)); then
  set -- $(cd tests/fuzz && ls -- *_fuzzer.cpp | sed 's/_fuzzer.cpp//')
fi
printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'fuzz {}'
