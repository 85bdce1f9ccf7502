// SPDX-License-Identifier: Apache-2.0
#include "read/open_sources.hpp"

#include <algorithm>

#include <rastertide/core/error.hpp>

#include "read/open_source.hpp"
#include "read/variables_source.hpp"

namespace rastertide {
namespace {

std::unique_ptr<RasterSource> open_input(const std::string& name, const SeriesOptions& options) {
    const std::vector<std::string>& datasets = options.dataset;
    const std::string dataset = datasets.empty() ? "" : datasets.front();
    const SourceOptions source_options = {options.open_options, dataset, options.srcnodata};
    return datasets.size() > 1 ? open_variables(name, datasets, source_options)
                               : open_source(name, source_options);
}

}  // namespace

bool is_among(const std::vector<LeftOutInput>& inputs, const std::string& name) {
    return std::ranges::any_of(inputs, [&](const LeftOutInput& input) { return input.name == name; });
}

std::string OpenedSources::input_name(std::size_t source, int band) const {
    const std::string& input = inputs[places[source]];
    return is_one_raster() ? input + ", band " + std::to_string(band + 1) : input;
}

OpenedSources open_sources(const std::vector<std::string>& names, const SeriesOptions& options,
                           std::size_t max_open_sources, const Logger& logger) {
    OpenedSources opened;
    opened.inputs = names;
    opened.left_out = options.left_out;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_among(options.left_out, names[i])) continue;
        try {
            opened.sources.push_back(open_input(names[i], options));
        } catch (const IoError& error) {
            if (!options.skip_errors) throw;
            log(logger, LogLevel::Warning, std::string(error.what()) + "; the input is left out");
            opened.left_out.push_back({names[i], error.what()});
            continue;
        }
        opened.places.push_back(i);
        if (opened.sources.size() > max_open_sources) opened.sources.back()->release();
    }
    if (opened.sources.empty()) {
        throw IoError("none of " + std::to_string(names.size()) +
                      " inputs can be read; the first: " + opened.left_out.front().error);
    }
    return opened;
}

}  // namespace rastertide
