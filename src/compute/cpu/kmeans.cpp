// SPDX-License-Identifier: Apache-2.0
// The assignment step of K-Means on CPUs: a tile by dates and bands of rows.
#include <algorithm>
#include <memory>
#include <mutex>

#include "compute/cpu/kmeans_rows.hpp"
#include "compute/cpu/simd_level.hpp"
#include "compute/kernels.hpp"
#include "core/parallel_for.hpp"
#include "core/rounding.hpp"

namespace rastertide::cpu {
namespace {

// Vectors are loaded and stored whole, two of the widest past the last column.
constexpr std::int64_t kSlackFloats = 64;
constexpr std::int64_t kSumUnit = 8;
// A band of rows reads patch - 1 rows again.
constexpr std::int64_t kRowsPerTask = 64;

template <class T>
hwy::AlignedFreeUniquePtr<T[]> allocate_zeros(std::int64_t n) {
    auto memory = hwy::AllocateAligned<T>(static_cast<std::size_t>(n));
    if (memory == nullptr) throw std::bad_alloc();
    std::fill_n(memory.get(), n, T{0});
    return memory;
}

}  // namespace

KMeansPlan::KMeansPlan(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed_point)
    : n_clusters(centers.n_clusters),
      n_bands(centers.n_bands),
      patch(centers.patch_size),
      image_cols(pixels.n_cols),
      location_cols(pixels.n_cols - centers.patch_size + 1),
      row_lines(patch * n_bands),
      line_floats(round_up(pixels.n_cols, kSlackFloats) + kSlackFloats),
      sum_stride(round_up(patch, kSumUnit)),
      fixed(fixed_point),
      offset(static_cast<float>(fixed_point.offset)),
      scale(fixed_point.scale()),
      coefficients(centers.values.size()),
      half_norms(static_cast<std::size_t>(n_clusters)) {
    for (std::int64_t k = 0; k < n_clusters; ++k) {
        double norm_sq = 0;
        for (std::int64_t i = 0; i < row_lines * patch; ++i) {
            const double value = centers.center(k)[feature_of(i)] - static_cast<double>(offset);
            coefficients[static_cast<std::size_t>(i * n_clusters + k)] = static_cast<float>(value);
            norm_sq += value * value;
        }
        half_norms[static_cast<std::size_t>(k)] = static_cast<float>(norm_sq / 2);
    }
}

KMeansScratch::KMeansScratch(const KMeansPlan& plan)
    : floats_(allocate_zeros<float>(plan.row_lines * plan.line_floats)),
      wide_integers_(allocate_zeros<std::int64_t>(plan.row_lines * plan.line_floats +
                                                  round_up(plan.n_clusters + 1, kSumUnit) +
                                                  (plan.n_clusters + 1) * plan.cluster_integers())),
      integers_(allocate_zeros<std::int32_t>(plan.line_floats)),
      label_row_(allocate_zeros<std::uint16_t>(plan.line_floats)) {
    pixels = floats_.get();
    prefixes = wide_integers_.get();
    counts = prefixes + plan.row_lines * plan.line_floats;
    sums = counts + round_up(plan.n_clusters + 1, kSumUnit);
    integers = integers_.get();
    labels = label_row_.get();
}

void KMeansScratch::flush(const KMeansPlan& plan, PatchSums& total) {
    for (std::int64_t k = 0; k < plan.n_clusters; ++k) {
        total.count(k) += counts[k + 1];
        const auto to = total.sums(k);
        for (std::int64_t line = 0; line < plan.row_lines; ++line) {
            const std::int64_t* from = sums + (k + 1) * plan.cluster_integers() + line * plan.sum_stride;
            const std::int64_t feature = plan.feature_of(line * plan.patch);
            for (std::int64_t dx = 0; dx < plan.patch; ++dx) {
                to[static_cast<std::size_t>(feature + dx)] += from[dx];
            }
        }
    }
    std::fill_n(counts, plan.n_clusters + 1, 0);
    std::fill_n(sums, (plan.n_clusters + 1) * plan.cluster_integers(), 0);
}

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums& sums, int n_threads) {
    apply_simd_level();
    const KMeansPlan plan(pixels, centers, fixed);
    const std::int64_t n_rows = pixels.n_rows - plan.patch + 1;
    const std::int64_t tasks_per_date = (n_rows + kRowsPerTask - 1) / kRowsPerTask;
    std::vector<std::unique_ptr<KMeansScratch>> idle;
    std::mutex mutex;
    const auto take = [&] {
        const std::scoped_lock lock(mutex);
        if (idle.empty()) return std::make_unique<KMeansScratch>(plan);
        std::unique_ptr<KMeansScratch> scratch = std::move(idle.back());
        idle.pop_back();
        return scratch;
    };
    parallel_for(pixels.n_dates * tasks_per_date, n_threads, [&](std::int64_t i) {
        std::unique_ptr<KMeansScratch> scratch = take();
        const std::int64_t first = i % tasks_per_date * kRowsPerTask;
        assign_rows(pixels, plan, i / tasks_per_date, first, std::min(first + kRowsPerTask, n_rows), labels,
                    *scratch);
        const std::scoped_lock lock(mutex);
        idle.push_back(std::move(scratch));
    });
    for (const auto& scratch : idle) scratch->flush(plan, sums);
}

}  // namespace rastertide::cpu
