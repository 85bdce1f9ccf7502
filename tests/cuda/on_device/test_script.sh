#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs ../on_device.sh, which must do all that it says where a device is, and end with its one line where none is.
#   test_script.sh OUTDIR
set -u
status=0
output=$("$(dirname "$0")/../on_device.sh" "$1" 2>&1) || status=$?
printf '%s\n' "$output"
if nvidia-smi -L >/dev/null 2>&1; then
  exit "$status"
fi
[ "$status" = 2 ] && printf '%s\n' "$output" | grep -q '^on_device: no usable CUDA device: cudaGetDeviceCount: '
