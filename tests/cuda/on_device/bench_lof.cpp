// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "bench.hpp"
#include "compute/cuda/lof_kernels.hpp"
#include "compute/cuda/session.hpp"
#include "cuda/kernels/module_calls.hpp"
#include "pixels.hpp"
#include "stopwatch.hpp"

namespace rastertide::on_device {
namespace {

constexpr double kInstructionsOfDistance = 20;
constexpr double kPaperDates = 363, kPaperLocations = 11839476;

class LofBench {
  public:
    LofBench(const Card& card, const StackSize& size, int neighbors, int n_runs, Report& report)
        : card_(card), size_(size), params_{size.patch, neighbors}, n_runs_(n_runs), report_(report) {}

    void run() {
        if (!host_has_room(4 * (size_.n_pixels() + size_.n_patches())))
            return report_.left_out("LOF", text(), "does not fit in the host's memory");
        const std::vector<float> pixels = make_pixels(size_, size_.n_dates);
        try {
            time_kernels_alone(size_.pixels(pixels.data()));
        } catch (const cuda::CudaFailure& failure) {
            if (failure.status != cuda::Status::OutOfMemory) throw;
            report_.left_out("LOF, kernels", text(), failure.text);
        }
        slot_.clear();  // what was had before the device was full too: the module needs it
        time_whole_call(size_.pixels(pixels.data()));
    }

  private:
    std::string text() const { return size_.text() + ", k = " + std::to_string(params_.neighbors); }
    cuda::LofArrays reserve(const cuda::LofPart& part);
    void time_kernels_alone(const PixelStack& pixels);
    void time_whole_call(const PixelStack& pixels);
    void add(const char* job, const Median& median, bool with_floor);

    const Card& card_;
    StackSize size_;
    LofParams params_;
    int n_runs_;
    Report& report_;
    cuda::Slot slot_;
};

void LofBench::add(const char* job, const Median& median, bool with_floor) {
    const auto n_dates = static_cast<double>(size_.n_dates);
    Timing timing;
    timing.job = job;
    timing.size = text();
    timing.seconds = median.seconds;
    timing.n_runs = median.n_runs;
    timing.n_items = size_.n_locations() * n_dates * (n_dates - 1);
    timing.n_bytes = 4 * (size_.n_pixels() + size_.n_patches());
    if (with_floor) timing.floor_seconds = kInstructionsOfDistance * timing.n_items / card_.lanes_per_s();
    if (n_dates == kPaperDates) timing.paper_factor = kPaperLocations / size_.n_locations();
    report_.timing(timing);
}

/// As the module does for a part of a tile.
cuda::LofArrays LofBench::reserve(const cuda::LofPart& part) {
    const std::int64_t n = part.locations.n_padded();
    const std::int64_t n_all = n * part.images.n_dates;
    const std::int64_t n_some = n * std::min(cuda::kDatesAtATime, part.images.n_dates);
    cuda::LofArrays arrays;
    arrays.minima = slot_.minima.reserve(n_some * part.n_groups());
    arrays.bounds = slot_.bounds.reserve(n_some);
    arrays.found = slot_.found.reserve(n_some * part.capacity());
    arrays.n_found = slot_.n_found.reserve(n_some);
    arrays.distances = slot_.distances.reserve(n_all * part.neighbors);
    arrays.dates = slot_.dates.reserve(n_all * part.neighbors);
    arrays.counts = slot_.counts.reserve(n_all);
    arrays.k_distances = slot_.k_distances.reserve(n_all);
    arrays.densities = slot_.densities.reserve(n_all);
    return arrays;
}

/// All locations in one part.
void LofBench::time_kernels_alone(const PixelStack& pixels) {
    cuda::LofPart part;
    part.patch = size_.patch;
    part.neighbors = params_.neighbors;
    part.locations = {static_cast<int>(size_.n_rows), static_cast<int>(size_.n_cols),
                      cuda::lof_block_rows(size_.patch), cuda::kLofBlockCols};
    part.images = part.locations.images(size_.n_dates, 1, size_.patch);
    const cuda::LofArrays arrays = reserve(part);
    float* scores = slot_.values.reserve(size_.n_dates * size_.n_rows * size_.n_cols);
    part.images = upload_images(pixels, part.locations, size_.patch, slot_.images);
    const cuda::Stream& stream = slot_.stream;
    const auto nothing = [] {};
    const auto find = [&] { find_neighbors(part, arrays, stream.get()); };
    const auto score = [&] { score_neighbors(part, arrays, scores, stream.get()); };
    add("LOF, kernels", time_kernels(n_runs_, stream, nothing, [&] { find(), score(); }), true);
    add("- neighbours", time_kernels(n_runs_, stream, nothing, find), true);
    add("- scores", time_kernels(n_runs_, stream, nothing, score), false);
}

void LofBench::time_whole_call(const PixelStack& pixels) {
    std::vector<float> scores(static_cast<std::size_t>(size_.n_dates * size_.n_rows * size_.n_cols));
    const Median median = time_call(n_runs_, [&] {
        cuda::Outcome outcome;
        rastertide_cuda_module()->lof(testing_support::session(), pixels, params_,
                                      {scores.data(), size_.n_rows * size_.n_cols, size_.n_cols}, outcome);
        testing_support::expect_ok(outcome);
    });
    add("LOF, whole call", median, true);
}

}  // namespace

void bench_lof(const Card& card, bool small, Report& report) {
    constexpr int kPatch = 7;
    if (small) {
        for (const std::int64_t n_dates : {5, 12})
            LofBench(card, {n_dates, 12, 20, kPatch}, 3, 1, report).run();
        return;
    }
    for (const std::int64_t n_dates : {60, 363, 1000}) {
        for (const std::int64_t side : {128, 256, 512})
            LofBench(card, {n_dates, side, side, kPatch}, 10, 11, report).run();
    }
}

}  // namespace rastertide::on_device
