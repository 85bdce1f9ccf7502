#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds all of the project against the GDAL of the system that this runs on, and runs the tests of the plugin. For systems with a
# newer GDAL than that of ./check, such as a container of Debian sid. With python3-qgis installed, QGIS is tried, too.
#   tests/plugin/newer_gdal.sh
set -eu
cd "$(dirname "$0")/../.."
.ci/setup
gdalinfo --version
# The kernels are tested elsewhere: a few instruction sets do.
cmake --preset release -DRASTERTIDE_BUILD_TESTS=ON -DRASTERTIDE_WITH_CUDA=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=OFF \
      -DRASTERTIDE_FEWER_SIMD_LEVELS='|HWY_SSE2|HWY_SSE4|HWY_AVX3|HWY_AVX3_DL|HWY_AVX3_ZEN4|HWY_AVX3_SPR|HWY_AVX10_2' >build.log 2>&1 ||
  { cat build.log; exit 1; }
cmake --build --preset release >>build.log 2>&1 || { tail -n 60 build.log; exit 1; }
ctest --preset release --label-regex plugin
