// SPDX-License-Identifier: Apache-2.0
// Functions for derived bands of VRTs. What each takes is in its metadata, as GDAL's documentation of VRTs
// has it.
#pragma once

#include <string>
#include <vector>

#include <cpl_error.h>
#include <gdal.h>

namespace rastertide::plugin {

/// Registers all of them. @return CE_Failure  GDAL refused one
CPLErr register_pixel_functions();

/// What GDAL gives to a pixel function.
struct PixelCall {
    std::vector<const void*> sources;
    int n_cols = 0, n_rows = 0;
    GDALDataType source_type = GDT_Unknown;
    void* data = nullptr;  ///< of the band that is read
    GDALDataType type = GDT_Unknown;
    int pixel_space = 0, line_space = 0;  ///< in bytes
    char** arguments = nullptr;

    std::size_t n_pixels() const {
        return static_cast<std::size_t>(n_cols) * static_cast<std::size_t>(n_rows);
    }
};

/// One of them: text that says what arguments it takes, and what it does. It throws std::exception.
struct PixelFunction {
    const char* name;
    const char* metadata;
    void (*run)(const PixelCall& call);
};

/// LOF of the sources, each a date, pixel by pixel.
extern const PixelFunction kLofFunction;
/// Labels from the correlations of lazy K-Means VRTs; see rastertide/write/lazy_labels.hpp.
extern const PixelFunction kLabelFunction;
/// Marks scores above a threshold.
extern const PixelFunction kThresholdFunction;

}  // namespace rastertide::plugin
