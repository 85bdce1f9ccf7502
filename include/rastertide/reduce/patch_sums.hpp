// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rastertide {

/// How pixels are summed exactly: as the integers round((value - offset) * 2^exponent).
///
/// Integers add up to the same sum in any order, so that clusters do not depend on tiles, threads and ranks.
/// Rounding moves a pixel by at most 2^-(exponent + 1). Beyond max_magnitude() integers are cut.
struct FixedPoint {
    double offset = 0;
    int exponent = 0;
    int bits = kUsualBits;  ///< of the largest integer

    /// Sums of 2^33 patches fit 64 bits.
    static constexpr int kUsualBits = 30;
    /// As a Float32 has: sums of 2^39 patches fit.
    static constexpr int kFewestBits = 24;
    /// More than the 24 of a Float32 by far; and the kernels' prefixes of a row fit 64 bits.
    static constexpr int kMostBits = 42;

    /// As many as leave room in 64 bits for sums of so many patches, up to kMostBits.
    /// @throws InvalidArgument  fewer than kFewestBits would be left
    static int bits_for(std::int64_t n_patches);

    /// Offset and the largest exponent for finite values in [min, max]: the offset is their middle. Offset
    /// and exponent are such that values lose nothing but their digits below 2^-bits of the range.
    /// @throws InvalidArgument  not finite, or min > max
    static FixedPoint for_range(double min, double max, int bits = kUsualBits);

    /// The same around an offset in [min, max]: near most values, pixels relative to it lose least in
    /// Float32.
    static FixedPoint around(double offset, double min, double max, int bits = kUsualBits);

    std::int64_t max_magnitude() const { return std::int64_t{1} << bits; }
    double scale() const;  ///< 2^exponent
    std::int64_t to_integer(float value) const;
};

/// Number and sum of the patches of each cluster: a partial result that merges in any order to the same bits.
class PatchSums {
  public:
    /// @param n_features of a patch: bands x p x p, band by band, row by row
    PatchSums(std::int64_t n_clusters, std::int64_t n_features);

    std::int64_t n_clusters() const { return n_clusters_; }
    std::int64_t n_features() const { return n_features_; }

    std::int64_t& count(std::int64_t cluster) { return state_[static_cast<std::size_t>(cluster)]; }
    std::int64_t count(std::int64_t cluster) const { return state_[static_cast<std::size_t>(cluster)]; }
    /// The cluster's sums in fixed point, [n_features].
    std::span<std::int64_t> sums(std::int64_t cluster);
    std::span<const std::int64_t> sums(std::int64_t cluster) const;

    /// @throws InvalidArgument  other sizes
    void merge(const PatchSums& other);
    /// All numbers, to be added element by element over ranks in place.
    std::span<std::int64_t> state() { return state_; }

  private:
    std::int64_t n_clusters_;
    std::int64_t n_features_;
    std::vector<std::int64_t> state_;  // counts, then sums
};

}  // namespace rastertide
