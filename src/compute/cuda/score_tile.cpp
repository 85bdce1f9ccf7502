// SPDX-License-Identifier: Apache-2.0
// LOF of a tile: in parts of some rows of locations, at all dates.
#include <algorithm>

#include "compute/cuda/fill_images.hpp"
#include "compute/cuda/lof_kernels.hpp"
#include "compute/cuda/session.hpp"

namespace rastertide::cuda {
namespace {

/// Places in the lists of one date s are 32-bit numbers in collect_neighbors().
constexpr std::int64_t kMostValues = std::int64_t{1} << 31;

/// Places in the raster to the left of `place`, up to a multiple of a run.
int past_run(std::int64_t place) { return static_cast<int>((place % kRun + kRun) % kRun); }

/// @param first_row  of the tile's locations
LofPart make_part(const PixelStack& pixels, const LofParams& params, std::int64_t first_row,
                  std::int64_t n_rows) {
    LofPart part;
    part.patch = params.patch_size;
    part.neighbors = params.neighbors;
    part.locations = {static_cast<int>(n_rows),
                      static_cast<int>(pixels.n_cols - params.patch_size + 1),
                      lof_block_rows(params.patch_size),
                      kLofBlockCols,
                      past_run(pixels.first_row + first_row),
                      past_run(pixels.first_col)};
    part.images = part.locations.images(pixels.n_dates, pixels.n_bands, params.patch_size);
    return part;
}

/// Whether a part is small enough for the host's buffers and the kernels' numbers.
bool is_small_enough(const LofPart& part) {
    const std::int64_t n = part.locations.n_padded();
    return part.images.n_values() * std::int64_t{sizeof(float)} <= kStagingBytes &&
           n * part.capacity() < kMostValues;
}

std::int64_t rows_of_part(const PixelStack& pixels, const LofParams& params) {
    const std::int64_t step = lof_block_rows(params.patch_size);
    const std::int64_t n_rows = pixels.n_rows - params.patch_size + 1;
    std::int64_t rows = step;
    while (rows < n_rows && is_small_enough(make_part(pixels, params, 0, rows + step))) rows += step;
    return std::min(rows, n_rows);
}

LofArrays reserve(Slot& slot, const LofPart& part) {
    const std::int64_t n = part.locations.n_padded();
    const std::int64_t n_all = n * part.images.n_dates;
    const std::int64_t n_some = n * std::min(kDatesAtATime, part.images.n_dates);
    LofArrays arrays;
    arrays.minima = slot.minima.reserve(n_some * part.n_groups());
    arrays.bounds = slot.bounds.reserve(n_some);
    arrays.found = slot.found.reserve(n_some * part.capacity());
    arrays.n_found = slot.n_found.reserve(n_some);
    arrays.distances = slot.distances.reserve(n_all * part.neighbors);
    arrays.dates = slot.dates.reserve(n_all * part.neighbors);
    arrays.counts = slot.counts.reserve(n_all);
    arrays.k_distances = slot.k_distances.reserve(n_all);
    arrays.densities = slot.densities.reserve(n_all);
    return arrays;
}

/// Starts the work on rows [first_row, ...) of locations.
void send(const PixelStack& pixels, std::int64_t first_row, LofPart part, Slot& slot, int n_threads) {
    const std::int64_t n_pixels = part.images.n_values();
    float* images = slot.images.reserve(n_pixels);
    const LofArrays arrays = reserve(slot, part);
    const std::int64_t n_scores =
        std::int64_t{part.images.n_dates} * part.locations.n_rows * part.locations.n_cols;
    float* scores = slot.values.reserve(n_scores);
    float* host_images = slot.host_images.reserve(n_pixels);
    float* host_scores = slot.host_values.reserve(n_scores);

    fill_images(pixels, 0, first_row, part.locations, part.images, host_images, n_threads);
    slot.stream.upload(images, host_images, n_pixels);
    part.images.data = images;
    find_neighbors(part, arrays, slot.stream.get());
    score_neighbors(part, arrays, scores, slot.stream.get());
    slot.stream.download(host_scores, scores, n_scores);
}

void receive(const LofPart& part, std::int64_t first_row, const Slot& slot, const ScoreStack& scores,
             int n_threads) {
    const std::int64_t of_date = std::int64_t{part.locations.n_rows} * part.locations.n_cols;
    parallel_for(part.images.n_dates, n_threads, [&](std::int64_t date) {
        const float* from = slot.host_values.data() + date * of_date;
        float* to = scores.data + date * scores.date_stride + first_row * scores.row_stride;
        for (int row = 0; row < part.locations.n_rows; ++row, from += part.locations.n_cols)
            std::copy_n(from, part.locations.n_cols, to + row * scores.row_stride);
    });
}

}  // namespace

void score_tile(Session& session, const PixelStack& pixels, const LofParams& params,
                const ScoreStack& scores) {
    const std::int64_t n_rows = pixels.n_rows - params.patch_size + 1;
    const auto score_in_parts = [&](std::int64_t part_rows) {
        const auto part_at = [&](std::int64_t part) {
            return make_part(pixels, params, part * part_rows,
                             std::min(part_rows, n_rows - part * part_rows));
        };
        for_each_part(
            session, (n_rows + part_rows - 1) / part_rows,
            [&](std::int64_t part, Slot& slot) {
                send(pixels, part * part_rows, part_at(part), slot, session.n_threads);
            },
            [&](std::int64_t part, Slot& slot) {
                receive(part_at(part), part * part_rows, slot, scores, session.n_threads);
            });
    };
    in_parts_that_fit(session, rows_of_part(pixels, params), lof_block_rows(params.patch_size),
                      score_in_parts);
}

}  // namespace rastertide::cuda
