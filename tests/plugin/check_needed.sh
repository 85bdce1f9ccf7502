#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The plugin is loaded into every program that uses GDAL: it must bring no MPI, CUDA, HDF5 or Boost along, and export its
# entry alone of our code.
#   check_needed.sh PLUGIN
set -eu
needed=$(objdump -p "$1" | sed -n 's/^ *NEEDED *//p')
echo "needs: " $needed
case $needed in *libgdal.so*) ;; *) echo "it does not name libgdal"; exit 1 ;; esac
for word in mpi hdf5 cuda cublas boost; do
  case $needed in *$word*) echo "it needs $word"; exit 1 ;; esac
done
exported=$(nm -D --defined-only "$1" | sed 's/.* //')
[ "$exported" = GDALRegister_Rastertide ] || { echo "it exports: $exported"; exit 1; }
