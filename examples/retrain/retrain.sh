#!/usr/bin/env bash
# Loses accuracy on hard hardware, and wins it back by training on that hardware. Needs `make demo` before.
#   examples/retrain/retrain.sh [folder of the demo]     default: demo in the source tree
# Results go to the folder's subfolder retrain. The databases are taken from the folder, wherever `rxnn demo` was run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
demo=${1:-$root/demo}
if [[ ! -f $demo/lenet_digits.caffemodel ]]; then
  echo "retrain: $demo/lenet_digits.caffemodel is not there: run make demo" >&2
  exit 1
fi
demo=$(cd "$demo" && pwd)
out=$demo/retrain
here=$root/examples/retrain
export PATH=$root/.venv/bin:$root/build/bin:$PATH GLOG_logtostderr=1
mkdir -p "$out"

# Runs a command with its log in a file; where it fails, shows the end of the log.
logged() {
  local log=$1
  shift
  if ! "$@" 2> "$log"; then
    echo "retrain: $1 ${2:-} failed; the end of $log:" >&2
    tail -n 5 "$log" >&2
    exit 1
  fi
}

# Test images a network gets right, as `caffe test` prints it.
accuracy() {
  logged "$out/test.log" caffe test --model "$1" --weights "$2" --iterations 9
  sed -n 's/.*\] accuracy = //p' "$out/test.log" | tail -n 1
}

# The demo writes sources relative to where it was run; here they are absolute.
folder=$(printf '%s' "$demo" | sed 's/[&#\\]/\\&/g')
sed -E "s#source: \".*((train|test)_lmdb)\"#source: \"$folder/\1\"#" "$demo/lenet_digits.prototxt" > "$out/plain.prototxt"

# --online: the prototxt says CrossbarConvolution, the weights stay weights, so they can be trained.
rxnn convert --online --model "$out/plain.prototxt" --weights "$demo/lenet_digits.caffemodel" \
  --hardware "$here/hard.prototxt" \
  --out-model "$out/hard.prototxt" --out-weights "$out/before.caffemodel" > /dev/null

{
  cat "$here/solver.prototxt"
  echo "net: \"$out/hard.prototxt\""
  echo "snapshot_prefix: \"$out/retrained\""
} > "$out/solver.prototxt"
# Forward passes run on the crossbars, gradients are those of the plain layers; a network this small is fastest on one thread.
OMP_NUM_THREADS=1 logged "$out/train.log" caffe train --solver "$out/solver.prototxt" --weights "$out/before.caffemodel"
mv "$out/retrained_iter_270.caffemodel" "$out/retrained.caffemodel"
rm -f "$out/retrained_iter_270.solverstate"

# Assigned one by one: a command that fails inside the arguments of printf would go unnoticed.
plain=$(accuracy "$out/plain.prototxt" "$demo/lenet_digits.caffemodel")
lost=$(accuracy "$out/hard.prototxt" "$out/before.caffemodel")
won=$(accuracy "$out/hard.prototxt" "$out/retrained.caffemodel")
printf '%-44s %s\n' "plain network" "$plain" "on hard hardware" "$lost" "on hard hardware, retrained on it" "$won"
