// SPDX-License-Identifier: Apache-2.0
#include <tuple>
#include <utility>

#include <rastertide/compute/patch_memory.hpp>
#include <rastertide/core/checked.hpp>
#include <rastertide/core/error.hpp>

#include "compute/patch_margins.hpp"

namespace rastertide {
namespace {

/// Labels of so many clusters are kept in a byte.
constexpr std::int64_t kMostNarrowClusters = 254;
/// Of more clusters, what a pass prepares for every pair would cost as much as small tiles do.
constexpr std::int64_t kMostMarginClusters = 64;

/// Of fewer multiply-adds a patch, labels alone are faster: measured for p = 1 to 15, 5 to 16 clusters.
constexpr std::int64_t kLeastMarginTerms = 300;

bool wants_margins(std::int64_t n_clusters, PatchMemoryKind kind) {
    return kind == PatchMemoryKind::Margins && n_clusters <= kMostMarginClusters;
}

}  // namespace

PatchMemory::PatchMemory(PatchMemoryKind kind) : kind_(kind) {}
PatchMemoryKind PatchMemory::fastest_kind(std::int64_t n_clusters, std::int64_t n_features) {
    const bool pays =
        n_clusters <= kMostMarginClusters && checked_mul(n_clusters, n_features) >= kLeastMarginTerms;
    return pays ? PatchMemoryKind::Margins : PatchMemoryKind::Labels;
}

PatchMemory::PatchMemory(PatchMemory&& other) noexcept = default;
PatchMemory& PatchMemory::operator=(PatchMemory&& other) noexcept = default;
PatchMemory::~PatchMemory() = default;

std::int64_t PatchMemory::bytes_for(std::int64_t n_patches, std::int64_t n_clusters, PatchMemoryKind kind) {
    const std::int64_t label_bytes = n_clusters <= kMostNarrowClusters ? 1 : 2;
    if (!wants_margins(n_clusters, kind)) return checked_mul(n_patches, label_bytes);
    const auto n_table = static_cast<std::int64_t>(PatchMargins::kVersions) * n_clusters *
                         (n_clusters + PatchMargins::kClasses);
    return checked_mul(n_patches, label_bytes + 3) + n_table * std::int64_t{sizeof(double)};
}

std::int64_t PatchMemory::bytes() const {
    std::size_t bytes = narrow_labels_.size() + 2 * wide_labels_.size();
    if (margins_ != nullptr) {
        bytes += 2 * margins_->margins.size() + margins_->classes.size();
        for (std::size_t i = 0; i < PatchMargins::kVersions; ++i)
            bytes += sizeof(double) * (margins_->weights[i].size() + margins_->slack[i].size());
    }
    return static_cast<std::int64_t>(bytes);
}

void PatchMemory::forget_margins() {
    if (margins_ != nullptr) *margins_ = PatchMargins();
}

std::uint16_t PatchMemory::label(std::int64_t i) const {
    const auto place = static_cast<std::size_t>(i);
    return narrow_labels_.empty() ? wide_labels_[place] : narrow_labels_[place];
}

void PatchMemory::set_label(std::int64_t i, std::uint16_t label) {
    const auto place = static_cast<std::size_t>(i);
    if (narrow_labels_.empty()) {
        wide_labels_[place] = label;
    } else {
        narrow_labels_[place] = static_cast<std::uint8_t>(label);
    }
}

void PatchMemory::copy_labels(const LabelStack& labels) const {
    std::int64_t i = 0;
    for (std::int64_t date = 0; date < n_dates_; ++date) {
        for (std::int64_t row = 0; row < n_rows_; ++row) {
            std::uint16_t* to = labels.data + date * labels.date_stride + row * labels.row_stride;
            for (std::int64_t col = 0; col < n_cols_; ++col, ++i) to[col] = label(i);
        }
    }
}

void PatchMemory::fit_to(const PixelStack& pixels, const PatchCenters& centers, const FixedPoint& fixed) {
    PatchMemory wanted(kind_);
    wanted.n_dates_ = pixels.n_dates;
    wanted.n_rows_ = pixels.n_rows - centers.patch_size + 1;
    wanted.n_cols_ = pixels.n_cols - centers.patch_size + 1;
    wanted.n_bands_ = centers.n_bands;
    wanted.n_clusters_ = centers.n_clusters;
    wanted.patch_size_ = centers.patch_size;
    wanted.fixed_ = fixed;
    if (empty()) {
        const auto n = static_cast<std::size_t>(
            checked_mul(checked_mul(wanted.n_dates_, wanted.n_rows_), wanted.n_cols_));
        if (centers.n_clusters <= kMostNarrowClusters) {
            wanted.narrow_labels_.resize(n);
        } else {
            wanted.wide_labels_.resize(n);
        }
        if (wants_margins(centers.n_clusters, kind_)) wanted.margins_ = std::make_unique<PatchMargins>();
        *this = std::move(wanted);
        return;
    }
    const auto key = [](const PatchMemory& memory) {
        return std::tuple(memory.n_dates_, memory.n_rows_, memory.n_cols_, memory.n_bands_,
                          memory.n_clusters_, memory.patch_size_, memory.fixed_.offset,
                          memory.fixed_.exponent, memory.fixed_.bits);
    };
    if (key(*this) != key(wanted)) {
        throw InvalidArgument("kmeans: the memory of patches is that of another tile, fit or fixed point");
    }
}

}  // namespace rastertide
