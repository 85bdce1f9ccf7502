// SPDX-License-Identifier: Apache-2.0
// One product from pixels: what the driver computes, without where from and what for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <rastertide/compute/lof.hpp>
#include <rastertide/write/mosaic.hpp>

#include "driver/lazy_request.hpp"

namespace rastertide::plugin {

/// Bands of a product, from 0.
struct BandRange {
    std::int64_t first = 0;
    std::int64_t count = 0;

    bool contains(std::int64_t band) const { return band >= first && band < first + count; }
};

class ProductCalculator {
  public:
    virtual ~ProductCalculator() = default;
    /// Names, types and legends, and metadata but for the threshold.
    virtual const Product& layout() const = 0;
    virtual int patch_size() const = 0;
    /// The bands that cost as much as one of them.
    virtual BandRange made_with(std::int64_t band) const = 0;
    /// The dates that these bands are made from.
    virtual BandRange dates_of(BandRange bands) const = 0;
    /// @param pixels  [dates_of(bands)] with its halo
    /// @param values  out: [bands] x locations, nodata as in layout()
    virtual void compute(const PixelStack& pixels, BandRange bands, const ScoreStack& values) const = 0;
};

/// Into the floats that all products are computed as. @param from  [bands][n_rows][n_cols]
template <class T>
void copy_rows(const std::vector<T>& from, std::int64_t n_rows, std::int64_t n_cols, const ScoreStack& to) {
    const T* value = from.data();
    for (std::int64_t band = 0; value != from.data() + from.size(); ++band) {
        for (std::int64_t row = 0; row < n_rows; ++row, value += n_cols)
            std::copy_n(value, n_cols, to.data + band * to.date_stride + row * to.row_stride);
    }
}

/// The score above which a patch is anomalous. May take a while at its first call.
using ThresholdFn = std::function<double()>;

/// A product of LOF. @param threshold  asked when it is needed first
/// @throws InvalidArgument  the stack is not one that the product can be made of
std::unique_ptr<ProductCalculator> make_lof_calculator(const LazyRequest& request, const RasterSeries& series,
                                                       ThresholdFn threshold);
/// Scores alone, whatever the product.
std::unique_ptr<ProductCalculator> make_score_calculator(const LazyRequest& request,
                                                         const RasterSeries& series);
/// Labels. Errors as above.
std::unique_ptr<ProductCalculator> make_label_calculator(const LazyRequest& request,
                                                         const RasterSeries& series);

}  // namespace rastertide::plugin
