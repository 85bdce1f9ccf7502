// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <vector>

#include "anomaly_buffers.hpp"
#include "driver/product_calculator.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

class LofCalculator : public ProductCalculator {
  public:
    LofCalculator(const LazyRequest& request, const RasterSeries& series)
        : params_(request.lof), options_(request.compute()), n_dates_(series.n_dates()) {
        params_.validate(n_dates_);
        layout_ =
            lof_layout(SampleType::Float32, std::numeric_limits<double>::quiet_NaN(), date_texts(series));
    }

    const Product& layout() const override { return layout_; }
    int patch_size() const override { return params_.patch_size; }
    BandRange made_with(std::int64_t) const override {
        return {0, static_cast<std::int64_t>(layout_.bands.size())};
    }
    BandRange dates_of(BandRange) const override { return {0, n_dates_}; }
    void compute(const PixelStack& pixels, BandRange, const ScoreStack& values) const override {
        lof(pixels, params_, values, options_);
    }

  protected:
    LofParams params_;
    ComputeOptions options_;
    std::int64_t n_dates_;
    Product layout_;
};

/// What is made from the scores of all dates.
class ReducedCalculator final : public LofCalculator {
  public:
    ReducedCalculator(const LazyRequest& request, const RasterSeries& series, ThresholdFn threshold)
        : LofCalculator(request, series), threshold_(std::move(threshold)) {
        const std::string& name = request.product;
        const double nan = std::numeric_limits<double>::quiet_NaN();
        if (name == kAnomalyProduct) {
            layout_ = anomaly_layout(date_texts(series));
        } else if (name == kCountProduct) {
            layout_ = anomaly_count_layout();
        } else if (name == kMaxProduct) {
            layout_ = lof_max_layout(SampleType::Float32, nan);
        } else {
            layout_ = lof_max_date_layout(date_texts(series));
        }
        needs_threshold_ = name == kAnomalyProduct || name == kCountProduct;
    }

    void compute(const PixelStack& pixels, BandRange, const ScoreStack& values) const override {
        const std::int64_t n_rows = pixels.n_rows - params_.patch_size + 1;
        const std::int64_t n_cols = pixels.n_cols - params_.patch_size + 1;
        const std::int64_t n_pixels = n_rows * n_cols;
        std::vector<float> scores(static_cast<std::size_t>(n_pixels * n_dates_));
        lof(pixels, params_, {scores.data(), n_pixels, n_cols}, options_);
        const double threshold = needs_threshold_ ? threshold_() : 0;
        const AnomalyBuffers made(scores.data(), n_dates_, n_pixels, threshold, options_.n_threads);
        if (layout_.name == kAnomalyProduct) return copy_rows(made.mask, n_rows, n_cols, values);
        if (layout_.name == kMaxProduct) return copy_rows(made.max_score, n_rows, n_cols, values);
        copy_rows(layout_.name == kCountProduct ? made.count : made.max_date, n_rows, n_cols, values);
    }

  private:
    ThresholdFn threshold_;
    bool needs_threshold_ = false;
};

}  // namespace

std::unique_ptr<ProductCalculator> make_score_calculator(const LazyRequest& request,
                                                         const RasterSeries& series) {
    return std::make_unique<LofCalculator>(request, series);
}

std::unique_ptr<ProductCalculator> make_lof_calculator(const LazyRequest& request, const RasterSeries& series,
                                                       ThresholdFn threshold) {
    if (request.product == kLofProduct) return make_score_calculator(request, series);
    return std::make_unique<ReducedCalculator>(request, series, std::move(threshold));
}

}  // namespace rastertide::plugin
