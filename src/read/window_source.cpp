// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <rastertide/read/crs.hpp>

#include "read/place_source.hpp"

namespace rastertide {
namespace {

// Writers round their coefficients.
constexpr double kTolerancePx = 1e-3;

class WindowSource final : public RasterSource {
  public:
    WindowSource(std::unique_ptr<RasterSource> source, const Grid& target, const PixelOffset& offset)
        : source_(std::move(source)), info_(source_->info()), offset_(offset) {
        info_.grid = target;
        // GDAL alone would read the whole of the file.
        for (SourceBand& band : info_.bands) band.gdal.dataset.clear();
    }

    const SourceInfo& info() const override { return info_; }
    std::vector<std::string> files() override { return source_->files(); }
    void release() override { source_->release(); }

    void read(const Window& window, std::span<const int> bands, float* out, ReadScratch& scratch) override {
        const Window whole = {window.col - offset_.col, window.row - offset_.row, window.n_cols,
                              window.n_rows};
        const Window inside = intersect(whole, source_->info().grid.extent());
        if (inside == whole) {
            source_->read(whole, bands, out, scratch);
            return;
        }
        const auto n_bands = static_cast<std::int64_t>(bands.size());
        std::fill_n(out, n_bands * whole.n_pixels(), std::numeric_limits<float>::quiet_NaN());
        if (inside.empty()) return;
        part_.resize(static_cast<std::size_t>(inside.n_pixels()));
        for (std::size_t i = 0; i < bands.size(); ++i) {  // by bands, so that a part of one is held at most
            source_->read(inside, bands.subspan(i, 1), part_.data(), scratch);
            copy_part(inside, whole, out + static_cast<std::int64_t>(i) * whole.n_pixels());
        }
        part_ = {};
    }

  private:
    void copy_part(const Window& inside, const Window& whole, float* band) const {
        for (std::int64_t row = 0; row < inside.n_rows; ++row) {
            const float* from = part_.data() + row * inside.n_cols;
            std::copy_n(from, inside.n_cols,
                        band + (inside.row - whole.row + row) * whole.n_cols + inside.col - whole.col);
        }
    }

    std::unique_ptr<RasterSource> source_;
    SourceInfo info_;
    PixelOffset offset_;
    std::vector<float> part_;
};

bool same_crs(const std::string& a, const std::string& b) {
    return a == b || (!a.empty() && !b.empty() && is_same_crs(a, b));
}

}  // namespace

std::optional<PixelOffset> pixel_offset(const Grid& grid, const Grid& target) {
    if (grid.has_geotransform != target.has_geotransform || !same_crs(grid.crs_wkt, target.crs_wkt)) {
        return std::nullopt;
    }
    const auto place = [&](std::int64_t col, std::int64_t row) {
        const Geotransform::Point map =
            grid.geotransform.to_map(static_cast<double>(col), static_cast<double>(row));
        return target.geotransform.to_pixel(map.x, map.y);
    };
    const Geotransform::Point first = place(0, 0);
    constexpr double kMost = 1e15;
    if (!(std::abs(first.x) < kMost && std::abs(first.y) < kMost)) return std::nullopt;
    const PixelOffset offset = {std::llround(first.x), std::llround(first.y)};
    for (const std::int64_t col : {std::int64_t{0}, grid.n_cols}) {
        for (const std::int64_t row : {std::int64_t{0}, grid.n_rows}) {
            const Geotransform::Point at = place(col, row);
            const double shift = std::max(std::abs(at.x - static_cast<double>(col + offset.col)),
                                          std::abs(at.y - static_cast<double>(row + offset.row)));
            if (!(shift <= kTolerancePx)) return std::nullopt;
        }
    }
    return offset;
}

std::unique_ptr<RasterSource> make_window_source(std::unique_ptr<RasterSource> source, const Grid& target,
                                                 const PixelOffset& offset) {
    return std::make_unique<WindowSource>(std::move(source), target, offset);
}

}  // namespace rastertide
