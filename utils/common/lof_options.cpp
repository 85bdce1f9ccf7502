// SPDX-License-Identifier: Apache-2.0
#include "common/lof_options.hpp"

#include <limits>

namespace rastertide::utils {
namespace {

int small_integer(const Args& args, const std::string& name, int otherwise) {
    const std::int64_t value = args.integer(name, otherwise);
    if (value < 1 || value > std::numeric_limits<int>::max()) {
        throw UsageError("-" + name + " " + std::to_string(value) + ": expected a positive number");
    }
    return static_cast<int>(value);
}

}  // namespace

std::vector<OptionSpec> lof_option_specs() {
    return {
        {"patch", 1, "P", "patches of P x P pixels, odd, 1 to 31 (default 7)"},
        {"neighbors", 1, "K", "neighbours of the local outlier factor (default 10)"},
    };
}

OptionSpec threshold_option_spec() {
    return {"threshold", 1, "RULE", "sigma:N, quantile:Q or value:V (default sigma:2)"};
}

LofParams lof_params(const Args& args) {
    LofParams params;
    params.patch_size = small_integer(args, "patch", params.patch_size);
    params.neighbors = small_integer(args, "neighbors", params.neighbors);
    params.validate();
    return params;
}

}  // namespace rastertide::utils
