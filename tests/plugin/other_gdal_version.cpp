// SPDX-License-Identifier: Apache-2.0
// Preloaded: GDAL is said to be 9.87 to whoever asks, that is, to the plugin.
#include <gdal.h>

extern "C" CPL_DLL const char* GDALVersionInfo(const char* /*request*/) { return "9870000"; }
