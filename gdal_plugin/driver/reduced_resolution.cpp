// SPDX-License-Identifier: Apache-2.0
#include "driver/reduced_resolution.hpp"

#include <algorithm>
#include <stdexcept>

#include <cpl_error.h>

namespace rastertide::plugin {
namespace {

constexpr std::size_t kMostViews = 4;

}  // namespace

bool ReducedResolution::keeps(std::int64_t n_pixels) const {
    const std::int64_t n_bands = product_.made_with(0).count;
    return n_pixels * n_bands * std::int64_t{sizeof(float)} <=
           product_.request().memory_bytes / std::int64_t{kMostViews};
}

void ReducedResolution::clear() {
    const std::lock_guard lock(mutex_);
    views_.clear();
}

/// All bands that cost nothing more, if they can be kept; else those that are asked for.
void ReducedResolution::read(const ViewShape& shape, const std::vector<int>& bands, const ReadTarget& target,
                             const GoOn& go_on) {
    const auto [first, last] = std::minmax_element(bands.begin(), bands.end());
    ViewShape wanted = shape;
    wanted.bands = {*first - 1, *last - *first + 1};
    if (keeps(shape.n_cols * shape.n_rows)) wanted.bands = product_.made_with(bands);
    read_from(wanted, {0, 0, shape.n_cols, shape.n_rows}, bands, target, go_on);
}

void ReducedResolution::read_part(const ViewShape& whole, const Window& part, int band,
                                  const ReadTarget& target, const GoOn& go_on) {
    ViewShape wanted = whole;
    wanted.bands = product_.made_with(band - 1);
    read_from(wanted, part, {band}, target, go_on);
}

ReducedResolution::KeptView& ReducedResolution::view_of(const ViewShape& shape) {
    const auto found = std::find_if(views_.begin(), views_.end(),
                                    [&](const KeptView& kept) { return kept.view.shape() == shape; });
    if (found != views_.end()) {
        views_.splice(views_.begin(), views_, found);
    } else {
        while (views_.size() >= kMostViews) views_.pop_back();
        views_.push_front({SampledView(product_, shape), {}});
    }
    return views_.front();
}

void ReducedResolution::read_from(const ViewShape& shape, const Window& part, const std::vector<int>& bands,
                                  const ReadTarget& target, const GoOn& go_on) {
    const std::lock_guard lock(mutex_);
    KeptView& kept = view_of(shape);
    const std::pair<int, std::int64_t> reader = {bands.front(), part.row * shape.n_cols + part.col};
    const bool is_new = kept.shown.empty();
    if (!kept.shown.insert(reader).second || is_new) {
        refine(kept.view, go_on);
        kept.shown = {reader};
    }
    std::vector<float> line(static_cast<std::size_t>(part.n_cols));
    for (std::size_t i = 0; i < bands.size(); ++i) {
        for (std::int64_t row = 0; row < part.n_rows; ++row) {
            for (std::int64_t col = 0; col < part.n_cols; ++col)
                line[static_cast<std::size_t>(col)] =
                    kept.view.value(bands[i] - 1 - shape.bands.first, part.row + row, part.col + col);
            GDALCopyWords64(line.data(), GDT_Float32, static_cast<int>(sizeof(float)), target.at(i, row, 0),
                            target.type, static_cast<int>(target.pixel_space), part.n_cols);
        }
    }
    if (!keeps(shape.n_cols * shape.n_rows)) views_.pop_front();
}

void ReducedResolution::refine(SampledView& view, const GoOn& go_on) {
    using Clock = SampledView::Clock;
    const double budget = product_.request().budget_seconds;
    const auto deadline = budget > 0
                              ? Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(std::min(budget, 1e6)))
                              : Clock::time_point::max();
    bool cancelled = false;
    view.refine(deadline, [&] {
        cancelled = !go_on(static_cast<double>(view.n_computed()) / static_cast<double>(view.n_pixels() + 1));
        return !cancelled;
    });
    if (cancelled) throw std::runtime_error("the reading was cancelled");
    if (!view.complete()) warn_once(view);
}

void ReducedResolution::warn_once(const SampledView& view) {
    CPLDebug("RASTERTIDE", "%lld of %lld locations were computed", static_cast<long long>(view.n_computed()),
             static_cast<long long>(view.n_pixels()));
    if (warned_) return;
    warned_ = true;
    CPLError(CE_Warning, CPLE_AppDefined,
             "Rastertide: a view at low resolution shows %lld of its %lld locations, the others their "
             "neighbours: more were not computed within "
             "budget=%g seconds (0: as long as it takes)",
             static_cast<long long>(view.n_computed()), static_cast<long long>(view.n_pixels()),
             product_.request().budget_seconds);
}

}  // namespace rastertide::plugin
