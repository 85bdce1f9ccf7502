// SPDX-License-Identifier: Apache-2.0
// K-Means' passes over a tile: in parts of some dates.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "compute/cuda/fill_images.hpp"
#include "compute/cuda/kmeans_dense.hpp"
#include "compute/cuda/session.hpp"

namespace rastertide::cuda {
namespace {

/// Copies of the sums that the device may have, in numbers of all of them.
constexpr std::int64_t kMostSums = std::int64_t{1} << 20;
constexpr std::int64_t kMostCopies = 64;

/// Of products of pixels and centres, at a time.
constexpr std::int64_t kProductBytes = std::int64_t{256} << 20;

/// tau of compute/cpu/kmeans_label-inl.hpp, and 5% for what is small beside it.
float tie_share(std::int64_t n_features) {
    const double tau = static_cast<double>(n_features + 5) * 0x1p-24;
    return tau < 0.005 ? static_cast<float>(tau * 1.05) : 1e30F;
}

/// Copies what all parts need. @return where it is
template <class T>
T* upload(DeviceBuffer<T>& buffer, const T* from, std::int64_t n) {
    T* to = buffer.reserve(n);
    check(cudaMemcpy(to, from, static_cast<std::size_t>(n) * sizeof(T), cudaMemcpyHostToDevice),
          "copy of the centres to the device");
    // The copy may still be on its way, and the streams of the parts do not wait for it.
    check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
    return to;
}

/// Of an AssignTask, for parts of `n_dates` dates.
class TilePass {
  public:
    TilePass(Session& session, const AssignTask& task, std::int64_t n_dates)
        : task_(task), pass_dates_(n_dates), n_threads_(session.n_threads) {
        locations_ = {static_cast<int>(task.pixels.n_rows - task.patch_size + 1),
                      static_cast<int>(task.pixels.n_cols - task.patch_size + 1), kKMeansBlockRows,
                      kKMeansBlockCols};
        upload_centers(session);
        if (is_dense(centers_)) prepare_dense(session);
        kept_ = keep_tile(session);
    }
    /// All parts have been copied.
    void end() const {
        if (kept_ != nullptr) kept_->is_whole = true;
    }

    std::int64_t n_parts() const { return (task_.pixels.n_dates + pass_dates_ - 1) / pass_dates_; }
    std::int64_t first_date(std::int64_t part) const { return part * pass_dates_; }
    std::int64_t n_dates(std::int64_t part) const {
        return std::min(pass_dates_, task_.pixels.n_dates - first_date(part));
    }
    ImageStack images(std::int64_t part) const {
        return locations_.images(n_dates(part), task_.pixels.n_bands, task_.patch_size);
    }
    const LocationGrid& locations() const { return locations_; }
    const DeviceCenters& centers() const { return centers_; }
    /// Labels of a part's patches, on the slot's stream.
    void label(const ImageStack& images, unsigned short* labels, Slot& slot) const {
        const std::int64_t n = images.n_dates * locations_.n_padded();
        unsigned* open = slot.open.reserve(n + 1);
        if (cublas_ == nullptr) {
            label_patches(images, locations_, centers_, labels, {open + 1, open}, slot.stream.get());
        } else {
            label_dates_densely(images, labels, {open + 1, open}, slot);
        }
    }
    std::int64_t n_sums() const { return task_.n_clusters * (centers_.n_features() + 1); }

    /// Starts the copy of a part's pixels, unless they are there. @return where they will be
    ImageStack upload_images(std::int64_t part, Slot& slot) const {
        ImageStack images = this->images(part);
        float* data = kept_ != nullptr
                          ? kept_->images.data() + first_date(part) * images.n_bands * images.image_values()
                          : slot.images.reserve(images.n_values());
        images.data = data;
        if (kept_ != nullptr && kept_->is_whole) return images;
        float* host = slot.host_images.reserve(images.n_values());
        fill_images(task_.pixels, first_date(part), 0, locations_, images, host, n_threads_);
        slot.stream.upload(data, host, images.n_values());
        return images;
    }

    /// Calls row(date, row, place), from several threads: places of all rows of a part's locations in arrays
    /// of whole blocks.
    template <class Row>
    void for_each_row(std::int64_t part, Row row) const {
        parallel_for(n_dates(part), n_threads_, [&](std::int64_t date) {
            for (std::int64_t i = 0; i < locations_.n_rows; ++i)
                row(first_date(part) + date, i,
                    (date * locations_.padded_rows() + i) * locations_.padded_cols());
        });
    }

  private:
    void upload_centers(Session& session);
    void prepare_dense(Session& session);
    void label_dates_densely(const ImageStack& images, unsigned short* labels, const OpenPatches& open,
                             Slot& slot) const;
    KeptTile* keep_tile(Session& session) const;

    const AssignTask& task_;
    std::int64_t pass_dates_;
    int n_threads_;
    LocationGrid locations_;
    DeviceCenters centers_;
    const Cublas* cublas_ = nullptr;  ///< null: labels by the kernels for patches
    void* cublas_handle_ = nullptr;
    const float* matrix_ = nullptr;  ///< for cuBLAS
    KeptTile* kept_ = nullptr;       ///< null: pixels are copied in every pass
};

void TilePass::prepare_dense(Session& session) {
    cublas_ = Cublas::get();
    if (cublas_ == nullptr) return;
    if (session.cublas == nullptr) session.cublas = cublas_->create();
    cublas_handle_ = session.cublas;
    std::vector<float> matrix(static_cast<std::size_t>(task_.n_clusters * centers_.n_features()));
    std::transform(task_.centers, task_.centers + matrix.size(), matrix.begin(), [this](double value) {
        return static_cast<float>(value - static_cast<double>(task_.level));
    });
    matrix_ = upload(session.matrix, matrix.data(), static_cast<std::int64_t>(matrix.size()));
}

void TilePass::label_dates_densely(const ImageStack& images, unsigned short* labels, const OpenPatches& open,
                                   Slot& slot) const {
    const std::int64_t of_date = images.image_values();
    const std::int64_t most_dates = std::max<std::int64_t>(
        1, kProductBytes / std::int64_t{sizeof(float)} / (of_date * centers_.n_clusters));
    for (std::int64_t first = 0; first < images.n_dates; first += most_dates) {
        ImageStack some = images;
        some.data += first * images.n_bands * of_date;
        some.n_dates = static_cast<int>(std::min(most_dates, images.n_dates - first));
        const DenseArrays arrays = {slot.relative.reserve(some.n_values()),
                                    slot.products.reserve(some.n_dates * of_date * centers_.n_clusters)};
        label_densely(*cublas_, cublas_handle_, some, locations_, centers_, matrix_, arrays,
                      labels + first * of_date, open, slot.stream.get());
    }
}

/// Room for the task's tile, if it is to stay and leaves a quarter of the device free.
KeptTile* TilePass::keep_tile(Session& session) const {
    if (task_.tile == 0 || !session.may_keep_tiles) return nullptr;
    const auto known = session.tiles.find(task_.tile);
    if (known != session.tiles.end()) return &known->second;
    const std::int64_t n =
        locations_.images(task_.pixels.n_dates, task_.pixels.n_bands, task_.patch_size).n_values();
    std::size_t free_bytes = 0, total_bytes = 0;
    check(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
    const auto bytes = static_cast<std::size_t>(n) * sizeof(float);
    if (bytes > free_bytes || free_bytes - bytes < total_bytes / 4) return nullptr;
    KeptTile& tile = session.tiles[task_.tile];
    try {
        tile.images.reserve(n);
    } catch (const CudaFailure& failure) {  // another process was faster
        session.tiles.erase(task_.tile);
        if (failure.status != Status::OutOfMemory) throw;
        return nullptr;
    }
    return &tile;
}

void TilePass::upload_centers(Session& session) {
    centers_.n_clusters = static_cast<int>(task_.n_clusters);
    centers_.n_bands = static_cast<int>(task_.pixels.n_bands);
    centers_.patch = task_.patch_size;
    centers_.level = task_.level;
    centers_.tie_of_square = tie_share(centers_.n_features()) * 4;
    centers_.tie_of_distance = tie_share(centers_.n_features()) * 5;

    const std::int64_t n_features = centers_.n_features(), n_chunks = centers_.n_chunks();
    std::vector<float> coefficients(static_cast<std::size_t>(n_chunks * n_features * kChunkPitch), 0);
    std::vector<float> half_norms(static_cast<std::size_t>(n_chunks * kCenterChunk),
                                  std::numeric_limits<float>::infinity());
    for (std::int64_t k = 0; k < task_.n_clusters; ++k) {
        const double* center = task_.centers + k * n_features;
        double norm = 0;
        for (std::int64_t f = 0; f < n_features; ++f) {
            const double c = center[f] - static_cast<double>(task_.level);
            coefficients[static_cast<std::size_t>((k / kCenterChunk * n_features + f) * kChunkPitch +
                                                  k % kCenterChunk)] = static_cast<float>(c);
            norm += c * c;
        }
        half_norms[static_cast<std::size_t>(k)] = static_cast<float>(norm / 2);
    }
    centers_.coefficients =
        upload(session.coefficients, coefficients.data(), static_cast<std::int64_t>(coefficients.size()));
    centers_.half_norms =
        upload(session.half_norms, half_norms.data(), static_cast<std::int64_t>(half_norms.size()));
    centers_.exact = upload(session.exact_centers, task_.centers, task_.n_clusters * n_features);
}

/// One pass that labels a tile. What it finds stands in the task at the end of run() only: one that fails
/// leaves the labels of the last pass and the sums as they were.
class LabelPass {
  public:
    LabelPass(Session& session, AssignTask& task, std::int64_t n_dates)
        : task_(task), n_threads_(session.n_threads), pass_(session, task, n_dates) {
        if (wants_sums()) state_.resize(static_cast<std::size_t>(pass_.n_sums()), 0);
        if (has_memory())
            new_labels_ = std::make_unique_for_overwrite<unsigned short[]>(
                static_cast<std::size_t>(memory_row(task.pixels.n_dates, 0)));
    }

    void run(Session& session) {
        for_each_part(
            session, pass_.n_parts(), [&](std::int64_t part, Slot& slot) { send(part, slot); },
            [&](std::int64_t part, Slot& slot) { receive(part, slot); });
        pass_.end();
        give();
    }

  private:
    bool wants_sums() const { return task_.sums != nullptr; }
    bool has_memory() const { return task_.narrow_labels != nullptr || task_.wide_labels != nullptr; }
    std::int64_t n_padded(std::int64_t part) const {
        return pass_.n_dates(part) * pass_.locations().n_padded();
    }
    /// Place of a row in the arrays of the last pass's labels.
    std::int64_t memory_row(std::int64_t date, std::int64_t row) const {
        return (date * pass_.locations().n_rows + row) * pass_.locations().n_cols;
    }

    void send(std::int64_t part, Slot& slot) const;
    void send_moves(std::int64_t part, const ImageStack& images, Slot& slot) const;
    const unsigned short* upload_old_labels(std::int64_t part, Slot& slot) const;
    void receive(std::int64_t part, const Slot& slot);
    void give();

    AssignTask& task_;
    int n_threads_;
    TilePass pass_;
    std::vector<std::int64_t> state_;               // counts, then sums
    std::unique_ptr<unsigned short[]> new_labels_;  // as the memory has them
    std::int64_t n_changed_ = 0;
};

void LabelPass::send(std::int64_t part, Slot& slot) const {
    const ImageStack images = pass_.upload_images(part, slot);
    unsigned short* labels = slot.labels.reserve(n_padded(part));
    pass_.label(images, labels, slot);
    slot.stream.download(slot.host_labels.reserve(n_padded(part)), labels, n_padded(part));
    if (wants_sums()) send_moves(part, images, slot);
}

void LabelPass::send_moves(std::int64_t part, const ImageStack& images, Slot& slot) const {
    DeviceSums sums;
    sums.offset = task_.fixed.offset;
    sums.scale = std::ldexp(1.0, task_.fixed.exponent);
    sums.most = std::ldexp(1.0, task_.fixed.bits);
    sums.n_copies = static_cast<int>(std::clamp<std::int64_t>(kMostSums / pass_.n_sums(), 1, kMostCopies));
    const std::int64_t n = sums.n_copies * pass_.n_sums();
    sums.copies = slot.sums.reserve(n);
    sums.n_changed = slot.n_changed.reserve(1);
    slot.stream.zero(sums.copies, n);
    slot.stream.zero(sums.n_changed, 1);
    const unsigned short* old_labels = has_memory() ? upload_old_labels(part, slot) : nullptr;
    move_patches(images, pass_.locations(), pass_.centers(), old_labels, slot.labels.data(), sums,
                 slot.stream.get());
    slot.stream.download(slot.host_sums.reserve(pass_.n_sums()), sums.copies, pass_.n_sums());
    slot.stream.download(slot.host_n_changed.reserve(1), sums.n_changed, 1);
}

const unsigned short* LabelPass::upload_old_labels(std::int64_t part, Slot& slot) const {
    unsigned short* labels = slot.old_labels.reserve(n_padded(part));
    unsigned short* host = slot.host_old_labels.reserve(n_padded(part));
    const std::int64_t n_cols = pass_.locations().n_cols;
    pass_.for_each_row(part, [&](std::int64_t date, std::int64_t row, std::int64_t place) {
        const std::int64_t from = memory_row(date, row);
        if (task_.narrow_labels != nullptr) {
            std::copy_n(task_.narrow_labels + from, n_cols, host + place);
        } else {
            std::copy_n(task_.wide_labels + from, n_cols, host + place);
        }
    });
    slot.stream.upload(labels, host, n_padded(part));
    return labels;
}

void LabelPass::receive(std::int64_t part, const Slot& slot) {
    const std::int64_t n_cols = pass_.locations().n_cols;
    pass_.for_each_row(part, [&](std::int64_t date, std::int64_t row, std::int64_t place) {
        const unsigned short* from = slot.host_labels.data() + place;
        if (has_memory()) std::copy_n(from, n_cols, new_labels_.get() + memory_row(date, row));
        const LabelStack& labels = task_.labels;
        if (labels.data != nullptr)
            std::copy_n(from, n_cols, labels.data + date * labels.date_stride + row * labels.row_stride);
    });
    if (!wants_sums()) return;
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += slot.host_sums.data()[i];
    n_changed_ += static_cast<std::int64_t>(*slot.host_n_changed.data());
}

void LabelPass::give() {
    if (has_memory()) {
        parallel_for(task_.pixels.n_dates, n_threads_, [this](std::int64_t date) {
            const std::int64_t first = memory_row(date, 0), n = memory_row(1, 0);
            const unsigned short* from = new_labels_.get() + first;
            if (task_.wide_labels != nullptr) std::copy_n(from, n, task_.wide_labels + first);
            if (task_.narrow_labels == nullptr) return;
            std::transform(from, from + n, task_.narrow_labels + first,
                           [](unsigned short label) { return static_cast<std::uint8_t>(label); });
        });
    }
    task_.n_changed = n_changed_;
    if (!wants_sums()) return;
    for (std::int64_t k = 0; k < task_.n_clusters; ++k)
        task_.counts[k] += state_[static_cast<std::size_t>(k)];
    for (std::int64_t i = 0; i < pass_.n_sums() - task_.n_clusters; ++i)
        task_.sums[i] += state_[static_cast<std::size_t>(task_.n_clusters + i)];
}

/// Dates whose pixels fill the host's buffers.
std::int64_t dates_of_part(const AssignTask& task) {
    const LocationGrid locations = {static_cast<int>(task.pixels.n_rows - task.patch_size + 1),
                                    static_cast<int>(task.pixels.n_cols - task.patch_size + 1),
                                    kKMeansBlockRows, kKMeansBlockCols};
    const std::int64_t of_date =
        locations.images(1, task.pixels.n_bands, task.patch_size).n_values() * std::int64_t{sizeof(float)};
    return std::clamp<std::int64_t>(kStagingBytes / of_date, 1, task.pixels.n_dates);
}

}  // namespace

void assign_tile(Session& session, AssignTask& task) {
    in_parts_that_fit(session, dates_of_part(task), 1,
                      [&](std::int64_t n_dates) { LabelPass(session, task, n_dates).run(session); });
}

void measure_tile(Session& session, const AssignTask& task, const ScoreStack& distances) {
    in_parts_that_fit(session, dates_of_part(task), 1, [&](std::int64_t n_dates) {
        const TilePass pass(session, task, n_dates);
        const auto send = [&](std::int64_t part, Slot& slot) {
            const std::int64_t n = pass.n_dates(part) * pass.locations().n_padded();
            const ImageStack images = pass.upload_images(part, slot);
            float* values = slot.values.reserve(n);
            nearest_distances(images, pass.locations(), pass.centers(), values, slot.stream.get());
            slot.stream.download(slot.host_values.reserve(n), values, n);
        };
        const auto receive = [&](std::int64_t part, const Slot& slot) {
            pass.for_each_row(part, [&](std::int64_t date, std::int64_t row, std::int64_t place) {
                std::copy_n(slot.host_values.data() + place, pass.locations().n_cols,
                            distances.data + date * distances.date_stride + row * distances.row_stride);
            });
        };
        for_each_part(session, pass.n_parts(), send, receive);
    });
}

}  // namespace rastertide::cuda
