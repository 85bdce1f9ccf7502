// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/options.hpp>
#include <rastertide/pipeline/kmeans_model.hpp>
#include <rastertide/pipeline/threshold.hpp>
#include <rastertide/read/open_series.hpp>

namespace rastertide::plugin {

inline constexpr const char* kPrefix = "RASTERTIDE:";
inline constexpr const char* kExtension = "rastertide";

/// What a user of the driver asks for: a stack, a product, and how it is to be computed.
struct LazyRequest {
    SeriesOptions series;
    std::string product;
    LofParams lof;
    std::string threshold;             ///< rule of -threshold; empty: not given
    std::string summary_file;          ///< whose threshold is taken; empty: none
    std::optional<KMeansModel> model;  ///< of labels
    std::int64_t n_samples = 0;
    double budget_seconds = 0;  ///< 0: none
    int n_threads = 0;
    std::int64_t memory_bytes = 0;

    ComputeOptions compute() const { return {Backend::Cpu, n_threads, 0, nullptr}; }
};

/// Whether a name, or a file that begins so, is one of the driver's.
bool is_lazy_name(const std::string& name, const std::string& first_bytes);

/// Reads `RASTERTIDE:STACK[?option=value&option=v1,v2...]`, or a .rastertide file; open options (NAME=VALUE)
/// count before what these say. In a file names are relative to its folder.
/// @throws UsageError, InvalidArgument, IoError
LazyRequest parse_request(const std::string& name, const std::vector<std::string>& open_options);

/// The same stack and options with another product, as a name that GDAL opens.
std::string with_product(const std::string& name, const std::vector<std::string>& open_options,
                         const std::string& product);

/// Whether a name is a connection string, not a file.
bool is_connection(const std::string& name);

/// The driver's open options as GDAL describes them.
std::string open_option_list();

}  // namespace rastertide::plugin
