// SPDX-License-Identifier: Apache-2.0
// The assignment step in double precision, patch by patch: what the other backends are held against.
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "compute/kernels.hpp"
#include "core/parallel_for.hpp"

namespace rastertide::reference {
namespace {

/// Band by band, row by row.
std::vector<float> read_patch(const PixelStack& pixels, std::int64_t patch_size, std::int64_t date,
                              std::int64_t row, std::int64_t col) {
    std::vector<float> patch;
    for (std::int64_t image = date * pixels.n_bands; image < (date + 1) * pixels.n_bands; ++image) {
        for (std::int64_t y = row; y < row + patch_size; ++y) {
            const float* line = pixels.data + (image * pixels.n_rows + y) * pixels.n_cols;
            patch.insert(patch.end(), line + col, line + col + patch_size);
        }
    }
    return patch;
}

/// The nearest centre of a patch.
struct Nearest {
    std::uint16_t label = 0;  ///< 0 if the patch holds a NaN
    double distance_sq = std::numeric_limits<double>::infinity();
};

Nearest nearest(const std::vector<float>& patch, const PatchCenters& centers) {
    Nearest found;
    for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
        double distance_sq = 0;
        for (std::size_t i = 0; i < patch.size(); ++i) {
            const double d = static_cast<double>(patch[i]) - centers.center(k)[i];
            distance_sq += d * d;
        }
        if (distance_sq < found.distance_sq) {
            found = {static_cast<std::uint16_t>(k + 1), distance_sq};
        }
    }
    return found;
}

/// Adds a patch to the sums of its label, if it has one. @param times  1, or -1 to take it out again
void add_patch(const std::vector<float>& patch, std::uint16_t label, std::int64_t times,
               const FixedPoint& fixed, PatchSums& sums) {
    if (label == 0) return;
    sums.count(label - 1) += times;
    const auto sum = sums.sums(label - 1);
    for (std::size_t f = 0; f < patch.size(); ++f) sum[f] += times * fixed.to_integer(patch[f]);
}

}  // namespace

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, int n_threads) {
    const std::int64_t n_rows = pixels.n_rows - centers.patch_size + 1;
    const std::int64_t n_cols = pixels.n_cols - centers.patch_size + 1;
    std::mutex mutex;
    parallel_for(pixels.n_dates * n_rows, n_threads, [&](std::int64_t i) {
        const std::int64_t date = i / n_rows, row = i % n_rows;
        PatchSums mine(centers.n_clusters, centers.n_features());
        for (std::int64_t col = 0; col < n_cols; ++col) {
            const std::vector<float> patch = read_patch(pixels, centers.patch_size, date, row, col);
            const std::uint16_t label = nearest(patch, centers).label;
            if (labels.data != nullptr) {
                labels.data[date * labels.date_stride + row * labels.row_stride + col] = label;
            }
            if (sums != nullptr) add_patch(patch, label, 1, fixed, mine);
        }
        if (sums == nullptr) return;
        const std::scoped_lock lock(mutex);
        sums->merge(mine);
    });
}

std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, int n_threads) {
    memory.forget_margins();  // those of labels that change here
    const std::int64_t n_rows = memory.n_rows(), n_cols = memory.n_cols();
    std::int64_t n_changed = 0;
    std::mutex mutex;
    parallel_for(memory.n_dates() * n_rows, n_threads, [&](std::int64_t i) {
        PatchSums moves(centers.n_clusters, centers.n_features());
        std::int64_t n_moved = 0;
        for (std::int64_t col = 0; col < n_cols; ++col) {
            const std::vector<float> patch =
                read_patch(pixels, centers.patch_size, i / n_rows, i % n_rows, col);
            const std::uint16_t old_label = memory.label(i * n_cols + col);
            const std::uint16_t new_label = nearest(patch, centers).label;
            if (new_label == old_label) continue;
            ++n_moved;
            add_patch(patch, old_label, -1, fixed, moves);
            add_patch(patch, new_label, 1, fixed, moves);
            memory.set_label(i * n_cols + col, new_label);
        }
        const std::scoped_lock lock(mutex);
        sums.merge(moves);
        n_changed += n_moved;
    });
    memory.count_pass();
    return n_changed;
}

void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     int n_threads) {
    const std::int64_t n_rows = pixels.n_rows - centers.patch_size + 1;
    const std::int64_t n_cols = pixels.n_cols - centers.patch_size + 1;
    parallel_for(pixels.n_dates * n_rows, n_threads, [&](std::int64_t i) {
        const std::int64_t date = i / n_rows, row = i % n_rows;
        for (std::int64_t col = 0; col < n_cols; ++col) {
            const Nearest found = nearest(read_patch(pixels, centers.patch_size, date, row, col), centers);
            distances.data[date * distances.date_stride + row * distances.row_stride + col] =
                found.label == 0 ? std::numeric_limits<float>::quiet_NaN()
                                 : static_cast<float>(found.distance_sq);
        }
    });
}

}  // namespace rastertide::reference
