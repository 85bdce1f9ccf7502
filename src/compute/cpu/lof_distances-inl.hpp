// SPDX-License-Identifier: Apache-2.0
// Squared distances of two dates to all dates at every location of a block, as separable box sums.
//
// A window of p columns that starts r columns into a run of p (runs are anchored at the raster's column 0) is
// the suffix of its run from r and the prefix of the next run to r - 1 (van Herk): two sums a column whatever
// p is, no term is ever subtracted, and a window's result depends on its place in the raster alone. Then the
// same along the rows.

#if defined(RASTERTIDE_LOF_DISTANCES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_LOF_DISTANCES_INL_HPP
#undef RASTERTIDE_LOF_DISTANCES_INL_HPP
#else
#define RASTERTIDE_LOF_DISTANCES_INL_HPP
#endif

#include <algorithm>
#include <cstdint>

#include <hwy/highway.h>

#include "compute/cpu/lof_plan.hpp"
#include "compute/cpu/lof_scratch.hpp"
#include "compute/cpu/lof_vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

/// Outputs [first, last) of a line of n, which lie `begin` to `end` into their run of p.
struct Segment {
    std::int64_t first;
    std::int64_t begin;
    std::int64_t end;
};

/// The run that follows `previous` outputs of a line whose first output is `phase` into its run.
HWY_INLINE Segment segment_at(std::int64_t first, std::int64_t n, std::int64_t phase, std::int64_t p) {
    const std::int64_t begin = (phase + first) % p;
    return {first, begin, std::min(p, begin + n - first)};
}

/// A sum for each date of the pass.
struct Sum {
    VF date_0;
    VF date_1;
};

HWY_INLINE void store(const Sum& sum, float* to) {
    hn::Store(sum.date_0, kF, to);
    hn::Store(sum.date_1, kF, to + kLanes);
}

HWY_INLINE Sum load(const float* from) { return {hn::Load(kF, from), hn::Load(kF, from + kLanes)}; }

HWY_INLINE Sum add(const Sum& a, const Sum& b) {
    return {hn::Add(a.date_0, b.date_0), hn::Add(a.date_1, b.date_1)};
}

/// Squared differences of one band of a pixel.
HWY_INLINE Sum square(const float* image, const float* pair) {
    const VF value = hn::Load(kF, image);
    const VF d_0 = hn::Sub(value, hn::Set(kF, pair[0]));
    const VF d_1 = hn::Sub(value, hn::Set(kF, pair[1]));
    return {hn::Mul(d_0, d_0), hn::Mul(d_1, d_1)};
}

HWY_INLINE Sum add_square(const float* image, const float* pair, const Sum& sum) {
    const VF value = hn::Load(kF, image);
    const VF d_0 = hn::Sub(value, hn::Set(kF, pair[0]));
    const VF d_1 = hn::Sub(value, hn::Set(kF, pair[1]));
    return {hn::MulAdd(d_0, d_0, sum.date_0), hn::MulAdd(d_1, d_1, sum.date_1)};
}

/// One row of the image slice at one vector of dates, and its two dates of the pass.
struct ImageRow {
    const float* image;
    const float* pair;
    std::int64_t n_bands;

    HWY_INLINE Sum first(std::int64_t col) const {
        const std::int64_t i = col * n_bands;
        return add_bands(i, 1, square(image + i * kLanes, pair + 2 * i));
    }
    HWY_INLINE Sum next(std::int64_t col, const Sum& sum) const { return add_bands(col * n_bands, 0, sum); }

  private:
    HWY_INLINE Sum add_bands(std::int64_t i, std::int64_t first_band, Sum sum) const {
        for (std::int64_t b = first_band; b < n_bands; ++b) {
            sum = add_square(image + (i + b) * kLanes, pair + 2 * (i + b), sum);
        }
        return sum;
    }
};

/// Sums over p columns of one row, any segment. `run` is the column, maybe negative, where the segment's run
/// starts.
HWY_NOINLINE void row_sums_any(const ImageRow& row, std::int64_t run, const Segment& segment, std::int64_t p,
                               float* out) {
    const auto out_at = [&](std::int64_t i) {
        return out + (segment.first - segment.begin + i) * 2 * kLanes;
    };
    Sum sum = row.first(run + p - 1);
    if (segment.end == p) store(sum, out_at(p - 1));
    for (std::int64_t i = p - 2; i >= segment.begin; --i) {
        sum = row.next(run + i, sum);
        if (i < segment.end) store(sum, out_at(i));
    }
    for (std::int64_t i = 1; i < segment.end; ++i) {
        const std::int64_t col = run + p + i - 1;
        sum = i == 1 ? row.first(col) : row.next(col, sum);
        if (i >= segment.begin) store(add(load(out_at(i)), sum), out_at(i));
    }
}

/// Sums over kPatch columns of one row, a whole run: the suffixes stay in registers.
template <int kPatch>
HWY_INLINE void row_sums_whole(const ImageRow& row, std::int64_t run, float* out) {
    Sum suffix[kPatch];
    Sum sum = suffix[kPatch - 1] = row.first(run + kPatch - 1);
#pragma GCC unroll 16
    for (int i = kPatch - 2; i >= 0; --i) sum = suffix[i] = row.next(run + i, sum);
    store(suffix[0], out);
#pragma GCC unroll 16
    for (int i = 1; i < kPatch; ++i) {
        const std::int64_t col = run + kPatch + i - 1;
        sum = i == 1 ? row.first(col) : row.next(col, sum);
        store(add(suffix[i], sum), out + i * 2 * kLanes);
    }
}

/// Every second addition of the columns as a multiply-add by 1, exact as well: the adders alone would be the
/// narrow place, the multipliers are idle.
template <bool kByMultiplier>
HWY_INLINE VF add_in(const VF a, const VF b) {
    if constexpr (kByMultiplier && HWY_NATIVE_FMA) return hn::MulAdd(a, hn::Set(kF, 1.0f), b);
    return hn::Add(a, b);
}

/// Row sums of two successive runs of rows at one column and one date, and where the windows' sums go.
struct Column {
    const float* run;
    const float* next_run;
    std::int64_t row_floats;
    float* distances;
    std::int64_t location;  ///< of the run's first row, maybe outside the block

    HWY_INLINE float* out(std::int64_t row) const { return distances + (location + row) * kLanes; }
};

HWY_INLINE void column_sums_any(const Column& column, const Segment& segment, std::int64_t p) {
    VF sum = hn::Load(kF, column.run + (p - 1) * column.row_floats);
    if (segment.end == p) hn::Store(sum, kF, column.out(p - 1));
    for (std::int64_t i = p - 2; i >= segment.begin; --i) {
        sum = hn::Add(hn::Load(kF, column.run + i * column.row_floats), sum);
        if (i < segment.end) hn::Store(sum, kF, column.out(i));
    }
    for (std::int64_t i = 1; i < segment.end; ++i) {
        const VF value = hn::Load(kF, column.next_run + (i - 1) * column.row_floats);
        sum = i == 1 ? value : hn::Add(value, sum);
        if (i >= segment.begin) hn::Store(hn::Add(hn::Load(kF, column.out(i)), sum), kF, column.out(i));
    }
}

/// Rows [first, end) of a run belong to the block.
struct RowRange {
    std::int64_t first;
    std::int64_t end;

    HWY_INLINE bool holds(std::int64_t row) const { return row >= first && row < end; }
};

/// Sums over kPatch rows of one column, a whole run. @param rows  if not kWhole, those that are stored
template <int kPatch, bool kWhole>
HWY_INLINE void column_sums_whole(const Column& column, const RowRange& rows) {
    VF suffix[kPatch];
    VF sum = suffix[kPatch - 1] = hn::Load(kF, column.run + (kPatch - 1) * column.row_floats);
#pragma GCC unroll 16
    for (int i = kPatch - 2; i >= 0; --i) {
        sum = suffix[i] = add_in<true>(hn::Load(kF, column.run + i * column.row_floats), sum);
    }
    if (kWhole || rows.holds(0)) hn::Store(suffix[0], kF, column.out(0));
#pragma GCC unroll 16
    for (int i = 1; i < kPatch; ++i) {
        const VF value = hn::Load(kF, column.next_run + (i - 1) * column.row_floats);
        sum = i == 1 ? value : hn::Add(value, sum);
        if (kWhole || rows.holds(i)) hn::Store(add_in<true>(suffix[i], sum), kF, column.out(i));
    }
}

/// One block at one pair of dates.
struct DistancePass {
    const LofPlan& plan;
    const Block& block;
    const Block& frame;  ///< what scratch.image and scratch.pair hold the pixels of
    const LofScratch& scratch;
    std::int64_t row_phase;  ///< the block's first row and column lie this far into their runs
    std::int64_t col_phase;

    std::int64_t sum_row_floats() const { return block.n_cols * 2 * kLanes; }
};

/// Row sums of image row `row` at one vector of dates.
HWY_INLINE void row_sums(const DistancePass& pass, const float* slab, std::int64_t row, float* out) {
    const std::int64_t n_bands = pass.plan.n_bands;
    const std::int64_t first = row * pass.plan.image_cols(pass.block) * n_bands;
    const ImageRow image_row{slab + first * kLanes, pass.scratch.pair + 2 * first, n_bands};
    for (std::int64_t col = 0; col < pass.block.n_cols;) {
        const Segment segment = segment_at(col, pass.block.n_cols, pass.col_phase, pass.plan.patch);
        row_sums_any(image_row, col - segment.begin, segment, pass.plan.patch, out);
        col += segment.end - segment.begin;
    }
}

/// Distances of one segment of rows from the row sums of its run and the next.
HWY_INLINE void column_sums(const DistancePass& pass, const float* run, const float* next_run,
                            const Segment& segment, float* distances) {
    for (std::int64_t col = 0; col < pass.block.n_cols; ++col) {
        for (std::int64_t date = 0; date < kDatesPerPass; ++date) {
            const std::int64_t lane = (col * 2 + date) * kLanes;
            const std::int64_t location =
                date * pass.block.n_locations() + col * pass.block.n_rows + segment.first - segment.begin;
            column_sums_any({run + lane, next_run + lane, pass.sum_row_floats(), distances, location},
                            segment, pass.plan.patch);
        }
    }
}

/// Squared distances from the two dates in scratch.pair to one vector of dates, in a block of any size and
/// place.
HWY_INLINE void slab_distances(const DistancePass& pass, const float* slab, float* distances) {
    const std::int64_t p = pass.plan.patch;
    const std::int64_t image_rows = pass.plan.image_rows(pass.block);
    float* run = pass.scratch.sums;
    float* next_run = run + p * pass.sum_row_floats();
    std::int64_t done = 0;
    // A run's row sums start where its first image row does: a block may begin within a run.
    const auto sum_run = [&](std::int64_t offset, float* sums) HWY_ATTR {
        for (std::int64_t i = offset; i < p && done < image_rows; ++i, ++done) {
            row_sums(pass, slab, done, sums + i * pass.sum_row_floats());
        }
    };
    sum_run(pass.row_phase, run);
    for (std::int64_t row = 0; row < pass.block.n_rows;) {
        const Segment segment = segment_at(row, pass.block.n_rows, pass.row_phase, p);
        sum_run(0, next_run);
        column_sums(pass, run, next_run, segment, distances);
        row += segment.end - segment.begin;
        std::swap(run, next_run);
    }
}

/// A frame at one vector of dates, its sizes known when it is compiled. Nearly all blocks are whole and fill
/// their frame; of the others (not kWhole) only the block's distances are kept.
template <int kPatch, int kBands, bool kWhole>
struct FrameDistances {
    static constexpr std::int64_t kRuns = runs_per_block(kPatch);
    static constexpr std::int64_t kCols = kRuns * kPatch;
    static constexpr std::int64_t kImageCols = kCols + kPatch - 1;
    static constexpr std::int64_t kSumRow = kCols * 2 * kLanes;

    const DistancePass& pass;
    const float* image;

    HWY_INLINE void sum_rows(std::int64_t first, std::int64_t n, float* sums) const {
        for (std::int64_t row = first; row < first + n; ++row, sums += kSumRow) {
            const std::int64_t i = row * kImageCols * kBands;
            const ImageRow image_row{image + i * kLanes, pass.scratch.pair + 2 * i, kBands};
            for (std::int64_t run = 0; run < kRuns; ++run) {
                row_sums_whole<kPatch>(image_row, run * kPatch, sums + run * kPatch * 2 * kLanes);
            }
        }
    }

    /// @param first_row  of the run, in the frame
    HWY_INLINE void sum_columns(const float* run, const float* next_run, std::int64_t first_row,
                                float* distances) const {
        const Block& block = pass.block;
        const std::int64_t lead_rows = kWhole ? 0 : block.row - pass.frame.row;
        const std::int64_t lead_cols = kWhole ? 0 : block.col - pass.frame.col;
        const std::int64_t n_cols = kWhole ? kCols : block.n_cols;
        const RowRange rows{lead_rows - first_row, lead_rows + block.n_rows - first_row};
        for (std::int64_t date = 0; date < kDatesPerPass; ++date) {
            for (std::int64_t col = 0; col < n_cols; ++col) {
                const std::int64_t lane = ((lead_cols + col) * 2 + date) * kLanes;
                const std::int64_t location = (date * n_cols + col) * block.n_rows + first_row - lead_rows;
                column_sums_whole<kPatch, kWhole>({run + lane, next_run + lane, kSumRow, distances, location},
                                                  rows);
            }
        }
    }

    HWY_INLINE void find(float* distances) const {
        const std::int64_t n_rows = pass.frame.n_rows;
        float* run = pass.scratch.sums;
        float* next_run = run + kPatch * kSumRow;
        sum_rows(0, kPatch, run);
        for (std::int64_t row = 0; row < n_rows; row += kPatch) {
            const bool is_last = row + kPatch == n_rows;
            sum_rows(row + kPatch, is_last ? kPatch - 1 : kPatch, next_run);
            sum_columns(run, next_run, row, distances);
            std::swap(run, next_run);
        }
    }
};

/// Calls find(image, distances) for every vector of dates.
template <class Find>
HWY_INLINE void for_each_slab(const DistancePass& pass, Find find) {
    const std::int64_t image_floats =
        pass.plan.image_rows(pass.frame) * pass.plan.image_cols(pass.frame) * pass.plan.n_bands * kLanes;
    for (std::int64_t i = 0; i < pass.plan.n_slabs; ++i) {
        find(pass.scratch.image + i * image_floats,
             pass.scratch.distances + i * pass.plan.distance_slab_floats);
    }
}

template <int kPatch, int kBands, bool kWhole>
HWY_NOINLINE void find_distances_framed(const DistancePass& pass) {
    for_each_slab(pass, [&](const float* image, float* distances) HWY_ATTR {
        FrameDistances<kPatch, kBands, kWhole>{pass, image}.find(distances);
    });
}

HWY_NOINLINE void find_distances_any(const DistancePass& pass) {
    for_each_slab(
        pass, [&](const float* image, float* distances) HWY_ATTR { slab_distances(pass, image, distances); });
}

template <int kPatch, int kBands>
HWY_INLINE void find_distances_of_bands(const DistancePass& pass) {
    if (pass.block == pass.frame) return find_distances_framed<kPatch, kBands, true>(pass);
    find_distances_framed<kPatch, kBands, false>(pass);
}

template <int kPatch>
HWY_INLINE void find_distances_of(const DistancePass& pass) {
    if (pass.plan.n_bands == 1) return find_distances_of_bands<kPatch, 1>(pass);
    find_distances_of_bands<kPatch, 2>(pass);
}

/// Fills scratch.distances from scratch.image and scratch.pair. Common patch sizes have their own code.
HWY_INLINE void find_distances(const DistancePass& pass) {
    if (!pass.plan.has_whole_blocks()) return find_distances_any(pass);
    switch (pass.plan.patch) {
        case 1:
            return find_distances_of<1>(pass);
        case 3:
            return find_distances_of<3>(pass);
        case 5:
            return find_distances_of<5>(pass);
        case 7:
            return find_distances_of<7>(pass);
        case 9:
            return find_distances_of<9>(pass);
        default:
            return find_distances_of<11>(pass);
    }
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
