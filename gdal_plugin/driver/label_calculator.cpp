// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <rastertide/core/error.hpp>

#include "driver/product_calculator.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

/// Only sums depend on it, and none are wanted.
FixedPoint fixed_point_of(const PatchCenters& centers) {
    const auto [min, max] = std::minmax_element(centers.values.begin(), centers.values.end());
    return FixedPoint::for_range(*min, *max);
}

class LabelCalculator final : public ProductCalculator {
  public:
    LabelCalculator(const LazyRequest& request, const RasterSeries& series)
        : model_(*request.model),
          fixed_(fixed_point_of(model_.centers)),
          options_(request.compute()),
          n_dates_(series.n_dates()) {
        const std::int64_t n_bands = series.n_bands() * (model_.time_features ? n_dates_ : 1);
        if (model_.centers.n_bands != n_bands) {
            throw InvalidArgument("the model's centres have " + std::to_string(model_.centers.n_bands) +
                                  " bands, the stack has " + std::to_string(n_bands) +
                                  (model_.time_features ? " over all dates" : " a date"));
        }
        layout_ =
            label_layout(model_.centers.n_clusters, model_.time_features ? DateTexts{} : date_texts(series));
        layout_.metadata = kmeans_metadata(model_.centers, model_.time_features, model_.scale);
    }

    const Product& layout() const override { return layout_; }
    int patch_size() const override { return model_.centers.patch_size; }
    BandRange made_with(std::int64_t band) const override { return {band, 1}; }
    BandRange dates_of(BandRange bands) const override {
        return model_.time_features ? BandRange{0, n_dates_} : bands;
    }

    void compute(const PixelStack& pixels, BandRange bands, const ScoreStack& values) const override {
        PixelStack samples = pixels;
        samples.n_dates = bands.count;
        samples.n_bands = model_.centers.n_bands;
        const std::int64_t n_rows = pixels.n_rows - patch_size() + 1;
        const std::int64_t n_cols = pixels.n_cols - patch_size() + 1;
        std::vector<std::uint16_t> labels(static_cast<std::size_t>(bands.count * n_rows * n_cols));
        assign_patches(samples, model_.centers, fixed_, {labels.data(), n_rows * n_cols, n_cols}, nullptr,
                       options_);
        copy_rows(labels, n_rows, n_cols, values);
    }

  private:
    KMeansModel model_;
    FixedPoint fixed_;
    ComputeOptions options_;
    std::int64_t n_dates_;
    Product layout_;
};

}  // namespace

std::unique_ptr<ProductCalculator> make_label_calculator(const LazyRequest& request,
                                                         const RasterSeries& series) {
    return std::make_unique<LabelCalculator>(request, series);
}

}  // namespace rastertide::plugin
