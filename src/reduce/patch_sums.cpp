// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <string>

#include <rastertide/core/checked.hpp>
#include <rastertide/core/error.hpp>
#include <rastertide/reduce/patch_sums.hpp>

namespace rastertide {

int FixedPoint::bits_for(std::int64_t n_patches) {
    const int of_count = std::bit_width(static_cast<std::uint64_t>(n_patches));
    if (63 - of_count < kFewestBits) {
        throw InvalidArgument(std::to_string(n_patches) +
                              " patches, expected fewer than 2^39: sums of more do not " + "fit 64 bits");
    }
    return std::min(63 - of_count, kMostBits);
}

FixedPoint FixedPoint::for_range(double min, double max, int bits) {
    if (!std::isfinite(min) || !std::isfinite(max) || min > max) {
        throw InvalidArgument("fixed point: the range " + std::to_string(min) + " to " + std::to_string(max) +
                              " is not one of finite numbers");
    }
    return around(min + (max - min) / 2, min, max, bits);
}

FixedPoint FixedPoint::around(double offset, double min, double max, int bits) {
    FixedPoint fixed;
    fixed.offset = offset;
    fixed.bits = bits;
    const double half = std::max(max - offset, offset - min);
    if (half > 0) fixed.exponent = std::ilogb(static_cast<double>(fixed.max_magnitude()) / half);
    return fixed;
}

double FixedPoint::scale() const { return std::ldexp(1.0, exponent); }

std::int64_t FixedPoint::to_integer(float value) const {
    const double scaled = (static_cast<double>(value) - offset) * scale();
    const auto most = static_cast<double>(max_magnitude());
    return std::llrint(std::clamp(scaled, -most, most));
}

PatchSums::PatchSums(std::int64_t n_clusters, std::int64_t n_features)
    : n_clusters_(n_clusters),
      n_features_(n_features),
      state_(static_cast<std::size_t>(checked_mul(n_clusters, n_features + 1)), 0) {}

std::span<std::int64_t> PatchSums::sums(std::int64_t cluster) {
    return std::span(state_).subspan(static_cast<std::size_t>(n_clusters_ + cluster * n_features_),
                                     static_cast<std::size_t>(n_features_));
}

std::span<const std::int64_t> PatchSums::sums(std::int64_t cluster) const {
    return std::span(state_).subspan(static_cast<std::size_t>(n_clusters_ + cluster * n_features_),
                                     static_cast<std::size_t>(n_features_));
}

void PatchSums::merge(const PatchSums& other) {
    if (other.n_clusters_ != n_clusters_ || other.n_features_ != n_features_) {
        throw InvalidArgument("patch sums of " + std::to_string(other.n_clusters_) + " x " +
                              std::to_string(other.n_features_) + ", expected " +
                              std::to_string(n_clusters_) + " x " + std::to_string(n_features_));
    }
    std::transform(state_.begin(), state_.end(), other.state_.begin(), state_.begin(), std::plus<>());
}

}  // namespace rastertide
