// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bench.hpp"
#include "compute/cuda/kmeans_kernels.hpp"
#include "compute/cuda/session.hpp"
#include "cuda/kernels/kmeans_cases.hpp"
#include "pixels.hpp"
#include "stopwatch.hpp"

namespace rastertide::on_device {
namespace {

constexpr double kPaperPatches = 4297729788;
/// Of the sums, as the module has for few clusters.
constexpr int kCopies = 64;

/// Centres on the device, as the kernels take them.
class UploadedCenters {
  public:
    explicit UploadedCenters(const PatchCenters& centers) {
        centers_.n_clusters = static_cast<int>(centers.n_clusters);
        centers_.n_bands = static_cast<int>(centers.n_bands);
        centers_.patch = centers.patch_size;
        // The module's rule; see compute/cuda/assign_tile.cpp.
        const float share = static_cast<float>(centers_.n_features() + 5) * 0x1p-24F * 1.05F;
        centers_.tie_of_square = share * 4;
        centers_.tie_of_distance = share * 5;
        upload(centers);
    }
    const cuda::DeviceCenters& get() const { return centers_; }

  private:
    void upload(const PatchCenters& centers) {
        const std::int64_t n_features = centers.n_features(), n_chunks = centers_.n_chunks();
        std::vector<float> coefficients(static_cast<std::size_t>(n_chunks * n_features * cuda::kChunkPitch));
        std::vector<float> half_norms(static_cast<std::size_t>(n_chunks * cuda::kCenterChunk),
                                      std::numeric_limits<float>::infinity());
        for (std::int64_t k = 0; k < centers.n_clusters; ++k) {
            double norm = 0;
            for (std::int64_t f = 0; f < n_features; ++f) {
                const double c = centers.center(k)[f];
                coefficients[static_cast<std::size_t>(
                    (k / cuda::kCenterChunk * n_features + f) * cuda::kChunkPitch + k % cuda::kCenterChunk)] =
                    static_cast<float>(c);
                norm += c * c;
            }
            half_norms[static_cast<std::size_t>(k)] = static_cast<float>(norm / 2);
        }
        centers_.coefficients = copy(coefficients_, coefficients);
        centers_.half_norms = copy(half_norms_, half_norms);
        centers_.exact = copy(exact_, centers.values);
        cuda::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }
    template <class T>
    const T* copy(cuda::DeviceBuffer<T>& buffer, const std::vector<T>& from) {
        T* to = buffer.reserve(static_cast<std::int64_t>(from.size()));
        cuda::check(cudaMemcpy(to, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice),
                    "copy of the centres to the device");
        return to;
    }

    cuda::DeviceCenters centers_;
    cuda::DeviceBuffer<float> coefficients_, half_norms_;
    cuda::DeviceBuffer<double> exact_;
};

class KMeansBench {
  public:
    KMeansBench(const Card& card, const StackSize& size, int n_clusters, int n_runs, Report& report)
        : card_(card),
          size_(size),
          centers_(testing_support::some_centers(size.patch, 1, n_clusters)),
          n_runs_(n_runs),
          report_(report) {
        // Near the speckle's mean, so that no cluster is empty.
        for (double& value : centers_.values) value = 1 + (value - 2) / 8;
    }

    void run() {
        // Beside the pixels, labels in a byte here and in two in the module.
        if (!host_has_room(4 * size_.n_pixels() + 3 * size_.n_patches()))
            return report_.left_out("K-Means", text(), "does not fit in the host's memory");
        const std::vector<float> pixels = make_pixels(size_, kDistinctDates);
        try {
            time_kernels_alone(size_.pixels(pixels.data()));
        } catch (const cuda::CudaFailure& failure) {
            if (failure.status != cuda::Status::OutOfMemory) throw;
            report_.left_out("K-Means, kernels", text(), failure.text);
        }
        slot_.clear();  // what was had before the device was full too: the module needs it
        time_whole_pass(size_.pixels(pixels.data()));
    }

  private:
    static constexpr std::int64_t kDistinctDates = 8;

    std::string text() const {
        return size_.text() + ", K = " + std::to_string(centers_.n_clusters) +
               ", p = " + std::to_string(size_.patch);
    }
    void time_kernels_alone(const PixelStack& pixels);
    void time_moves(const cuda::ImageStack& images, const cuda::LocationGrid& locations,
                    const cuda::DeviceCenters& centers, const unsigned short* labels);
    void time_whole_pass(const PixelStack& pixels);
    void add(const char* job, const Median& median, double bytes_of_patch, double operations);

    const Card& card_;
    StackSize size_;
    PatchCenters centers_;
    int n_runs_;
    Report& report_;
    cuda::Slot slot_;
};

/// @param operations  of each patch, feature and centre, for the floor
void KMeansBench::add(const char* job, const Median& median, double bytes_of_patch, double operations) {
    Timing timing;
    timing.job = job;
    timing.size = text();
    timing.seconds = median.seconds;
    timing.n_runs = median.n_runs;
    timing.n_items = size_.n_patches();
    timing.n_bytes = size_.n_patches() * bytes_of_patch;
    timing.floor_seconds = operations * size_.n_patches() *
                           static_cast<double>(centers_.n_clusters * centers_.n_features()) /
                           card_.lanes_per_s();
    timing.paper_factor = kPaperPatches / size_.n_patches();
    report_.timing(timing);
}

void KMeansBench::time_kernels_alone(const PixelStack& pixels) {
    const cuda::LocationGrid locations = {static_cast<int>(size_.n_rows), static_cast<int>(size_.n_cols),
                                          cuda::kKMeansBlockRows, cuda::kKMeansBlockCols};
    const std::int64_t n_padded = size_.n_dates * locations.n_padded();
    unsigned short* labels = slot_.labels.reserve(n_padded);
    float* distances = slot_.values.reserve(n_padded);
    const cuda::ImageStack images = upload_images(pixels, locations, size_.patch, slot_.images);
    const UploadedCenters centers(centers_);
    const cuda::Stream& stream = slot_.stream;
    const auto nothing = [] {};
    unsigned* open = slot_.open.reserve(n_padded + 1);
    const auto label = [&] {
        label_patches(images, locations, centers.get(), labels, {open + 1, open}, stream.get());
    };
    const auto measure = [&] {
        nearest_distances(images, locations, centers.get(), distances, stream.get());
    };
    add("K-Means, labels: kernels", time_kernels(n_runs_, stream, nothing, label), 4 + 2, 1);
    time_moves(images, locations, centers.get(), labels);
    add("K-Means, distances: kernels", time_kernels(n_runs_, stream, nothing, measure), 4 + 4, 2);
}

/// The sums: of a first pass, where every patch is new, and of a last one, where none moves.
void KMeansBench::time_moves(const cuda::ImageStack& images, const cuda::LocationGrid& locations,
                             const cuda::DeviceCenters& centers, const unsigned short* labels) {
    const cuda::Stream& stream = slot_.stream;
    const std::int64_t n_sums = kCopies * centers_.n_clusters * (centers_.n_features() + 1);
    const FixedPoint fixed = FixedPoint::for_range(0, 16, FixedPoint::kUsualBits);
    cuda::DeviceSums sums;
    sums.offset = fixed.offset;
    sums.scale = fixed.scale();
    sums.most = std::ldexp(1.0, fixed.bits);
    sums.n_copies = kCopies;
    sums.copies = slot_.sums.reserve(n_sums);
    sums.n_changed = slot_.n_changed.reserve(1);
    const auto clear = [&] {
        stream.zero(sums.copies, n_sums);
        stream.zero(sums.n_changed, 1);
    };
    for (const unsigned short* old_labels : {static_cast<const unsigned short*>(nullptr), labels}) {
        const Median median = time_kernels(n_runs_, stream, clear, [&] {
            move_patches(images, locations, centers, old_labels, labels, sums, stream.get());
        });
        if (old_labels == nullptr) {
            add("- sums, all patches new", median, 4 + 2, 0);
        } else {
            add("- sums, no patch moves", median, 2 + 2, 0);
        }
    }
}

/// Passes over the same tile with the same centres: all but the first, which is not counted, move no patch.
void KMeansBench::time_whole_pass(const PixelStack& pixels) {
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(size_.n_dates * size_.n_rows * size_.n_cols));
    PatchSums sums(centers_.n_clusters, centers_.n_features());
    const Median median = time_call(n_runs_, [&] {
        cuda::AssignTask task;
        task.pixels = pixels;
        task.patch_size = size_.patch;
        task.n_clusters = centers_.n_clusters;
        task.centers = centers_.values.data();
        task.fixed = FixedPoint::for_range(0, 16, FixedPoint::kUsualBits);
        task.narrow_labels = labels.data();
        testing_support::want_sums(task, sums);
        cuda::Outcome outcome;
        rastertide_cuda_module()->assign(testing_support::session(), task, outcome);
        testing_support::expect_ok(outcome);
    });
    add("K-Means, whole pass", median, 4 + 2 + 2, 1);
}

}  // namespace

void bench_kmeans(const Card& card, bool small, Report& report) {
    constexpr int kPatch = 7;
    if (small) {
        for (const int n_clusters : {6, 10})
            KMeansBench(card, {2, 20, 40, kPatch}, n_clusters, 1, report).run();
        return;
    }
    for (const std::int64_t n_dates : {10, 100, 1000})
        KMeansBench(card, {n_dates, 1000, 1000, kPatch}, 10, 11, report).run();
    for (const int n_clusters : {8, 16})
        KMeansBench(card, {1000, 1000, 1000, kPatch}, n_clusters, 11, report).run();
}

}  // namespace rastertide::on_device
