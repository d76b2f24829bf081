#!/usr/bin/env bash
# Loses accuracy on hard hardware, and wins it back by training on that hardware. Needs `make demo` before.
#   examples/retrain/retrain.sh [folder of the demo, default demo]     results go to its subfolder retrain
set -euo pipefail
cd "$(dirname "$0")/../.."
demo=${1:-demo}
out=$demo/retrain
here=examples/retrain
export PATH=$PWD/.venv/bin:$PWD/build/bin:$PATH GLOG_logtostderr=1
if [[ ! -f $demo/lenet_digits.caffemodel ]]; then
  echo "retrain: $demo/lenet_digits.caffemodel is not there: run make demo" >&2
  exit 1
fi
mkdir -p "$out"

# Test images a network gets right, as `caffe test` prints it.
accuracy() {
  caffe test --model "$1" --weights "$2" --iterations 9 2>&1 | sed -n 's/.*\] accuracy = //p' | tail -n 1
}

# --online: the prototxt says CrossbarConvolution, the weights stay weights, so they can be trained.
rxnn convert --online --model "$demo"/lenet_digits.prototxt --weights "$demo"/lenet_digits.caffemodel \
  --hardware $here/hard.prototxt \
  --out-model "$out/hard.prototxt" --out-weights "$out/before.caffemodel" > /dev/null

{
  cat $here/solver.prototxt
  echo "net: \"$out/hard.prototxt\""
  echo "snapshot_prefix: \"$out/retrained\""
} > "$out/solver.prototxt"
# Forward passes run on the crossbars, gradients are those of the plain layers; a network this small is fastest on one thread.
OMP_NUM_THREADS=1 caffe train --solver "$out/solver.prototxt" --weights "$out/before.caffemodel" 2> "$out/train.log"
mv "$out/retrained_iter_270.caffemodel" "$out/retrained.caffemodel"
rm -f "$out/retrained_iter_270.solverstate"

printf '%-44s %s\n' \
  "plain network" "$(accuracy "$demo"/lenet_digits.prototxt "$demo"/lenet_digits.caffemodel)" \
  "on hard hardware" "$(accuracy "$out/hard.prototxt" "$out/before.caffemodel")" \
  "on hard hardware, retrained on it" "$(accuracy "$out/hard.prototxt" "$out/retrained.caffemodel")"
