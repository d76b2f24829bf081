#!/usr/bin/env bash
# Makes this machine able to build and run RxNN: installs the Debian packages that are missing and the Python environment.
#   scripts/setup.sh VENV
# Says what it installs. Without root (or password-less sudo) and with packages missing it says what an administrator must
# run and stops. Does nothing when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:?usage: scripts/setup.sh VENV}
python=${PYTHON:-python3}

missing=()
while read -r package; do
  [[ -z $package || $package == \#* ]] && continue
  status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2> /dev/null || true)
  [[ $status == ii* ]] || missing+=("$package")
done < scripts/packages.txt

if ((${#missing[@]})); then
  install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if ! command -v apt-get > /dev/null; then
    echo "setup: this is no Debian system; install what stands for: ${missing[*]}" >&2
    exit 1
  elif [[ $(id -u) == 0 ]]; then
    run=(env)
  elif sudo -n true 2> /dev/null; then
    run=(sudo env)
  else
    printf 'setup: packages are missing and this user cannot install them. An administrator must run:\n  %s\n' \
      "apt-get update && ${install[*]}" >&2
    exit 1
  fi
  echo "setup: installing Debian packages: ${missing[*]}"
  log=$(mktemp)
  if ! { "${run[@]}" apt-get update && "${run[@]}" DEBIAN_FRONTEND=noninteractive "${install[@]}"; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed; its whole output is in $log" >&2
    exit 1
  fi
  rm -f "$log"
fi

# The environment is brought up to date when pyproject.toml changed.
stamp=$venv/.installed
if [[ ! -f $stamp || pyproject.toml -nt $stamp ]]; then
  echo "setup: making the Python environment $venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[build,test]'
  touch "$stamp"
fi
