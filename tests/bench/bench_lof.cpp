// SPDX-License-Identifier: Apache-2.0
// What a location costs, in total and by phase. BENCH.md says how to run and read it.
#include <array>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <rastertide/compute/lof.hpp>

#include "compute/cpu/lof_block.hpp"

namespace rastertide {
namespace {

struct Tile {
    Tile(std::int64_t n_dates, std::int64_t n_bands, int patch_size, std::int64_t n_locations_a_side)
        : side(n_locations_a_side),
          n_rows(side + patch_size - 1),
          values(static_cast<std::size_t>(n_dates * n_bands * n_rows * n_rows)),
          scores(static_cast<std::size_t>(n_dates * side * side)),
          pixels{values.data(), n_dates, n_bands, n_rows, n_rows, 0, 0},
          score_stack{scores.data(), side * side, side} {
        std::mt19937 random(1);
        std::gamma_distribution<float> speckle(4.0F, 0.25F);
        for (float& value : values) value = speckle(random);
    }

    std::int64_t side;
    std::int64_t n_rows;
    std::vector<float> values;
    std::vector<float> scores;
    PixelStack pixels;
    ScoreStack score_stack;
};

/// Microseconds of a location.
void report_location(benchmark::State& state, const Tile& tile) {
    state.counters["us_per_location"] =
        benchmark::Counter(static_cast<double>(state.iterations() * tile.side * tile.side) * 1e-6,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// Microseconds of each phase. Reading the clock at every turn costs a few percent: a run of its own, not
/// part of us_per_location.
void report_phases(benchmark::State& state, const Tile& tile, const LofParams& params) {
    constexpr std::array<const char*, cpu::kPhases> kNames = {"pack",     "distances", "bound",
                                                              "compress", "rank",      "finish"};
    constexpr int kRuns = 3;
    cpu::PhaseTimes times;
    for (int run = 0; run < kRuns; ++run) {
        cpu::score_tile(tile.pixels, params, tile.score_stack, 1, &times);
    }
    for (std::size_t i = 0; i < cpu::kPhases; ++i) {
        state.counters[kNames[i]] =
            1e6 * times.seconds[i] / static_cast<double>(kRuns * tile.side * tile.side);
    }
}

/// Arguments: dates, patch, neighbors, bands.
void lof_location(benchmark::State& state) {
    const auto patch_size = static_cast<int>(state.range(1));
    const LofParams params = {patch_size, static_cast<int>(state.range(2))};
    Tile tile(state.range(0), state.range(3), patch_size, 56);
    cpu::score_tile(tile.pixels, params, tile.score_stack, 1, nullptr);
    for (auto _ : state) cpu::score_tile(tile.pixels, params, tile.score_stack, 1, nullptr);
    report_location(state, tile);
    report_phases(state, tile, params);
}

BENCHMARK(lof_location)
    ->ArgNames({"T", "p", "k", "bands"})
    ->Args({363, 7, 10, 1})
    ->Args({60, 7, 10, 1})
    ->Args({120, 7, 10, 1})
    ->Args({1000, 7, 10, 1})
    ->Args({363, 1, 10, 1})
    ->Args({363, 3, 10, 1})
    ->Args({363, 5, 10, 1})
    ->Args({363, 9, 10, 1})
    ->Args({363, 15, 10, 1})
    ->Args({363, 31, 10, 1})
    ->Args({363, 7, 5, 1})
    ->Args({363, 7, 12, 1})
    ->Args({363, 7, 20, 1})
    ->Args({363, 7, 32, 1})
    ->Args({363, 7, 48, 1})
    ->Args({363, 7, 50, 1})
    ->Args({363, 7, 10, 2})
    ->Unit(benchmark::kMillisecond);

/// The plain double-precision loops, for scale.
void lof_reference(benchmark::State& state) {
    Tile tile(363, 1, 7, 6);
    for (auto _ : state) lof(tile.pixels, {7, 10}, tile.score_stack, {Backend::Reference, 1});
    report_location(state, tile);
}
BENCHMARK(lof_reference)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rastertide
