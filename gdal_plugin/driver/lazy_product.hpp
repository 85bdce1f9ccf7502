// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "driver/product_calculator.hpp"
#include "driver/series_pool.hpp"

namespace rastertide::plugin {

/// A product of a stack, computed where it is asked for. Threads may call it at once.
class LazyProduct {
  public:
    /// Opens the stack. @throws Error
    explicit LazyProduct(LazyRequest request);

    const LazyRequest& request() const { return request_; }
    const Grid& grid() const { return grid_; }
    const std::vector<std::string>& files() const { return files_; }
    /// With the metadata of its parameters.
    const Product& layout() const { return layout_; }
    /// Locations whose patch lies inside the raster.
    const Window& inner() const { return inner_; }
    /// Pixels that a window needs beside those of its own, in each direction.
    std::int64_t halo() const { return calculator_->patch_size() - 1; }
    BandRange made_with(std::int64_t band) const { return calculator_->made_with(band); }
    /// Those that are made with all of these, and between. @param bands  GDAL's numbers
    BandRange made_with(const std::vector<int>& bands) const;
    /// Memory that compute() takes for each pixel of a window with its halo.
    std::int64_t bytes_per_location(BandRange bands) const;

    /// @param bands   whole groups, as of made_with()
    /// @param window  inside the raster
    /// @param values  out: [bands][window.n_rows][window.n_cols], nodata outside inner()
    void compute(const Window& window, BandRange bands, float* values);

    /// Locations apart from each other, in one row and in ascending order, all in inner().
    /// @param go_on   asked after each reading; false: what is read is computed, and that is all
    /// @param values  out: [bands][value_stride], of which the first so many are set
    /// @return  how many, one at least
    std::size_t compute_at(std::int64_t row, const std::vector<std::int64_t>& cols, BandRange bands,
                           float* values, std::int64_t value_stride, const std::function<bool()>& go_on);

    /// Lets go of the stack's files until they are read again.
    void release() { pool_->clear(); }

    /// The score above which a patch is anomalous, found at the first call.
    double threshold();

  private:
    double find_threshold();
    std::size_t samples_of(const ProductCalculator& calculator, std::int64_t row,
                           const std::vector<std::int64_t>& cols, BandRange bands, float* values,
                           std::int64_t value_stride, const std::function<bool()>& go_on);
    std::vector<float> sampled_scores();

    LazyRequest request_;
    std::optional<SeriesPool> pool_;
    Grid grid_;
    std::int64_t n_bands_ = 0;  ///< of a date
    std::vector<std::string> files_;
    std::unique_ptr<ProductCalculator> calculator_;
    std::unique_ptr<ProductCalculator> scorer_;  ///< for thresholds; null: not LOF
    Product layout_;
    Window inner_;
    std::mutex threshold_mutex_;
    std::optional<double> threshold_;
};

}  // namespace rastertide::plugin
