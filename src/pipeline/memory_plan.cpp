// SPDX-License-Identifier: Apache-2.0
#include "pipeline/memory_plan.hpp"

#include <algorithm>
#include <string>

#include <rastertide/core/error.hpp>

#include "compute/kernels.hpp"
#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

constexpr std::int64_t kMegabyte = 1 << 20;
// The program with GDAL, PROJ and MPI loaded, its stacks and file tables, before any pixel is held (measured:
// 60-90 MB).
constexpr std::int64_t kProcessBytes = 96 * kMegabyte;
constexpr std::int64_t kMaxBlockCacheBytes = 256 * kMegabyte;
// Ranks a node that share one plan, so that 1, 2 or 4 ranks write the same shards.
constexpr int kRanksOfOnePlan = 4;
// Buffers of a rank: one tile is read while another is computed; one is computed while another is written.
constexpr std::int64_t kReadBuffers = 2;
constexpr std::int64_t kResultBuffers = 2;

std::int64_t rank_bytes(std::int64_t memory_limit_bytes, int node_size) {
    return memory_limit_bytes / std::max(node_size, kRanksOfOnePlan);
}

/// A fixed share, so that the number of threads does not change the plan.
std::int64_t scratch_share_bytes(std::int64_t memory_limit_bytes, int node_size) {
    return rank_bytes(memory_limit_bytes, node_size) / 8;
}

std::int64_t part_of_rank(std::int64_t shared_bytes, int n_ranks) {
    return shared_bytes / std::max(n_ranks, 1);
}

/// A rank's part where ranks share one plan: fewer ranks have more each, from what they leave unused.
std::int64_t part_of_plan(std::int64_t shared_bytes, int node_size) {
    return part_of_rank(shared_bytes, std::max(node_size, kRanksOfOnePlan));
}

/// Few ranks leave part of the limit unused: their threads may take it.
void check_scratch(std::int64_t scratch_bytes, std::int64_t memory_limit_bytes, int node_size) {
    const std::int64_t unused =
        memory_limit_bytes / std::max(node_size, 1) - rank_bytes(memory_limit_bytes, node_size);
    const std::int64_t available = scratch_share_bytes(memory_limit_bytes, node_size) + unused;
    if (scratch_bytes <= available) return;
    throw InvalidArgument("-mem " + std::to_string(memory_limit_bytes / kMegabyte) +
                          " MB: the threads and what they share need " +
                          std::to_string(scratch_bytes / kMegabyte + 1) + " MB to work in, " +
                          std::to_string(available / kMegabyte) +
                          " MB are left for that; give more with -mem, or fewer threads with -j");
}

}  // namespace

std::int64_t block_cache_bytes(std::int64_t memory_limit_bytes, int node_size) {
    return std::min(kMaxBlockCacheBytes, rank_bytes(memory_limit_bytes, node_size) / 8);
}

MemoryNeeds lof_memory_needs(const RasterSeries& series, const LofParams& params,
                             const ComputeOptions& compute) {
    const std::int64_t n_dates = series.n_dates();
    return {lof_scratch_bytes(n_dates, series.n_bands(), params, compute),
            n_dates * std::int64_t{sizeof(float)},
            lof_block_rows(n_dates, series.n_bands(), params, compute)};
}

MemoryNeeds kmeans_memory_needs(std::int64_t n_values, std::int64_t sums_bytes,
                                const ComputeOptions& compute) {
    // Lines of images stay in a core's second cache; each thread has sums of its own, a fit two more.
    constexpr std::int64_t kLinesBytes = 2 * kMegabyte;
    const std::int64_t n_threads = resolve_threads(compute.n_threads);
    // Labels that a device works on beside those of the last pass take less than the buffers of results,
    // which are not there while a fit runs.
    const std::int64_t device_bytes =
        resolve_backend(compute.backend) == Backend::Cuda ? cuda::kHostScratchBytes : 0;
    // Of a shard pixel: two bytes of labels of each date, or a float of each value where those are looked at.
    return {device_bytes + n_threads * kLinesBytes + (n_threads + 2) * sums_bytes,
            n_values * std::int64_t{sizeof(float)}, 1};
}

TileRequest make_tile_request(const RasterSeries& series, int patch_size, const MemoryNeeds& needs,
                              std::int64_t memory_limit_bytes, int node_size) {
    const std::int64_t planned = part_of_plan(needs.shared_bytes, node_size);
    check_scratch(needs.scratch_bytes + part_of_rank(needs.shared_bytes, node_size) - planned,
                  memory_limit_bytes, node_size);
    TileRequest request;
    request.row_unit = needs.row_unit;
    request.n_cols = series.grid().n_cols;
    request.n_rows = series.grid().n_rows;
    request.patch_size = patch_size;
    request.block_n_cols = series.block_n_cols();
    request.block_n_rows = series.block_n_rows();
    request.bytes_per_source_pixel =
        kReadBuffers * series.n_dates() * series.n_bands() * std::int64_t{sizeof(float)};
    request.bytes_per_shard_pixel = kResultBuffers * needs.bytes_per_shard_pixel;
    request.budget_bytes = rank_bytes(memory_limit_bytes, node_size) - kProcessBytes -
                           block_cache_bytes(memory_limit_bytes, node_size) -
                           scratch_share_bytes(memory_limit_bytes, node_size) - planned;
    if (request.budget_bytes <= 0) {
        const std::int64_t missing = kRanksOfOnePlan * (1 - request.budget_bytes / kMegabyte);
        throw InvalidArgument("-mem " + std::to_string(memory_limit_bytes / kMegabyte) + " MB: at least " +
                              std::to_string(memory_limit_bytes / kMegabyte + missing) +
                              " MB are needed before the first tile");
    }
    return request;
}

std::int64_t keep_bytes(std::int64_t memory_limit_bytes, int node_size, std::int64_t tile_bytes,
                        const MemoryNeeds& needs) {
    const std::int64_t used = kProcessBytes + block_cache_bytes(memory_limit_bytes, node_size) + tile_bytes +
                              needs.scratch_bytes + part_of_rank(needs.shared_bytes, node_size);
    return std::max<std::int64_t>(0, memory_limit_bytes / std::max(node_size, 1) - used);
}

}  // namespace rastertide
