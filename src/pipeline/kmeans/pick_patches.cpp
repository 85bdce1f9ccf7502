// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/pick_patches.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

constexpr double kNotWanted = std::numeric_limits<double>::quiet_NaN();

struct Candidate {
    std::int64_t location;
    double key;
};

std::int64_t max_locations(const StackRun& run) {
    std::int64_t n = 0;
    for (const Tile& tile : run.plan.tiles) n = std::max(n, tile.locations.n_pixels());
    return n;
}

}  // namespace

WeightedSample::WeightedSample(const KMeansRun& run, const StackMoments& moments, std::int64_t n)
    : PatchPicker(run.n_features()),
      seed_(random_key(run.options.seed, RandomStream::KMeansSample)),
      share_(std::min(1.0, static_cast<double>(n) / static_cast<double>(moments.n_patches))),
      mean_squared_distance_(std::max(moments.pixel_variance * static_cast<double>(run.n_features()),
                                      std::numeric_limits<double>::min())) {}

double WeightedSample::key(std::int64_t index, double squared_distance) const {
    if (share_ >= 1) return 1;
    const double probability = std::min(1.0, share_ / 2 * (1 + squared_distance / mean_squared_distance_));
    return random_of(seed_, index) < probability ? 1 / probability : kNotWanted;
}

FirstPatches::FirstPatches(const KMeansRun& run, std::int64_t n, Order order, std::uint64_t random_key)
    : PatchPicker(run.n_features()), n_(n), order_(order), random_key_(random_key) {}

double FirstPatches::place_in_order(std::int64_t index, double squared_distance) const {
    if (order_ == Order::Random) return random_of(random_key_, index);
    if (squared_distance <= 0) return kNotWanted;
    if (order_ == Order::Farthest) return -squared_distance;
    return -std::log(random_of(random_key_, index)) / squared_distance;
}

double FirstPatches::key(std::int64_t index, double squared_distance) const {
    const double place = place_in_order(index, squared_distance);
    return !heap_.empty() && place > patches_.key(heap_.front()) ? kNotWanted : place;
}

bool FirstPatches::comes_after(std::int64_t a, std::int64_t b) const {
    if (patches_.key(a) != patches_.key(b)) return patches_.key(a) > patches_.key(b);
    return patches_.index(a) > patches_.index(b);
}

float* FirstPatches::take(std::int64_t index, double key) {
    const auto comes_before = [this](std::int64_t a, std::int64_t b) { return comes_after(b, a); };
    if (patches_.n() < n_) {
        float* values = patches_.add(index, key);
        if (patches_.n() < n_) return values;
        heap_.resize(static_cast<std::size_t>(n_));
        std::iota(heap_.begin(), heap_.end(), 0);
        std::make_heap(heap_.begin(), heap_.end(), comes_before);
        return values;
    }
    const std::int64_t last = heap_.front();
    const double last_key = patches_.key(last);
    if (key > last_key || (key == last_key && index > patches_.index(last))) return nullptr;
    std::pop_heap(heap_.begin(), heap_.end(), comes_before);
    float* values = patches_.replace(last, index, key);
    std::push_heap(heap_.begin(), heap_.end(), comes_before);
    return values;
}

PatchPass::PatchPass(KMeansRun& run, PatchCenters centers)
    : run_(run),
      centers_(std::move(centers)),
      distances_(make_buffer<float>(checked_mul(max_locations(run), run.n_label_dates()))) {}

void PatchPass::visit(const Tile& tile, const float* pixels, PatchPicker& picker) {
    const std::int64_t n_locations = tile.locations.n_pixels();
    patch_distances(run_.stack(tile, pixels), centers_,
                    {distances_.get(), n_locations, tile.locations.n_cols}, run_.options.compute);
    const Grid& grid = run_.series.grid();
    const auto index = [&](std::int64_t date, std::int64_t location) {
        const std::int64_t row = tile.locations.row + location / tile.locations.n_cols;
        const std::int64_t col = tile.locations.col + location % tile.locations.n_cols;
        return (date * grid.n_rows + row) * grid.n_cols + col;
    };
    // A few dates at a time: what they pick narrows what comes after, and candidates stay few.
    const std::int64_t n_together = resolve_threads(run_.options.compute.n_threads);
    std::vector<std::vector<Candidate>> candidates(static_cast<std::size_t>(n_together));
    for (std::int64_t first = 0; first < run_.n_label_dates(); first += n_together) {
        const std::int64_t n = std::min(n_together, run_.n_label_dates() - first);
        parallel_for(n, run_.options.compute.n_threads, [&](std::int64_t i_date) {
            std::vector<Candidate>& of_date = candidates[static_cast<std::size_t>(i_date)];
            of_date.clear();
            const float* distances = distances_.get() + (first + i_date) * n_locations;
            for (std::int64_t i = 0; i < n_locations; ++i) {
                if (std::isnan(distances[i])) continue;
                const double key = picker.key(index(first + i_date, i), static_cast<double>(distances[i]));
                if (!std::isnan(key)) of_date.push_back({i, key});
            }
        });
        for (std::int64_t i_date = 0; i_date < n; ++i_date) {
            for (const Candidate& candidate : candidates[static_cast<std::size_t>(i_date)]) {
                float* values = picker.take(index(first + i_date, candidate.location), candidate.key);
                if (values != nullptr) copy_patch(tile, pixels, first + i_date, candidate.location, values);
            }
        }
    }
}

void PatchPass::copy_patch(const Tile& tile, const float* pixels, std::int64_t date, std::int64_t location,
                           float* values) const {
    const std::int64_t p = run_.options.patch_size;
    const std::int64_t first = location / tile.locations.n_cols * tile.source.n_cols +
                               location % tile.locations.n_cols;  // of the patch: the halo is around it
    for (std::int64_t band = 0; band < run_.n_sample_bands(); ++band) {
        const float* plane = pixels + (date * run_.n_sample_bands() + band) * tile.source.n_pixels() + first;
        for (std::int64_t row = 0; row < p; ++row)
            values = std::copy_n(plane + row * tile.source.n_cols, p, values);
    }
}

PatchList pick_patches(KMeansRun& run, Communicator& comm, TilePasses& passes, const PatchCenters& centers,
                       PatchPicker& picker, std::int64_t n) {
    together(comm, [&] {
        PatchPass pass(run, centers);
        passes.for_each([&](std::int64_t, const Tile& tile, const float* pixels) {
            const StageClock::Timer timer(run.clock, Stage::Start);
            pass.visit(tile, pixels, picker);
        });
    });
    return picker.patches().smallest_of_all(n, comm);
}

}  // namespace rastertide
