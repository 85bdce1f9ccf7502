// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace rastertide {

/// Memory for values on their way to Float32. One for all sources of a series, which are read one after the
/// other: a thousand files must not hold a thousand of them. It never shrinks, so sources read in pieces.
class ReadScratch {
  public:
    /// What a piece should fit in; one row of a raster may be larger.
    static constexpr std::int64_t kPieceBytes = 8 << 20;

    double* values(std::int64_t n) { return room(values_, n); }
    float* mask(std::int64_t n) { return room(mask_, n); }
    /// Of those who read from a source what does not go where the caller wants it.
    float* piece(std::int64_t n) { return room(piece_, n); }

  private:
    template <class Value>
    static Value* room(std::vector<Value>& buffer, std::int64_t n) {
        if (buffer.size() < static_cast<std::size_t>(n)) buffer.resize(static_cast<std::size_t>(n));
        return buffer.data();
    }

    std::vector<double> values_;
    std::vector<float> mask_;
    std::vector<float> piece_;
};

}  // namespace rastertide
