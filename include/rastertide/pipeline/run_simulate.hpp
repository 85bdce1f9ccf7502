// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/core/log.hpp>

namespace rastertide {

/// A SAR-like stack with planted anomalies; field names are the options' names.
struct SimulateOptions {
    std::string output;  ///< a file that ends in .h5, .hdf5 or .nc: one HDF5 (T,H,W); else a folder of dated GeoTIFFs
    std::int64_t n_dates = 60;
    std::int64_t n_rows = 256;
    std::int64_t n_cols = 256;
    std::uint64_t seed = 0;
    double looks = 4;            ///< equivalent number of looks of the gamma speckle
    double nodata_fraction = 0;  ///< share of dates whose scene has a diagonal nodata swath, 0..1
    std::int64_t memory_limit_bytes = std::int64_t{1} << 30;
    int n_threads = 0;
    std::vector<std::string> creation_options;
    bool overwrite = false;

    /// @throws InvalidArgument naming the option, its value and the range
    void validate() const;
    /// What the names of the truth's files start with: `output` without its extension.
    std::string truth_stem() const;
};

/// Writes the stack and, beside it, the truth: `<stem>_truth.tif` (Byte, a band a date: 0 nothing, 1 ship, 2
/// storm, 3 lasting change, 255 nodata) and `<stem>_truth.json` (seed, sizes, every planted event with place,
/// dates and kind).
///
/// Gamma speckle (multiplicative, `looks`) over textured land and sea, a seasonal and a per-scene gain; ships
/// (bright points at one date on the sea), storms (a rough sea at one date), lasting changes (a darker field
/// from one date to another on the land). Every pixel is a function of seed, date and position alone (a
/// counter-based generator), so that any tiling, thread count or sub-window gives the same values; memory is
/// bounded by `memory_limit_bytes` whatever the size. Grid: EPSG:32632, 10 m, near the mouth of the Elbe.
/// Dates: every six days from 2019-01-03.
/// @throws InvalidArgument  sizes out of range
/// @throws IoError          the output exists (without `overwrite`) or cannot be written
void run_simulate(const SimulateOptions& options, const Logger& logger = {}, const ProgressFn& progress = {});

}  // namespace rastertide
