// SPDX-License-Identifier: Apache-2.0
// LOF on CPUs: a tile in blocks of about a hundred locations, a thread a run of blocks.
#include <algorithm>

#include "compute/cpu/lof_block.hpp"
#include "compute/kernels.hpp"
#include "core/parallel_for.hpp"
#include "core/simd_level.hpp"

namespace rastertide::cpu {
namespace {

/// One direction of the tile cut at the multiples of `step` in the raster, so that blocks begin with a run of
/// columns or rows.
class Cuts {
  public:
    Cuts(std::int64_t origin, std::int64_t n, std::int64_t step)
        : n_(n), step_(step), first_(-phase_of(origin, step)) {}

    std::int64_t size() const { return (n_ - first_ + step_ - 1) / step_; }
    std::int64_t begin(std::int64_t i) const { return std::max<std::int64_t>(0, first_ + i * step_); }
    std::int64_t end(std::int64_t i) const { return std::min(n_, first_ + (i + 1) * step_); }

  private:
    std::int64_t n_;
    std::int64_t step_;
    std::int64_t first_;
};

/// Blocks of one row that a thread takes together: they share lines of pixels and scores.
std::int64_t blocks_per_run(std::int64_t n_row_cuts, std::int64_t n_col_cuts, int n_threads) {
    constexpr std::int64_t kLongest = 8;
    constexpr std::int64_t kRunsPerThread = 32;
    return std::clamp<std::int64_t>(n_row_cuts * n_col_cuts / (kRunsPerThread * n_threads), 1, kLongest);
}

}  // namespace

void score_tile(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads,
                PhaseTimes* times) {
    apply_simd_level();
    const LofPlan plan(pixels.n_dates, pixels.n_bands, params, vector_dates());
    const Cuts rows(pixels.first_row, pixels.n_rows - plan.patch + 1, plan.block_rows);
    const Cuts cols(pixels.first_col, pixels.n_cols - plan.patch + 1, plan.block_cols);
    const std::int64_t per_run = blocks_per_run(rows.size(), cols.size(), resolve_threads(n_threads));
    const std::int64_t runs_per_row = (cols.size() + per_run - 1) / per_run;
    ScratchPool pool(plan);
    parallel_for(rows.size() * runs_per_row, n_threads, [&](std::int64_t i) {
        const std::int64_t row = i / runs_per_row;
        const std::int64_t first = i % runs_per_row * per_run;
        std::unique_ptr<LofScratch> scratch = pool.take();
        for (std::int64_t col = first; col < std::min(first + per_run, cols.size()); ++col) {
            const Block block{rows.begin(row), cols.begin(col), rows.end(row) - rows.begin(row),
                              cols.end(col) - cols.begin(col)};
            score_block(pixels, plan, block, *scratch, scores, times);
        }
        pool.give_back(std::move(scratch));
    });
}

void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads) {
    score_tile(pixels, params, scores, n_threads, nullptr);
}

std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params,
                               int n_threads) {
    apply_simd_level();
    return resolve_threads(n_threads) * LofScratch::bytes(LofPlan(n_dates, n_bands, params, vector_dates()));
}

std::int64_t lof_block_rows(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params) {
    apply_simd_level();
    return LofPlan(n_dates, n_bands, params, vector_dates()).block_rows;
}

}  // namespace rastertide::cpu
