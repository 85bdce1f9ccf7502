// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <rastertide/compute/kmeans.hpp>

namespace rastertide {

/// What a tile keeps of its patches.
enum class PatchMemoryKind {
    Labels,  ///< 1 byte a patch up to 254 clusters, else 2: passes save the sums
    Margins  ///< 3 bytes more, up to 64 clusters: passes also skip patches that cannot have a new label
};

struct PatchMargins;

/// What a tile keeps of its patches from one pass of Lloyd's K-Means to the next, for reassign_patches().
/// Starts empty. Belongs to one tile and one fit: the pixels, p, bands, k and fixed point of the first pass.
class PatchMemory {
  public:
    explicit PatchMemory(PatchMemoryKind kind = PatchMemoryKind::Margins);
    /// The kind that makes a fit fastest, where there is memory for it. Patches of few numbers are compared
    /// with few centres sooner than their margins are looked at.
    static PatchMemoryKind fastest_kind(std::int64_t n_clusters, std::int64_t n_features);

    PatchMemory(PatchMemory&& other) noexcept;
    PatchMemory& operator=(PatchMemory&& other) noexcept;
    ~PatchMemory();

    /// What bytes() will be at most, for a tile of n_patches patches (of all its dates).
    static std::int64_t bytes_for(std::int64_t n_patches, std::int64_t n_clusters,
                                  PatchMemoryKind kind = PatchMemoryKind::Margins);

    /// Margins are only kept from when few enough labels change.
    std::int64_t bytes() const;
    bool empty() const { return n_clusters_ == 0; }
    /// Frees all memory. The next pass is a first one, on sums without this tile.
    void clear() { *this = PatchMemory(kind_); }

    std::int64_t n_dates() const { return n_dates_; }
    /// Locations of the tile.
    std::int64_t n_rows() const { return n_rows_; }
    std::int64_t n_cols() const { return n_cols_; }
    /// Label of the last pass, as of LabelStack. @param i  place in [n_dates][n_rows][n_cols]
    std::uint16_t label(std::int64_t i) const;
    /// All labels of the last pass, or none if there was none yet.
    void copy_labels(const LabelStack& labels) const;

    /// For the kernels. An empty memory gets room for a tile, all labels 0; another is checked.
    /// @throws InvalidArgument  a memory of other sizes or another fixed point
    void fit_to(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed);
    void set_label(std::int64_t i, std::uint16_t label);
    /// For the kernels: [n_dates][n_rows][n_cols] in as many bytes as n_clusters takes; the other is null.
    std::uint8_t* narrow_labels() { return narrow_labels_.empty() ? nullptr : narrow_labels_.data(); }
    std::uint16_t* wide_labels() { return wide_labels_.empty() ? nullptr : wide_labels_.data(); }
    std::int64_t n_passes() const { return n_passes_; }
    void count_pass() { ++n_passes_; }
    PatchMargins* margins() { return margins_.get(); }  ///< null: none are to be kept
    void forget_margins();
    /// What a device keeps of the tile: it goes when the memory is cleared.
    std::shared_ptr<void>& device_tile() { return device_tile_; }

  private:
    PatchMemoryKind kind_;
    std::int64_t n_dates_ = 0, n_rows_ = 0, n_cols_ = 0;
    std::int64_t n_bands_ = 0, n_clusters_ = 0;
    std::int64_t n_passes_ = 0;
    int patch_size_ = 0;
    FixedPoint fixed_;
    std::vector<std::uint8_t> narrow_labels_;
    std::vector<std::uint16_t> wide_labels_;
    std::unique_ptr<PatchMargins> margins_;
    std::shared_ptr<void> device_tile_;
};

/// assign_patches() for pass after pass over the same tile with other centres, at a lower price.
///
/// Labels are those of assign_patches(), bit for bit, whatever the centres are. `sums` is moved from the
/// labels of the pass before to the new ones: only patches whose label changed cost anything. Sums are exact
/// integers, so that they equal fresh ones to the bit.
///
/// With margins (Cpu backend), a patch is skipped while no rival centre can have come nearer than its own:
/// its margin, known from when it was last compared with all centres, shrinks by a bound on what the moves of
/// the centres since then can have changed (as in Hamerly 2010, but with bounds by pair of centres and by
/// mean and spread of the patch, and with rounding as part of the bound).
///
/// @param pixels   as for assign_patches(), the same in each pass
/// @param centers  as for assign_patches(); other values in each pass
/// @param fixed    as for assign_patches(), the same in each pass
/// @param memory   empty before the first pass. After an exception it no longer fits the sums: clear() it and
///                 begin with sums of 0. But after a DeviceError both are as they were
/// @param sums     holds, among what other tiles added, what earlier passes with this memory added: as after
///                 assign_patches() with the centres of the last pass
/// @param options  backend and threads. The result is the same for every thread count
/// @return         how many patches have another label than after the pass before: all valid ones in the
///                 first pass. 0 in all tiles: Lloyd's algorithm is at its end
/// @throws InvalidArgument     sizes out of range, or sizes that do not fit each other or the memory
/// @throws BackendUnavailable  the backend cannot be used here
/// @throws DeviceError         of the Cuda backend, without a fallback in `options`
/// @complexity as assign_patches(), without most of the sums; with margins only for the patches that fail
std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, const ComputeOptions& options = {});

}  // namespace rastertide
