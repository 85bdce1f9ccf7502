// SPDX-License-Identifier: Apache-2.0
// The assignment step of K-Means on CPUs: a tile by dates and bands of rows.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>

#include "compute/cpu/kmeans_candidates.hpp"
#include "compute/cpu/kmeans_margins.hpp"
#include "compute/cpu/kmeans_rows.hpp"
#include "compute/kernels.hpp"
#include "core/parallel_for.hpp"
#include "core/rounding.hpp"
#include "core/simd_level.hpp"

namespace rastertide::cpu {
namespace {

// Columns are labelled two of the widest vectors at a time.
constexpr std::int64_t kColUnit = 32;
// A cache line, and the integers of the widest vector.
constexpr std::int64_t kFloatUnit = 16, kSumUnit = 8;
// A block reads patch - 1 rows and columns again.
constexpr std::int64_t kBlockRows = 64, kMinBlockCols = 64;
// Half a second-level cache of today: the other half is for what streams through.
constexpr std::int64_t kLineBytes = std::int64_t{512} * 1024;

template <class T>
hwy::AlignedFreeUniquePtr<T[]> allocate_zeros(std::int64_t n) {
    auto memory = hwy::AllocateAligned<T>(static_cast<std::size_t>(n));
    if (memory == nullptr) throw std::bad_alloc();
    std::fill_n(memory.get(), n, T{0});
    return memory;
}

/// Vectors are loaded and stored whole, past the last column too.
std::int64_t floats_of_line(std::int64_t n_cols, std::int64_t patch) {
    return round_up(round_up(n_cols, kColUnit) + round_up(patch, kSumUnit), kFloatUnit);
}

/// Columns of a block: all, or as many as keep a thread's lines in the cache.
std::int64_t cols_of_block(std::int64_t n_cols, std::int64_t patch, std::int64_t row_lines,
                           std::int64_t float_bytes) {
    const std::int64_t fitting = kLineBytes / (row_lines * float_bytes) - patch;
    const std::int64_t most = std::max(round_down(fitting, kColUnit), kMinBlockCols);
    const std::int64_t n_blocks = (n_cols + most - 1) / most;
    return std::min(round_up((n_cols + n_blocks - 1) / n_blocks, kColUnit), n_cols);
}

/// tau of kmeans_label-inl.hpp, and 5% for what is small beside it. Of patches of so many numbers that this
/// does not hold everything is open.
float tie_share(std::int64_t m) {
    const double tau = static_cast<double>(m + 5) * 0x1p-24;
    return tau < 0.005 ? static_cast<float>(tau * 1.05) : 1e30F;
}

std::int64_t prefix_integers(const KMeansPlan& plan) {
    return plan.want_prefixes() ? plan.row_lines * plan.line_floats : 0;
}

}  // namespace

float label_level(const PatchCenters& centers) {
    std::vector<double> values = centers.values;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const auto [min, max] = std::minmax_element(values.begin(), values.end());
    if (std::abs(*middle) <= (*max - *min) / 4) return 0;
    if (*min == *max) return static_cast<float>(*middle);
    const double step = std::ldexp(1.0, std::ilogb(*max - *min));
    return static_cast<float>(std::round(*middle / step) * step);
}

float distance_level(const PatchCenters& centers) {
    const auto [min, max] = std::minmax_element(centers.values.begin(), centers.values.end());
    return static_cast<float>(*min + (*max - *min) / 2);
}

KMeansPlan::KMeansPlan(const PixelStack& pixels, const PatchCenters& model, float level,
                       const FixedPoint& fixed_point, KMeansSums wanted)
    : n_dates(pixels.n_dates),
      n_clusters(model.n_clusters),
      n_bands(model.n_bands),
      patch(model.patch_size),
      n_rows(pixels.n_rows - patch + 1),
      n_cols(pixels.n_cols - patch + 1),
      row_lines(patch * n_bands),
      sums(wanted),
      block_cols(cols_of_block(n_cols, patch, row_lines,
                               want_prefixes()   ? 12
                               : want_integers() ? 12
                                                 : 4)),
      line_floats(floats_of_line(block_cols, patch)),
      blocks_per_row((n_cols + block_cols - 1) / block_cols),
      blocks_per_col((n_rows + kBlockRows - 1) / kBlockRows),
      sum_stride(patch == 1 ? 1 : round_up(patch, kSumUnit)),
      fixed(fixed_point),
      offset(level),
      scale(fixed_point.scale()),
      tie_of_square(tie_share(row_lines * patch) * 4),
      tie_of_distance(tie_share(row_lines * patch) * 5),
      exact_stride(round_up(n_clusters, kSumUnit)) {
    const auto n = static_cast<std::size_t>(n_clusters);
    centers.coefficients.resize(model.values.size() + CenterTable::kPadding);
    centers.half_norms.resize(n + CenterTable::kPadding);
    centers.labels.resize(n);
    std::iota(centers.labels.begin(), centers.labels.end(), 1U);
    for (std::size_t k = 0; k < n; ++k) {
        double norm_sq = 0;
        for (std::int64_t i = 0; i < row_lines * patch; ++i) {
            const double value =
                model.center(static_cast<std::int64_t>(k))[feature_of(i)] - static_cast<double>(offset);
            centers.coefficients[static_cast<std::size_t>(i) * n + k] = static_cast<float>(value);
            norm_sq += value * value;
        }
        centers.half_norms[k] = static_cast<float>(norm_sq / 2);
    }
    const auto stride = static_cast<std::size_t>(exact_stride);
    exact_centers.assign(stride * static_cast<std::size_t>(model.n_features()),
                         std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < model.values.size(); ++i) {
        const auto m = static_cast<std::size_t>(model.n_features());
        exact_centers[i % m * stride + i / m] = model.values[i];
    }
}

KMeansBlock KMeansPlan::block(std::int64_t i) const {
    const std::int64_t col = i % blocks_per_row * block_cols;
    const std::int64_t row = i / blocks_per_row % blocks_per_col * kBlockRows;
    return {i / (blocks_per_row * blocks_per_col), row, std::min(row + kBlockRows, n_rows), col,
            std::min(block_cols, n_cols - col)};
}

KMeansScratch::KMeansScratch(const KMeansPlan& plan, const PruneStep* prune)
    : floats_(allocate_zeros<float>((plan.row_lines + 5) * plan.line_floats)),
      wide_integers_(allocate_zeros<std::int64_t>(
          plan.sums != KMeansSums::None ? prefix_integers(plan) + round_up(plan.n_clusters + 1, kSumUnit) +
                                              (plan.n_clusters + 1) * plan.cluster_integers()
                                        : 1)),
      integers_(allocate_zeros<std::int64_t>((plan.want_integers() ? plan.n_bands : 1) * plan.line_floats)),
      label_row_(allocate_zeros<std::uint16_t>(plan.line_floats)),
      changed_row_(allocate_zeros<std::int32_t>(plan.line_floats)),
      open_row_(allocate_zeros<std::int32_t>(plan.line_floats + kColUnit)),
      range_row_(allocate_zeros<std::uint8_t>(plan.line_floats)),
      exact_distances_(allocate_zeros<double>(4 * plan.exact_stride)) {
    pixels = floats_.get();
    distances = pixels + plan.row_lines * plan.line_floats;
    raw_pixels = distances + plan.line_floats;
    column_squares = raw_pixels + plan.line_floats;
    column_sums = column_squares + plan.line_floats;
    squares = column_sums + plan.line_floats;
    changed = changed_row_.get();
    open = open_row_.get();
    ranges = range_row_.get();
    exact_distances = exact_distances_.get();
    prefixes = wide_integers_.get();
    counts = prefixes + prefix_integers(plan);
    sums = counts + round_up(plan.n_clusters + 1, kSumUnit);
    integers = integers_.get();
    labels = label_row_.get();
    if (prune == nullptr) return;
    margin_row_ = allocate_zeros<std::uint16_t>(plan.line_floats);
    class_row_ = allocate_zeros<std::uint8_t>(plan.line_floats);
    scores_ = allocate_zeros<float>(std::max<std::int64_t>(kColUnit * prune->n_padded, 1));
    margins = margin_row_.get();
    classes = class_row_.get();
    scores = scores_.get();
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

namespace {

/// Calls body(block, scratch) for all blocks of a tile; then end(scratch) for each scratch used.
template <class Body, class End>
void for_each_block(const KMeansPlan& plan, const PruneStep* prune, int n_threads, Body body, End end) {
    std::vector<std::unique_ptr<KMeansScratch>> idle;
    std::mutex mutex;
    const auto take = [&] {
        const std::scoped_lock lock(mutex);
        if (idle.empty()) return std::make_unique<KMeansScratch>(plan, prune);
        std::unique_ptr<KMeansScratch> scratch = std::move(idle.back());
        idle.pop_back();
        return scratch;
    };
    parallel_for(plan.n_blocks(), n_threads, [&](std::int64_t i) {
        std::unique_ptr<KMeansScratch> scratch = take();
        body(plan.block(i), *scratch);
        const std::scoped_lock lock(mutex);
        idle.push_back(std::move(scratch));
    });
    for (const auto& scratch : idle) end(*scratch);
}

}  // namespace

void assign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                    const LabelStack& labels, PatchSums* sums, int n_threads) {
    apply_simd_level();
    const KMeansPlan plan(pixels, centers, label_level(centers), fixed,
                          sums != nullptr ? KMeansSums::All : KMeansSums::None);
    const CandidateRanges ranges = candidate_ranges(plan, n_threads);
    for_each_block(
        plan, nullptr, n_threads,
        [&](const KMeansBlock& block, KMeansScratch& scratch) {
            assign_block(pixels, plan, ranges, block, labels, scratch);
        },
        [&](KMeansScratch& scratch) {
            if (sums != nullptr) scratch.flush(plan, *sums);
        });
}

std::int64_t reassign_patches(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed,
                              PatchMemory& memory, PatchSums& sums, int n_threads) {
    apply_simd_level();
    // All patches are new to the first pass: it is one without memory that keeps its labels.
    const KMeansPlan plan(pixels, centers, label_level(centers), fixed,
                          memory.n_passes() == 0 ? KMeansSums::All : KMeansSums::Changes);
    PatchMargins* margins = memory.margins();
    PruneStep prune;
    if (margins != nullptr) prune = prepare_step(pixels, plan, *margins);
    const CandidateRanges ranges = prune.use_margins ? CandidateRanges() : candidate_ranges(plan, n_threads);
    std::vector<std::int64_t> moved(static_cast<std::size_t>(plan.n_clusters) + 1);
    std::atomic<std::int64_t> n_changed = 0;
    for_each_block(
        plan, prune.use_margins ? &prune : nullptr, n_threads,
        [&](const KMeansBlock& block, KMeansScratch& scratch) {
            if (prune.use_margins) {
                n_changed +=
                    reassign_block(pixels, plan, prune, block, memory.narrow_labels(), *margins, scratch);
            } else {
                n_changed +=
                    memory.narrow_labels() != nullptr
                        ? reassign_block(pixels, plan, ranges, block, memory.narrow_labels(), scratch)
                        : reassign_block(pixels, plan, ranges, block, memory.wide_labels(), scratch);
            }
        },
        [&](KMeansScratch& scratch) {
            std::transform(moved.begin(), moved.end(), scratch.counts, moved.begin(), std::plus<>());
            scratch.flush(plan, sums);
        });
    memory.count_pass();
    if (margins != nullptr) finish_margins(moved, n_changed, *margins);
    return n_changed;
}

void patch_distances(const PixelStack& pixels, const PatchCenters& centers, const ScoreStack& distances,
                     int n_threads) {
    apply_simd_level();
    const KMeansPlan plan(pixels, centers, distance_level(centers), {}, KMeansSums::None);
    for_each_block(
        plan, nullptr, n_threads,
        [&](const KMeansBlock& block, KMeansScratch& scratch) {
            distances_of_block(pixels, plan, block, distances, scratch);
        },
        [](const KMeansScratch&) {});
}

}  // namespace rastertide::cpu
