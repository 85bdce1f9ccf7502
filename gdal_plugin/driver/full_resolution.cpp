// SPDX-License-Identifier: Apache-2.0
#include "driver/full_resolution.hpp"

#include <algorithm>
#include <stdexcept>

namespace rastertide::plugin {
namespace {

constexpr std::int64_t kBlock = FullResolution::kBlockSize;
/// Side of what is computed for a reader who goes from block to block, where memory allows.
constexpr std::int64_t kReadSize = 4 * kBlock;

void copy_window(const ComputedRegion& region, const Window& window, std::int64_t band, std::size_t i_band,
                 const Window& asked, const ReadTarget& target) {
    for (std::int64_t row = window.row; row < window.end_row(); ++row) {
        GDALCopyWords64(region.at(band, row, window.col), GDT_Float32, static_cast<int>(sizeof(float)),
                        target.at(i_band, row - asked.row, window.col - asked.col), target.type,
                        static_cast<int>(target.pixel_space), window.n_cols);
    }
}

bool holds(const Window& outer, const Window& inner) { return intersect(outer, inner) == inner; }

}  // namespace

Window FullResolution::block_window(std::int64_t i_col, std::int64_t i_row) const {
    return intersect({i_col * kBlock, i_row * kBlock, kBlock, kBlock}, product_.grid().extent());
}

/// Of a window of so many rows: halo and all within the memory of the request.
std::int64_t FullResolution::most_pixels(BandRange bands, std::int64_t n_rows) const {
    const std::int64_t halo = product_.halo();
    const std::int64_t n_padded = product_.request().memory_bytes / product_.bytes_per_location(bands);
    return std::max<std::int64_t>(0, n_padded / (n_rows + halo) - halo) * n_rows;
}

FullResolution::Region FullResolution::last_region(const Window& window, std::int64_t band) {
    const std::lock_guard lock(mutex_);
    return region_ != nullptr && region_->bands.contains(band) && holds(region_->window, window) ? region_
                                                                                                 : nullptr;
}

void FullResolution::clear() {
    const std::lock_guard lock(mutex_);
    region_.reset();
}

FullResolution::Region FullResolution::compute(const Window& window, BandRange bands) {
    auto region = std::make_shared<ComputedRegion>();
    region->window = window;
    region->bands = bands;
    region->values.resize(static_cast<std::size_t>(window.n_pixels() * bands.count));
    product_.compute(window, bands, region->values.data());
    const std::lock_guard lock(mutex_);
    region_ = region;
    return region;
}

void FullResolution::read_block(const Window& block, int band, const ReadTarget& target) {
    Region region = last_region(block, band - 1);
    if (region == nullptr) {
        const BandRange bands = product_.made_with(band - 1);
        std::int64_t size = kReadSize;
        while (size > kBlock && size * size > most_pixels(bands, size)) size /= 2;
        region = compute(intersect({block.col - block.col % size, block.row - block.row % size, size, size},
                                   product_.grid().extent()),
                         bands);
        give_to_cache(*region, {band});
    }
    copy_window(*region, block, band - 1, 0, block, target);
}

void FullResolution::give_block(const ComputedRegion& region, int band, std::int64_t i_col,
                                std::int64_t i_row) {
    GDALRasterBand* target = dataset_.GetRasterBand(band);
    // A block that is there may be in use; one that is being read now is its reader's to fill.
    if (GDALRasterBlock* held =
            target->TryGetLockedBlockRef(static_cast<int>(i_col), static_cast<int>(i_row))) {
        held->DropLock();
        return;
    }
    GDALRasterBlock* block =
        target->GetLockedBlockRef(static_cast<int>(i_col), static_cast<int>(i_row), TRUE);
    if (block == nullptr) return;  // no memory: it is computed when it is asked for
    const GSpacing size = GDALGetDataTypeSizeBytes(target->GetRasterDataType());
    const Window window = block_window(i_col, i_row);
    copy_window(region, window, band - 1, 0, window,
                {block->GetDataRef(), target->GetRasterDataType(), size, size * kBlock, 0});
    block->DropLock();
}

/// The other bands' blocks, too, unless they would push each other out.
void FullResolution::give_to_cache(const ComputedRegion& region, const std::vector<int>& asked) {
    const Window& window = region.window;
    const GDALDataType type = dataset_.GetRasterBand(asked.front())->GetRasterDataType();
    const GIntBig band_bytes = window.n_pixels() * GDALGetDataTypeSizeBytes(type);
    const GIntBig most_bytes = GDALGetCacheMax64() / 2;
    std::vector<int> bands = asked;
    if (band_bytes * region.bands.count <= most_bytes) {
        bands.clear();
        for (std::int64_t i = 1; i <= region.bands.count; ++i)
            bands.push_back(static_cast<int>(region.bands.first + i));
    } else if (band_bytes * static_cast<GIntBig>(asked.size()) > most_bytes) {
        return;
    }
    for (const int band : bands) {
        for (std::int64_t row = window.row / kBlock; row * kBlock < window.end_row(); ++row) {
            for (std::int64_t col = window.col / kBlock; col * kBlock < window.end_col(); ++col)
                give_block(region, band, col, row);
        }
    }
}

bool FullResolution::is_cached(const std::vector<int>& bands, std::int64_t i_col, std::int64_t i_row) {
    for (const int band : bands) {
        GDALRasterBlock* block = dataset_.GetRasterBand(band)->TryGetLockedBlockRef(static_cast<int>(i_col),
                                                                                    static_cast<int>(i_row));
        if (block == nullptr) return false;
        block->DropLock();
    }
    return true;
}

/// Rows of blocks that lack one, each from the first to the last that is missing; the next row is joined if
/// it lacks the same columns, up to the memory of the request.
std::vector<Window> FullResolution::missing_parts(const Window& window, const std::vector<int>& bands) {
    const BandRange all = product_.made_with(bands);
    const std::int64_t most_cols =
        std::max<std::int64_t>(1, most_pixels(all, kBlock) / (kBlock * kBlock)) * kBlock;
    const std::int64_t first_col = window.col / kBlock;
    const std::int64_t last_col = (window.end_col() - 1) / kBlock;
    std::vector<Window> parts;
    for (std::int64_t row = window.row / kBlock; row * kBlock < window.end_row(); ++row) {
        std::int64_t first = first_col;
        std::int64_t last = last_col;
        while (first <= last && is_cached(bands, first, row)) ++first;
        while (first <= last && is_cached(bands, last, row)) --last;
        if (first > last) continue;
        const Window left = block_window(first, row);
        const std::int64_t end_col = block_window(last, row).end_col();
        for (std::int64_t col = left.col; col < end_col; col += most_cols) {
            const Window part = {col, left.row, std::min(most_cols, end_col - col), left.n_rows};
            Window* above = parts.empty() ? nullptr : &parts.back();
            const bool joins =
                above != nullptr && above->col == part.col && above->n_cols == part.n_cols &&
                above->end_row() == part.row &&
                above->n_pixels() + part.n_pixels() <= most_pixels(all, above->n_rows + part.n_rows);
            if (joins) {
                above->n_rows += part.n_rows;
            } else {
                parts.push_back(part);
            }
        }
    }
    return parts;
}

/// @return  what was computed
std::vector<Window> FullResolution::compute_parts(const Window& window, const std::vector<int>& bands,
                                                  const GoOn& go_on,
                                                  const std::function<void(const ComputedRegion&)>& use) {
    const BandRange all = product_.made_with(bands);
    const std::vector<Window> parts = missing_parts(window, bands);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Region region = last_region(parts[i], all.first);
        if (region == nullptr || !region->bands.contains(all.first + all.count - 1)) {
            region = compute(parts[i], all);
            give_to_cache(*region, bands);
        }
        use(*region);
        if (!go_on(static_cast<double>(i + 1) / static_cast<double>(parts.size() + 1)))
            throw std::runtime_error("the reading was cancelled");
    }
    return parts;
}

void FullResolution::prepare(const Window& window, int band, const GoOn& go_on) {
    compute_parts(window, {band}, go_on, [](const ComputedRegion&) {});
}

void FullResolution::read(const Window& window, const std::vector<int>& bands, const ReadTarget& target,
                          const GoOn& go_on) {
    const std::vector<Window> computed =
        compute_parts(window, bands, go_on, [&](const ComputedRegion& region) {
            const Window part = intersect(region.window, window);
            for (std::size_t i = 0; i < bands.size(); ++i)
                copy_window(region, part, bands[i] - 1, i, window, target);
        });
    copy_cached(window, computed, bands, target);
}

/// Blocks that were there before, but for those that have been copied from where they were computed.
void FullResolution::copy_cached(const Window& window, const std::vector<Window>& left_out,
                                 const std::vector<int>& bands, const ReadTarget& target) {
    for (std::int64_t row = window.row / kBlock; row * kBlock < window.end_row(); ++row) {
        for (std::int64_t col = window.col / kBlock; col * kBlock < window.end_col(); ++col) {
            const Window all = block_window(col, row);
            if (std::any_of(left_out.begin(), left_out.end(),
                            [&](const Window& part) { return holds(part, all); }))
                continue;
            const Window part = intersect(all, window);
            for (std::size_t i = 0; i < bands.size(); ++i) {
                GDALRasterBand* band = dataset_.GetRasterBand(bands[i]);
                GDALRasterBlock* block =
                    band->GetLockedBlockRef(static_cast<int>(col), static_cast<int>(row), FALSE);
                if (block == nullptr) throw std::runtime_error(CPLGetLastErrorMsg());
                const GDALDataType type = band->GetRasterDataType();
                const int size = GDALGetDataTypeSizeBytes(type);
                for (std::int64_t line = part.row; line < part.end_row(); ++line) {
                    const GByte* from = static_cast<const GByte*>(block->GetDataRef()) +
                                        ((line - all.row) * kBlock + (part.col - all.col)) * size;
                    GDALCopyWords64(from, type, size, target.at(i, line - window.row, part.col - window.col),
                                    target.type, static_cast<int>(target.pixel_space), part.n_cols);
                }
                block->DropLock();
            }
        }
    }
}

}  // namespace rastertide::plugin
