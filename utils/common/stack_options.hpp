// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include <rastertide/core/error.hpp>
#include <rastertide/core/options.hpp>
#include <rastertide/read/open_series.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

/// Options that say which stack is meant and how it is read.
std::vector<OptionSpec> stack_option_specs();
SeriesOptions stack_options(const Args& args);

/// The value of -j; ALL_CPUS are those this process may use. Without it, a rank's share of the node's CPUs,
/// at most those it is bound to.
/// @param node_size  ranks that share this node's cores
int thread_count(const Args& args, int node_size);

/// Options of every utility that computes: -device, -j, -mem, -tile.
std::vector<OptionSpec> compute_option_specs();
/// @param node_size  ranks that share this node's cores
ComputeOptions compute_options(const Args& args, int node_size);

struct TileSize {
    std::int64_t n_cols = 0;  ///< 0 = to be chosen
    std::int64_t n_rows = 0;
};
/// -tile of compute_option_specs(). @throws UsageError
TileSize tile_size(const Args& args);

/// Calls make(); what it finds wrong with the values is bad usage. @throws UsageError
template <class Make>
auto as_usage(Make make) {
    try {
        return make();
    } catch (const InvalidArgument& error) {
        throw UsageError(error.what());
    }
}

}  // namespace rastertide::utils
