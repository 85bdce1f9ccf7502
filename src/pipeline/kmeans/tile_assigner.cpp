// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/tile_assigner.hpp"

#include <optional>

namespace rastertide {
namespace {

/// Hands out memory, fit by fit and tile by tile: labels of as many tiles as it holds, and where it holds
/// those of all tiles in all fits, margins beside them of as many as the rest holds.
class MemoryShares {
  public:
    MemoryShares(const KMeansRun& run, const TilePasses& passes, const std::vector<KMeansFit>& fits,
                 std::int64_t memory_bytes)
        : backend_(run.options.compute.backend), free_bytes_(memory_bytes), spare_bytes_(memory_bytes) {
        for (const KMeansFit& fit : fits) {
            for (std::int64_t place = 0; place < passes.n_tiles(); ++place) {
                spare_bytes_ -= PatchMemory::bytes_for(run.n_label_values(passes.tile(place)),
                                                       fit.centers.n_clusters, PatchMemoryKind::Labels);
            }
        }
    }

    /// Of the next tile; nothing if there is no memory left for it.
    std::optional<PatchMemoryKind> next(const PatchCenters& centers, std::int64_t n_patches) {
        const auto bytes = [&](PatchMemoryKind kind) {
            return PatchMemory::bytes_for(n_patches, centers.n_clusters, kind);
        };
        const std::int64_t for_labels = bytes(PatchMemoryKind::Labels);
        if (for_labels > free_bytes_) return std::nullopt;
        free_bytes_ -= for_labels;
        const std::int64_t for_margins = bytes(PatchMemoryKind::Margins) - for_labels;
        if (!gains_by_margins(centers) || for_margins > spare_bytes_) return PatchMemoryKind::Labels;
        free_bytes_ -= for_margins;
        spare_bytes_ -= for_margins;
        return PatchMemoryKind::Margins;
    }

  private:
    /// Only CPUs work with them.
    bool gains_by_margins(const PatchCenters& centers) const {
        return backend_ != Backend::Cuda &&
               PatchMemory::fastest_kind(centers.n_clusters, centers.n_features()) ==
                   PatchMemoryKind::Margins;
    }

    Backend backend_;
    std::int64_t free_bytes_;
    std::int64_t spare_bytes_;  ///< what labels leave
};

}  // namespace

TileAssigner::TileAssigner(KMeansRun& run, Communicator& comm, TilePasses& passes, const FixedPoint& fixed,
                           std::vector<KMeansFit>& fits, std::int64_t memory_bytes)
    : run_(run), comm_(comm), passes_(passes), fixed_(fixed), fits_(fits) {
    MemoryShares shares(run, passes, fits, memory_bytes);
    for (const KMeansFit& fit : fits) {
        Memory memory{{}, PatchSums(fit.centers.n_clusters, fit.centers.n_features())};
        for (std::int64_t place = 0; place < passes.n_tiles(); ++place) {
            const std::optional<PatchMemoryKind> kind =
                shares.next(fit.centers, run.n_label_values(passes.tile(place)));
            if (!kind) break;
            memory.tiles.emplace_back(*kind);
        }
        memories_.push_back(std::move(memory));
    }
}

void TileAssigner::assign(const std::vector<std::size_t>& places) {
    for (const std::size_t i : places)
        fits_[i].sums = PatchSums(fits_[i].centers.n_clusters, fits_[i].centers.n_features());
    together(comm_, [&] {
        passes_.for_each([&](std::int64_t place, const Tile& tile, const float* pixels) {
            const StageClock::Timer timer(run_.clock, Stage::Iterate);
            for (const std::size_t i : places) assign_tile(place, tile, pixels, fits_[i], memories_[i]);
        });
    });
    for (const std::size_t i : places) {
        fits_[i].sums.merge(memories_[i].sums);
        comm_.sum(fits_[i].sums.state());
    }
}

void TileAssigner::assign_tile(std::int64_t place, const Tile& tile, const float* pixels, KMeansFit& fit,
                               Memory& memory) const {
    const PixelStack stack = run_.stack(tile, pixels);
    if (place < static_cast<std::int64_t>(memory.tiles.size())) {
        reassign_patches(stack, fit.centers, fixed_, memory.tiles[static_cast<std::size_t>(place)],
                         memory.sums, run_.options.compute);
    } else {
        assign_patches(stack, fit.centers, fixed_, {}, &fit.sums, run_.options.compute);
    }
}

}  // namespace rastertide
