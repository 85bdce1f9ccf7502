// SPDX-License-Identifier: Apache-2.0
#include "driver/lazy_product.hpp"

#include <cmath>
#include <cstring>

#include <cpl_error.h>

#include <rastertide/core/error.hpp>

#include "driver/threshold_rule.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

void log_to_gdal(LogLevel level, const std::string& text) {
    if (level == LogLevel::Warning) {
        CPLError(CE_Warning, CPLE_AppDefined, "%s", text.c_str());
    } else {
        CPLDebug("RASTERTIDE", "%s", text.c_str());
    }
}

/// Columns that are read together: the first so many, with no more than a few pixels between them.
std::size_t run_length(const std::vector<std::int64_t>& cols, std::size_t first) {
    constexpr std::int64_t kMostApart = 32;
    constexpr std::int64_t kMostCols = 1024;
    std::size_t last = first + 1;
    while (last < cols.size() && cols[last] - cols[last - 1] <= kMostApart &&
           cols[last] - cols[first] < kMostCols)
        ++last;
    return last - first;
}

/// Patches side by side, as a tile of one row of locations: each p-th is one of them.
class PatchStrip {
  public:
    PatchStrip(int patch_size, std::int64_t n_images, std::size_t most)
        : p_(patch_size),
          n_images_(n_images),
          most_(static_cast<std::int64_t>(most)),
          pixels_(static_cast<std::size_t>(n_images * p_ * p_ * most_)) {}

    /// @param run  [images][p][n_cols]   @param col  of the patch in it
    void add(const std::vector<float>& run, std::int64_t n_cols, std::int64_t col) {
        const float* from = run.data() + col;
        float* to = pixels_.data() + n_ * p_;
        for (std::int64_t i = 0; i < n_images_ * p_; ++i, from += n_cols, to += most_ * p_)
            std::copy_n(from, p_, to);
        ++n_;
    }

    std::int64_t size() const { return n_; }
    /// Where fewer than expected are there, the last is repeated.
    const float* data() {
        const std::int64_t last = n_ - 1;
        for (std::int64_t i = n_; i < most_; ++i) {
            float* row = pixels_.data();
            for (std::int64_t k = 0; k < n_images_ * p_; ++k, row += most_ * p_)
                std::copy_n(row + last * p_, p_, row + i * p_);
        }
        return pixels_.data();
    }
    std::int64_t n_cols() const { return most_ * p_; }

  private:
    std::int64_t p_;
    std::int64_t n_images_;
    std::int64_t most_;
    std::vector<float> pixels_;
    std::int64_t n_ = 0;
};

}  // namespace

LazyProduct::LazyProduct(LazyRequest request) : request_(std::move(request)) {
    RasterSeries series = open_series(request_.series, log_to_gdal);
    grid_ = series.grid();
    n_bands_ = series.n_bands();
    files_ = series.files();
    if (request_.product == kLabelProduct) {
        calculator_ = make_label_calculator(request_, series);
    } else {
        calculator_ = make_lof_calculator(request_, series, [this] { return threshold(); });
        scorer_ = make_score_calculator(request_, series);
    }
    layout_ = calculator_->layout();
    layout_.pixel_is_point = series.pixel_is_point();
    if (scorer_ != nullptr) {
        layout_.metadata = lof_metadata(request_.lof, request_.series.scale, threshold_rule(request_),
                                        known_threshold(request_));  // another would cost a sample of scores
    }
    inner_ = grid_.extent().padded(-(calculator_->patch_size() / 2));
    if (inner_.empty()) {
        throw InvalidArgument("the raster has " + std::to_string(grid_.n_cols) + " x " +
                              std::to_string(grid_.n_rows) + " pixels, expected a patch of " +
                              std::to_string(calculator_->patch_size()) + " x " +
                              std::to_string(calculator_->patch_size()) + " at least");
    }
    pool_.emplace(request_.series, std::move(series));
}

BandRange LazyProduct::made_with(const std::vector<int>& bands) const {
    const auto [first, last] = std::minmax_element(bands.begin(), bands.end());
    const BandRange begin = made_with(*first - 1);
    const BandRange end = made_with(*last - 1);
    return {begin.first, end.first + end.count - begin.first};
}

std::int64_t LazyProduct::bytes_per_location(BandRange bands) const {
    // Pixels, values, and the scores that values may be made from.
    return (calculator_->dates_of(bands).count * (n_bands_ + 1) + bands.count) * std::int64_t{sizeof(float)};
}

void LazyProduct::compute(const Window& window, BandRange bands, float* values) {
    std::fill_n(values, window.n_pixels() * bands.count, static_cast<float>(layout_.nodata));
    const Window locations = intersect(window, inner_);
    if (locations.empty()) return;
    const Window source = locations.padded(calculator_->patch_size() / 2);
    const BandRange dates = calculator_->dates_of(bands);
    std::vector<float> pixels(static_cast<std::size_t>(source.n_pixels() * dates.count * n_bands_));
    pool_->take()->read(source, dates.first, dates.count, pixels.data());
    float* first = values + (locations.row - window.row) * window.n_cols + (locations.col - window.col);
    calculator_->compute(
        {pixels.data(), dates.count, n_bands_, source.n_rows, source.n_cols, locations.row, locations.col},
        bands, {first, window.n_pixels(), window.n_cols});
}

std::size_t LazyProduct::compute_at(std::int64_t row, const std::vector<std::int64_t>& cols, BandRange bands,
                                    float* values, std::int64_t value_stride,
                                    const std::function<bool()>& go_on) {
    return samples_of(*calculator_, row, cols, bands, values, value_stride, go_on);
}

std::size_t LazyProduct::samples_of(const ProductCalculator& calculator, std::int64_t row,
                                    const std::vector<std::int64_t>& cols, BandRange bands, float* values,
                                    std::int64_t value_stride, const std::function<bool()>& go_on) {
    const std::int64_t p = calculator.patch_size();
    const BandRange group = calculator.made_with(bands.first);
    const BandRange made = group.count > bands.count ? group : bands;
    const BandRange dates = calculator.dates_of(made);
    const std::int64_t n_images = dates.count * n_bands_;
    PatchStrip strip(static_cast<int>(p), n_images, cols.size());
    {
        const SeriesPool::Lease series = pool_->take();
        std::vector<float> run;
        for (std::size_t first = 0; first < cols.size();) {
            const std::size_t n = run_length(cols, first);
            const Window source = {cols[first] - p / 2, row - p / 2, cols[first + n - 1] - cols[first] + p,
                                   p};
            run.resize(static_cast<std::size_t>(source.n_pixels() * n_images));
            series->read(source, dates.first, dates.count, run.data());
            for (std::size_t i = first; i < first + n; ++i)
                strip.add(run, source.n_cols, cols[i] - cols[first]);
            first += n;
            if (!go_on()) break;
        }
    }
    const std::int64_t n_locations = strip.n_cols() - p + 1;
    std::vector<float> computed(static_cast<std::size_t>(n_locations * made.count));
    calculator.compute({strip.data(), dates.count, n_bands_, p, strip.n_cols(), 0, 0}, made,
                       {computed.data(), n_locations, n_locations});
    for (std::int64_t band = 0; band < bands.count; ++band) {
        const float* from = computed.data() + (bands.first + band - made.first) * n_locations;
        for (std::int64_t i = 0; i < strip.size(); ++i) values[band * value_stride + i] = from[i * p];
    }
    return static_cast<std::size_t>(strip.size());
}

double LazyProduct::threshold() {
    const std::lock_guard lock(threshold_mutex_);
    if (!threshold_) threshold_ = find_threshold();
    return *threshold_;
}

double LazyProduct::find_threshold() {
    if (const std::optional<double> known = known_threshold(request_)) return *known;
    const double threshold = threshold_of_scores(threshold_rule(request_), sampled_scores());
    CPLDebug("RASTERTIDE", "threshold %.9g, estimated from about %lld locations", threshold,
             static_cast<long long>(request_.n_samples));
    return threshold;
}

std::vector<float> LazyProduct::sampled_scores() {
    const double apart = std::max(
        1.0, std::sqrt(static_cast<double>(inner_.n_pixels()) / static_cast<double>(request_.n_samples)));
    const auto n_rows = std::max<std::int64_t>(1, std::llround(static_cast<double>(inner_.n_rows) / apart));
    const auto n_cols = std::max<std::int64_t>(1, std::llround(static_cast<double>(inner_.n_cols) / apart));
    std::vector<std::int64_t> cols;
    for (std::int64_t i = 0; i < n_cols; ++i)
        cols.push_back(inner_.col + (2 * i + 1) * inner_.n_cols / (2 * n_cols));
    const BandRange bands = scorer_->made_with(0);
    std::vector<float> all;
    std::vector<float> row(static_cast<std::size_t>(n_cols * bands.count));
    for (std::int64_t i = 0; i < n_rows; ++i) {
        samples_of(*scorer_, inner_.row + (2 * i + 1) * inner_.n_rows / (2 * n_rows), cols, bands, row.data(),
                   n_cols, [] { return true; });
        all.insert(all.end(), row.begin(), row.end());
    }
    return all;
}

}  // namespace rastertide::plugin
