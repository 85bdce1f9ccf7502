// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include <rastertide/compute/lof.hpp>

namespace rastertide {

/// A rank's patches in pieces, gone through many times.
class PatchPieces {
  public:
    /// @param place  of the piece, the same in every pass
    using Visit = std::function<void(std::int64_t place, const PixelStack& piece)>;

    virtual ~PatchPieces() = default;
    virtual std::int64_t n_pieces() const = 0;
    /// Of a piece, those that hold nodata included.
    virtual std::int64_t n_patches(std::int64_t place) const = 0;
    /// Not collective. @throws Error of reading, Stopped
    virtual void for_each(const Visit& visit) = 0;
};

}  // namespace rastertide
