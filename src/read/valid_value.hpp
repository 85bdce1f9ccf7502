// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace rastertide {

/// Turns stored values into analysed ones: nodata and non-finite become NaN, then scale and offset.
class ValidValue {
  public:
    ValidValue(std::optional<double> nodata, double scale, double offset)
        : nodata_(nodata.value_or(std::numeric_limits<double>::quiet_NaN())), scale_(scale), offset_(offset) {
        // Nodata values are written to files as rounded decimal text: GDAL allows two units in the last
        // place. Integers up to 2^24 are exact, so that -9998 is not taken for -9999.
        const bool exact = nodata_ == std::floor(nodata_) && std::abs(nodata_) <= 16777216.0;
        // An infinite one has no neighbours: its tolerance would take in every value.
        tolerance_ = exact || !std::isfinite(nodata_)
                         ? 0
                         : 2 * std::numeric_limits<float>::epsilon() * std::abs(nodata_);
        is_identity_ = scale == 1 && offset == 0;
    }

    /// Of a value that a Float32 holds exactly.
    float operator()(float stored) const {
        if (!is_valid(stored)) return std::numeric_limits<float>::quiet_NaN();
        return is_identity_ ? stored : scaled(stored);
    }
    float operator()(double stored) const {
        return is_valid(stored) ? scaled(stored) : std::numeric_limits<float>::quiet_NaN();
    }
    bool is_valid(float stored) const {
        return std::isfinite(stored) && !(std::abs(stored - nodata_) <= tolerance_);
    }
    bool is_valid(double stored) const { return std::isfinite(stored) && stored != nodata_; }

  private:
    /// What Float32 cannot hold stays finite: it is no pixel without data, but out of range.
    float scaled(double stored) const {
        constexpr double kMost = std::numeric_limits<float>::max();
        return static_cast<float>(std::clamp(stored * scale_ + offset_, -kMost, kMost));
    }

    double nodata_;
    double scale_;
    double offset_;
    double tolerance_ = 0;
    bool is_identity_ = true;
};

}  // namespace rastertide
