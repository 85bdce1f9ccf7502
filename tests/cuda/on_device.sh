#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests and times the CUDA kernels on the card of this machine. Needs nvcc 12 or newer, CMake 3.25 and a C++20 compiler,
# and nothing else.
#
#   tests/cuda/on_device.sh [OUTDIR] [--small] [--check | --bench]
#
# OUTDIR (default ./on_device_out) gets the build and on_device.md: what failed, and a table of times.
# Exit code: 0 all checks passed, 1 one failed or the program could not be built, 2 there is no usable device.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=on_device_out
case ${1:-} in
  '' | -*) ;;
  *) out=$1; shift ;;
esac
mkdir -p "$out"

fail() {
  echo "on_device: $*" >&2
  exit 1
}

find_nvcc() {
  for candidate in "${CUDACXX:-}" "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

# The card's own architecture; a few of them where no card tells.
find_architectures() {
  card=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader --id=0 2>/dev/null | tr -d '. ' || true)
  case $card in
    '' | *[!0-9]*) echo '80-real;90-real;100-real' ;;
    *) echo "$card-real" ;;
  esac
}

nvcc=$(find_nvcc)
[ -n "$nvcc" ] || fail "no nvcc on PATH, in CUDACXX or in /usr/local/cuda/bin"
architectures=$(find_architectures)
echo "on_device: $nvcc for $architectures"
cmake -S "$here/on_device" -B "$out/build" -DCMAKE_CUDA_COMPILER="$nvcc" -DCMAKE_CUDA_ARCHITECTURES="$architectures" \
  -DCMAKE_BUILD_TYPE=Release >"$out/build.log" 2>&1 || { tail -n 40 "$out/build.log" >&2; fail "CMake failed"; }
cmake --build "$out/build" --parallel "$(nproc)" >>"$out/build.log" 2>&1 || { tail -n 40 "$out/build.log" >&2; fail "the build failed"; }

status=0
"$out/build/on_device" "$@" "$out/on_device.md" || status=$?
case $status in
  0) echo "on_device: all passed, see $out/on_device.md" ;;
  2) ;;  # the program has said it
  *) echo "on_device: FAILED, see $out/on_device.md" >&2 ;;
esac
exit "$status"
