// SPDX-License-Identifier: Apache-2.0
// What an iteration of Lloyd's K-Means costs a patch. BENCH.md says how to run and read it.
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/patch_memory.hpp>

namespace rastertide {
namespace {

constexpr std::int64_t kDates = 4, kSide = 512;

/// Speckle over a dark sea and a bright land.
std::vector<float> make_scene() {
    std::vector<float> values;
    std::mt19937 random(1);
    std::gamma_distribution<float> speckle(4.0F, 0.25F);
    for (std::int64_t i = 0; i < kDates * kSide * kSide; ++i) {
        values.push_back(speckle(random) * (i % kSide < kSide / 2 ? 0.05F : 0.4F));
    }
    return values;
}

/// The same value at all places of a centre, evenly spread.
PatchCenters flat_centers(int patch_size, std::int64_t k) {
    PatchCenters centers{patch_size, 1, k, {}};
    for (std::int64_t i = 0; i < k * centers.n_features(); ++i) {
        centers.values.push_back(0.6 * static_cast<double>(i / centers.n_features() + 1) /
                                 static_cast<double>(k));
    }
    return centers;
}

/// Centres as after some iterations from flat ones.
PatchCenters fitted_centers(const PixelStack& pixels, int patch_size, std::int64_t k,
                            const FixedPoint& fixed) {
    PatchCenters centers = flat_centers(patch_size, k);
    for (int iteration = 0; iteration < 5; ++iteration) {
        PatchSums sums(k, centers.n_features());
        assign_patches(pixels, centers, fixed, {}, &sums, {Backend::Cpu, 1});
        centers = mean_centers(centers, sums, fixed);
    }
    return centers;
}

/// Arguments: patch, clusters.
void kmeans_iteration(benchmark::State& state) {
    const auto patch_size = static_cast<int>(state.range(0));
    const std::int64_t k = state.range(1);
    const std::vector<float> values = make_scene();
    const PixelStack pixels{values.data(), kDates, 1, kSide, kSide, 0, 0};
    const FixedPoint fixed = FixedPoint::for_range(0, 4);
    const PatchCenters centers = fitted_centers(pixels, patch_size, k, fixed);
    PatchSums sums(k, centers.n_features());
    for (auto _ : state) assign_patches(pixels, centers, fixed, {}, &sums, {Backend::Cpu, 1});
    const std::int64_t locations = kSide - patch_size + 1;
    state.counters["Mpatches_per_s"] =
        benchmark::Counter(static_cast<double>(state.iterations() * kDates * locations * locations) * 1e-6,
                           benchmark::Counter::kIsRate);
}

BENCHMARK(kmeans_iteration)
    ->ArgNames({"p", "K"})
    ->Args({7, 10})
    ->Args({7, 5})
    ->Args({7, 16})
    ->Args({7, 100})
    ->Args({1, 10})
    ->Args({3, 10})
    ->Args({15, 10})
    ->Unit(benchmark::kMillisecond);

/// A whole fit of 40 passes from flat centres: what memory between passes saves. Arguments: patch, clusters,
/// 0: no memory, 1: labels, 2: margins as well.
void kmeans_fit(benchmark::State& state) {
    const auto patch_size = static_cast<int>(state.range(0));
    const std::int64_t k = state.range(1);
    const bool remembers = state.range(2) != 0;
    constexpr int kPasses = 40;
    const std::vector<float> values = make_scene();
    const PixelStack pixels{values.data(), kDates, 1, kSide, kSide, 0, 0};
    const FixedPoint fixed = FixedPoint::for_range(0, 4);
    for (auto _ : state) {
        PatchCenters centers = flat_centers(patch_size, k);
        const PatchSums none(k, centers.n_features());
        PatchSums sums = none;
        PatchMemory memory(state.range(2) == 1 ? PatchMemoryKind::Labels : PatchMemoryKind::Margins);
        for (int pass = 0; pass < kPasses; ++pass) {
            if (remembers) {
                reassign_patches(pixels, centers, fixed, memory, sums, {Backend::Cpu, 1});
            } else {
                sums = none;
                assign_patches(pixels, centers, fixed, {}, &sums, {Backend::Cpu, 1});
            }
            centers = mean_centers(centers, sums, fixed);
        }
    }
    const std::int64_t locations = kSide - patch_size + 1;
    state.counters["Mpatches_per_s"] = benchmark::Counter(
        static_cast<double>(state.iterations() * kPasses * kDates * locations * locations) * 1e-6,
        benchmark::Counter::kIsRate);
}

BENCHMARK(kmeans_fit)
    ->ArgNames({"p", "K", "memory"})
    ->ArgsProduct({{7}, {5, 10, 16}, {0, 1, 2}})
    ->ArgsProduct({{1, 15}, {10}, {0, 1, 2}})
    ->Unit(benchmark::kMillisecond);

/// Single pixels of many bands, where nothing overlaps. Arguments: bands.
void kmeans_dense(benchmark::State& state) {
    const std::int64_t n_bands = state.range(0), k = 10, side = 128;
    std::vector<float> values;
    std::mt19937 random(1);
    std::gamma_distribution<float> speckle(4.0F, 0.25F);
    for (std::int64_t i = 0; i < n_bands * side * side; ++i) {
        values.push_back(speckle(random) * (1.0F + static_cast<float>(i % side * 10 / side)));
    }
    const PixelStack pixels{values.data(), 1, n_bands, side, side, 0, 0};
    PatchCenters centers{1, n_bands, k, {}};
    for (std::int64_t i = 0; i < k * n_bands; ++i)
        centers.values.push_back(1.0 + static_cast<double>(i / n_bands));
    const FixedPoint fixed = FixedPoint::for_range(0, 64);
    PatchSums sums(k, n_bands);
    for (auto _ : state) {
        assign_patches(pixels, centers, fixed, {}, state.range(1) != 0 ? &sums : nullptr, {Backend::Cpu, 1});
    }
    const auto flops = static_cast<double>(2 * k * n_bands * side * side) * 1e-9;
    state.counters["GFLOP_per_s"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * flops, benchmark::Counter::kIsRate);
}

BENCHMARK(kmeans_dense)
    ->ArgNames({"bands", "sums"})
    ->ArgsProduct({{4, 12, 363}, {0, 1}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rastertide
