// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <string>

#include <rastertide/compute/lof.hpp>
#include <rastertide/core/error.hpp>

#include "compute/kernels.hpp"

namespace rastertide {
namespace {

// Dates are numbered in 16 bits.
constexpr std::int64_t kMaxDates = std::numeric_limits<std::uint16_t>::max() - 1;

void check_size(const char* name, std::int64_t found, std::int64_t least) {
    if (found < least) {
        throw InvalidArgument("lof: " + std::string(name) + " is " + std::to_string(found) +
                              ", must be at least " + std::to_string(least));
    }
}

}  // namespace

void LofParams::validate() const {
    if (patch_size < 1 || patch_size > kMaxPatchSize || patch_size % 2 == 0) {
        throw InvalidArgument("patch is " + std::to_string(patch_size) + ", must be odd, 1 to " +
                              std::to_string(kMaxPatchSize));
    }
    if (neighbors < 1) {
        throw InvalidArgument("neighbors is " + std::to_string(neighbors) + ", must be at least 1");
    }
}

void LofParams::validate(std::int64_t n_dates) const {
    validate();
    if (n_dates <= neighbors) {
        throw InvalidArgument("neighbors " + std::to_string(neighbors) + " needs at least " +
                              std::to_string(std::int64_t{neighbors} + 1) + " dates, the stack has " +
                              std::to_string(n_dates));
    }
    if (n_dates > kMaxDates) {
        throw InvalidArgument("the stack has " + std::to_string(n_dates) + " dates, at most " +
                              std::to_string(kMaxDates) + " are supported");
    }
}

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         const ComputeOptions& options) {
    params.validate(pixels.n_dates);
    check_size("n_bands", pixels.n_bands, 1);
    check_size("n_rows", pixels.n_rows, params.patch_size);
    check_size("n_cols", pixels.n_cols, params.patch_size);
    check_size("n_threads", options.n_threads, 0);
    if (pixels.data == nullptr || scores.data == nullptr) {
        throw InvalidArgument("lof: pixels and scores must not be null");
    }
    dispatch::lof(pixels, params, scores, options);
}

std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               const ComputeOptions& options) {
    params.validate(n_dates);
    check_size("n_bands", n_bands, 1);
    return dispatch::lof_scratch_bytes(n_dates, n_bands, params, options);
}

std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                            const ComputeOptions& options) {
    params.validate(n_dates);
    check_size("n_bands", n_bands, 1);
    return dispatch::lof_block_rows(n_dates, n_bands, params, options);
}

}  // namespace rastertide
