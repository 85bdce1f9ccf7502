// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>
#include <vector>

#include <rastertide/compute/patch_moments.hpp>
#include <rastertide/core/error.hpp>

#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

/// Which patches of one date hold no NaN in any band.
class ValidPatches {
  public:
    ValidPatches(const PixelStack& pixels, int patch_size, std::int64_t date)
        : n_rows_(pixels.n_rows - patch_size + 1),
          n_cols_(pixels.n_cols - patch_size + 1),
          valid_(static_cast<std::size_t>(n_rows_ * n_cols_)) {
        // Rows, one after another up to the newest, whose pixels [col, col + patch_size) are all valid.
        std::vector<std::int64_t> rows(static_cast<std::size_t>(n_cols_), 0);
        std::vector<std::uint8_t> nodata(static_cast<std::size_t>(pixels.n_cols));
        for (std::int64_t row = 0; row < pixels.n_rows; ++row) {
            mark_nodata(pixels, date, row, nodata);
            extend(nodata, patch_size, rows);
            const std::int64_t location_row = row - patch_size + 1;
            if (location_row < 0) continue;
            for (std::int64_t col = 0; col < n_cols_; ++col) {
                const bool valid = rows[static_cast<std::size_t>(col)] >= patch_size;
                valid_[static_cast<std::size_t>(location_row * n_cols_ + col)] = valid ? 1 : 0;
                n_ += valid ? 1 : 0;
            }
        }
    }

    std::int64_t n() const { return n_; }
    std::int64_t n_rows() const { return n_rows_; }
    std::int64_t n_cols() const { return n_cols_; }
    const std::uint8_t* row(std::int64_t row) const { return valid_.data() + row * n_cols_; }

  private:
    static void mark_nodata(const PixelStack& pixels, std::int64_t date, std::int64_t row,
                            std::vector<std::uint8_t>& nodata) {
        std::fill(nodata.begin(), nodata.end(), 0);
        for (std::int64_t band = 0; band < pixels.n_bands; ++band) {
            const float* from =
                pixels.data + ((date * pixels.n_bands + band) * pixels.n_rows + row) * pixels.n_cols;
            for (std::size_t col = 0; col < nodata.size(); ++col)
                nodata[col] |= std::isnan(from[col]) ? 1 : 0;
        }
    }

    static void extend(const std::vector<std::uint8_t>& nodata, std::int64_t patch_size,
                       std::vector<std::int64_t>& rows) {
        std::int64_t n_valid = 0;  // columns, one after another from col on
        for (auto col = static_cast<std::int64_t>(nodata.size()) - 1; col >= 0; --col) {
            n_valid = nodata[static_cast<std::size_t>(col)] != 0 ? 0 : n_valid + 1;
            if (col >= static_cast<std::int64_t>(rows.size())) continue;
            std::int64_t& n_rows = rows[static_cast<std::size_t>(col)];
            n_rows = n_valid >= patch_size ? n_rows + 1 : 0;
        }
    }

    std::int64_t n_rows_;
    std::int64_t n_cols_;
    std::vector<std::uint8_t> valid_;
    std::int64_t n_ = 0;
};

/// In how many valid patches each pixel of a row lies, row by row from the first on.
class Coverage {
  public:
    Coverage(const ValidPatches& patches, std::int64_t patch_size)
        : patches_(patches),
          patch_size_(patch_size),
          in_column_(static_cast<std::size_t>(patches.n_cols()), 0),
          counts_(static_cast<std::size_t>(patches.n_cols() + patch_size - 1)) {}

    const std::vector<std::int64_t>& next_row() {
        if (row_ < patches_.n_rows()) add(row_, 1);
        if (row_ >= patch_size_) add(row_ - patch_size_, -1);
        ++row_;
        const auto n_cols = static_cast<std::int64_t>(in_column_.size());
        std::int64_t sum = 0;
        for (std::int64_t col = 0; col < static_cast<std::int64_t>(counts_.size()); ++col) {
            if (col < n_cols) sum += in_column_[static_cast<std::size_t>(col)];
            if (col >= patch_size_) sum -= in_column_[static_cast<std::size_t>(col - patch_size_)];
            counts_[static_cast<std::size_t>(col)] = sum;
        }
        return counts_;
    }

  private:
    void add(std::int64_t row, std::int64_t sign) {
        const std::uint8_t* valid = patches_.row(row);
        for (std::size_t col = 0; col < in_column_.size(); ++col) in_column_[col] += sign * valid[col];
    }

    const ValidPatches& patches_;
    std::int64_t patch_size_;
    std::vector<std::int64_t> in_column_;  // valid patches of the last patch_size rows that begin there
    std::vector<std::int64_t> counts_;
    std::int64_t row_ = 0;
};

void check_tile(const PixelStack& pixels, int patch_size) {
    LofParams{patch_size, 1}.validate();
    if (pixels.n_rows >= patch_size && pixels.n_cols >= patch_size) return;
    throw InvalidArgument("a tile of " + std::to_string(pixels.n_cols) + " x " +
                          std::to_string(pixels.n_rows) + " pixels holds no patch of " +
                          std::to_string(patch_size));
}

SquareSum date_squares(const PixelStack& pixels, std::int64_t date, const FixedPoint& fixed,
                       const ValidPatches& patches, int patch_size) {
    SquareSum squares;
    Coverage coverage(patches, patch_size);
    for (std::int64_t row = 0; row < pixels.n_rows; ++row) {
        const std::vector<std::int64_t>& counts = coverage.next_row();
        for (std::int64_t band = 0; band < pixels.n_bands; ++band) {
            const float* from =
                pixels.data + ((date * pixels.n_bands + band) * pixels.n_rows + row) * pixels.n_cols;
            for (std::size_t col = 0; col < counts.size(); ++col) {
                if (counts[col] > 0) squares.add(fixed.to_integer(from[col]), counts[col]);
                if (col % SquareSum::kMostAdditions == 0) squares.carry();
            }
            squares.carry();
        }
    }
    return squares;
}

}  // namespace

std::int64_t add_patch_squares(const PixelStack& pixels, int patch_size, const FixedPoint& fixed,
                               SquareSum& squares, int n_threads) {
    check_tile(pixels, patch_size);
    std::int64_t n_patches = 0;
    std::mutex mutex;
    parallel_for(pixels.n_dates, n_threads, [&](std::int64_t date) {
        const ValidPatches patches(pixels, patch_size, date);
        const SquareSum of_date = date_squares(pixels, date, fixed, patches, patch_size);
        const std::scoped_lock lock(mutex);
        squares.merge(of_date);
        n_patches += patches.n();
    });
    return n_patches;
}

}  // namespace rastertide
