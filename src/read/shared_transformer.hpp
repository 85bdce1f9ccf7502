// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <rastertide/grid/grid.hpp>

#include "read/extent.hpp"

namespace rastertide {

/// The way from pixels of a target grid to those of a source grid, for all scenes of that source grid. Exact
/// transformation takes most of the time of warping: what it found for one scene is kept for the next ones.
/// Not thread-safe.
class SharedTransformer {
  public:
    /// @param name  of a scene, for messages @param max_bytes  what is kept at most
    /// @throws InvalidArgument  there is no way between the CRS
    SharedTransformer(const Grid& grid, const std::string& name, const Grid& target, std::size_t max_bytes);
    ~SharedTransformer();
    SharedTransformer(const SharedTransformer&) = delete;
    SharedTransformer& operator=(const SharedTransformer&) = delete;

    /// What the source covers of the target, in the target's pixels.
    const Extent& covered() const { return covered_; }

    /// A GDALTransformerFunc; its first argument is a SharedTransformer.
    static int transform(void* self, int to_source, int n, double* x, double* y, double* z, int* success);

  private:
    struct Points {
        std::vector<double> asked;  ///< x, then y
        std::vector<double> found;  ///< x, y, z
        std::vector<int> success;
        int result = 0;
    };

    int look_up(int to_source, int n, double* x, double* y, double* z, int* success);

    Extent covered_;
    void* transformer_ = nullptr;
    std::size_t max_bytes_;
    std::size_t n_bytes_ = 0;
    std::unordered_map<std::uint64_t, Points> kept_;
};

}  // namespace rastertide
