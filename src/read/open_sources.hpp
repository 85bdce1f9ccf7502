// SPDX-License-Identifier: Apache-2.0
// The files of a series, opened.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <rastertide/read/open_series.hpp>

#include "read/source.hpp"

namespace rastertide {

/// Whether a name is among those of inputs.
bool is_among(const std::vector<LeftOutInput>& inputs, const std::string& name);

struct OpenedSources {
    Sources sources;
    std::vector<std::string> inputs;     ///< names; those that are left out included
    std::vector<std::size_t> places;     ///< of each source: its number among the inputs
    std::vector<LeftOutInput> left_out;  ///< options.left_out and what else is not opened, in that order

    /// Whether one raster holds the whole series.
    bool is_one_raster() const { return inputs.size() == 1; }
    /// What LeftOutInput calls a part of the series. @param band  the first of its bands, from 0
    std::string input_name(std::size_t source, int band) const;
};

/// Opens the inputs that are not left out already; with options.skip_errors those that cannot be opened are.
/// @param max_open_sources  those after that many let go of their files after each read
/// @throws IoError          an input cannot be opened, with skip_errors none
/// @throws InvalidArgument  an input is not what the options say
OpenedSources open_sources(const std::vector<std::string>& names, const SeriesOptions& options,
                           std::size_t max_open_sources, const Logger& logger);

}  // namespace rastertide
