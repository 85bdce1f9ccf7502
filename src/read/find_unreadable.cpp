// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <rastertide/core/error.hpp>
#include <rastertide/core/stop.hpp>
#include <rastertide/read/series.hpp>

#include "read/series_impl.hpp"
#include "read/series_mask.hpp"  // Impl holds one

namespace rastertide {
namespace {

/// Everything that is read of each source: the frames of a mosaic, too, whatever covers them.
std::vector<std::vector<ScenePart>> parts_by_source(const RasterSeries::Impl& impl) {
    std::vector<std::vector<ScenePart>> parts(impl.sources.size());
    for (const Scene& scene : impl.scenes) {
        parts[scene.source].push_back(scene);
        for (const ScenePart& part : scene.fill) parts[part.source].push_back(part);
    }
    return parts;
}

/// Rows of whole blocks, or parts of them.
std::vector<Window> windows_of(const Grid& grid, const SourceInfo& source, std::int64_t max_pixels) {
    const auto step = [](std::int64_t n, std::int64_t block, std::int64_t most) {
        return std::min(most < block ? std::max<std::int64_t>(most, 1) : most / block * block, n);
    };
    const std::int64_t block_n_rows = std::min(source.block_n_rows, grid.n_rows);
    const std::int64_t n_cols = step(grid.n_cols, source.block_n_cols, max_pixels / block_n_rows);
    const std::int64_t n_rows = step(grid.n_rows, block_n_rows, max_pixels / n_cols);
    std::vector<Window> windows;
    for (std::int64_t row = 0; row < grid.n_rows; row += n_rows) {
        for (std::int64_t col = 0; col < grid.n_cols; col += n_cols)
            windows.push_back(intersect({col, row, n_cols, n_rows}, grid.extent()));
    }
    return windows;
}

std::vector<int> bands_of(const std::vector<ScenePart>& parts) {
    std::vector<int> bands;
    for (const ScenePart& part : parts) bands.insert(bands.end(), part.bands.begin(), part.bands.end());
    return bands;
}

/// Whether a part can be read; if not, it is added to `unreadable`.
bool can_read(RasterSeries::Impl& impl, const ScenePart& part, const Window& window, float* pixels,
              std::vector<LeftOutInput>& unreadable) {
    try {
        impl.read_part(part, window, pixels);
        return true;
    } catch (const UnreadableInput& error) {
        if (!is_among(unreadable, error.input())) unreadable.push_back({error.input(), error.what()});
        return false;
    }
}

}  // namespace

std::vector<LeftOutInput> RasterSeries::find_unreadable(std::int64_t part, std::int64_t n_parts,
                                                        std::int64_t max_values) {
    std::vector<float> pixels;
    std::vector<LeftOutInput> unreadable;
    const std::vector<std::vector<ScenePart>> parts = parts_by_source(*impl_);
    const auto share_of = [&](std::size_t n, std::int64_t i) {
        return n * static_cast<std::size_t>(i) / static_cast<std::size_t>(n_parts);
    };
    for (std::size_t source = 0; source < parts.size(); ++source) {
        if (parts[source].empty()) continue;
        const std::vector<int> bands = bands_of(parts[source]);
        const SourceInfo& info = impl_->sources[source]->info();
        const std::vector<Window> windows =
            windows_of(impl_->grid, info, std::max<std::int64_t>(max_values / std::ssize(bands), 1));
        // One source's windows lie with one part, unless there are no more sources than parts.
        const bool is_shared = std::ssize(parts) < n_parts * 2;
        const std::size_t begin = is_shared ? share_of(windows.size(), part) : 0;
        const std::size_t end = is_shared ? share_of(windows.size(), part + 1) : windows.size();
        if (!is_shared && static_cast<std::int64_t>(source) % n_parts != part) continue;
        pixels.resize(bands.size() * static_cast<std::size_t>(windows.front().n_pixels()));
        for (std::size_t i = begin; i < end; ++i) {
            throw_if_stopped();
            std::vector<LeftOutInput> any;
            if (can_read(*impl_, {source, bands}, windows[i], pixels.data(), any)) continue;
            for (const ScenePart& scene : parts[source])
                can_read(*impl_, scene, windows[i], pixels.data(), unreadable);
        }
    }
    return unreadable;
}

}  // namespace rastertide
