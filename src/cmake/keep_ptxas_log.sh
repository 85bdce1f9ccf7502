#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs nvcc, and keeps what it says of registers, shared memory and spills beside the object: OBJECT.log, which the
# test of the kernels' resources reads. Warnings and errors are shown.
previous=''
object=''
for word in "$@"; do
  [ "$previous" = -o ] && object=$word
  previous=$word
done
[ -n "$object" ] || exec "$@"
status=0
"$@" >"$object.log" 2>&1 || status=$?
grep -v -e '^ptxas info' -e 'Function properties' -e 'bytes stack frame' -e '^$' "$object.log" >&2
exit "$status"
