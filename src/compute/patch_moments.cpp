// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rastertide/compute/patch_moments.hpp>
#include <rastertide/core/error.hpp>

#include "core/parallel_for.hpp"

namespace rastertide {
namespace {

/// Valid patches of one row of locations, side by side: columns [first, end).
struct Run {
    std::int64_t first, end;
    bool operator==(const Run&) const = default;
};

bool holds_nodata(const PixelStack& pixels, std::int64_t date) {
    const std::int64_t n = pixels.n_bands * pixels.n_rows * pixels.n_cols;
    const float* values = pixels.data + date * n;
    bool found = false;
    for (std::int64_t i = 0; i < n; ++i) found |= std::isnan(values[i]);
    return found;
}

/// Which patches of one date hold no NaN in any band.
class ValidPatches {
  public:
    ValidPatches(const PixelStack& pixels, int patch_size, std::int64_t date)
        : n_rows_(pixels.n_rows - patch_size + 1), n_cols_(pixels.n_cols - patch_size + 1) {
        if (holds_nodata(pixels, date)) {
            find_runs(pixels, patch_size, date);
        } else {
            runs_ = {{0, n_cols_}};
            n_ = n_rows_ * n_cols_;
        }
    }

    std::int64_t n() const { return n_; }
    std::int64_t n_rows() const { return n_rows_; }
    /// None outside the locations.
    std::span<const Run> row(std::int64_t row) const {
        if (row < 0 || row >= n_rows_) return {};
        if (row_ends_.empty()) return runs_;
        const std::size_t first = row == 0 ? 0 : row_ends_[static_cast<std::size_t>(row - 1)];
        return std::span(runs_).subspan(first, row_ends_[static_cast<std::size_t>(row)] - first);
    }

  private:
    void find_runs(const PixelStack& pixels, int patch_size, std::int64_t date) {
        // Rows, one after another up to the newest, whose pixels [col, col + patch_size) are all valid.
        std::vector<std::int64_t> rows(static_cast<std::size_t>(n_cols_), 0);
        std::vector<std::uint8_t> nodata(static_cast<std::size_t>(pixels.n_cols));
        for (std::int64_t row = 0; row < pixels.n_rows; ++row) {
            mark_nodata(pixels, date, row, nodata);
            extend(nodata, patch_size, rows);
            if (row >= patch_size - 1) add_row(rows, patch_size);
        }
    }

    void add_row(const std::vector<std::int64_t>& rows, int patch_size) {
        bool in_run = false;
        for (std::int64_t col = 0; col < n_cols_; ++col) {
            const bool valid = rows[static_cast<std::size_t>(col)] >= patch_size;
            if (valid && !in_run) runs_.push_back({col, col});
            if (valid) runs_.back().end = col + 1;
            in_run = valid;
            n_ += valid ? 1 : 0;
        }
        row_ends_.push_back(runs_.size());
    }

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
    std::vector<Run> runs_;
    std::vector<std::size_t> row_ends_;  ///< of runs_, by row; empty: the one run is that of every row
    std::int64_t n_ = 0;
};

/// In how many valid patches each pixel of a row lies, row by row from the first on.
class Coverage {
  public:
    Coverage(const ValidPatches& patches, std::int64_t patch_size, std::int64_t n_cols)
        : patches_(patches),
          patch_size_(patch_size),
          steps_(static_cast<std::size_t>(n_cols) + 2, 0),
          counts_(static_cast<std::size_t>(n_cols), 0) {}

    const std::vector<std::int64_t>& next_row() {
        const std::span<const Run> entered = patches_.row(row_), left = patches_.row(row_ - patch_size_);
        ++row_;
        if (std::ranges::equal(entered, left)) return counts_;
        for (const Run& run : entered) add(run, 1);
        for (const Run& run : left) add(run, -1);
        std::int64_t slope = 0, count = 0;
        for (std::size_t col = 0; col < counts_.size(); ++col) {
            slope += steps_[col];
            count += slope;
            counts_[col] = count;
        }
        return counts_;
    }

  private:
    /// A run covers its first columns one by one more often, and those past its end one by one less.
    void add(const Run& run, std::int64_t n) {
        const auto first = static_cast<std::size_t>(run.first), end = static_cast<std::size_t>(run.end);
        const auto width = static_cast<std::size_t>(patch_size_);
        steps_[first] += n;
        steps_[end] -= n;
        steps_[first + width] -= n;
        steps_[end + width] += n;
    }

    const ValidPatches& patches_;
    std::int64_t patch_size_;
    std::vector<std::int64_t> steps_;  ///< of the counts' steps, from column to column
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

/// FixedPoint::to_integer() of a row; 0 for NaN.
void to_integers(const FixedPoint& fixed, const float* pixels, std::vector<std::int64_t>& integers) {
    const double scale = fixed.scale(), offset = fixed.offset;
    const auto most = static_cast<double>(fixed.max_magnitude());
    // Beside 1.5 * 2^52 a double has whole digits only: the sum is rounded, to even, and its lowest bits are
    // the integer.
    constexpr double kBeside = 0x1.8p52;
    for (std::size_t i = 0; i < integers.size(); ++i) {
        const double scaled = (static_cast<double>(pixels[i]) - offset) * scale;
        const double cut = scaled < -most ? -most : (scaled > most ? most : scaled);
        const std::int64_t integer =
            std::bit_cast<std::int64_t>(cut + kBeside) - std::bit_cast<std::int64_t>(kBeside);
        integers[i] = std::isnan(scaled) ? 0 : integer;
    }
}

/// The moments of valid patches, date by date.
class DateMoments {
  public:
    SquareSum squares;
    PatchSums sums;

    DateMoments(const PixelStack& pixels, int patch_size, const FixedPoint& fixed)
        : sums(1, pixels.n_bands * patch_size * patch_size),
          pixels_(pixels),
          patch_size_(patch_size),
          fixed_(fixed),
          integers_(static_cast<std::size_t>(pixels.n_cols)),
          prefixes_(static_cast<std::size_t>(pixels.n_cols) + 1, 0) {}

    void add(std::int64_t date) {
        const ValidPatches patches(pixels_, static_cast<int>(patch_size_), date);
        sums.count(0) += patches.n();
        Coverage coverage(patches, patch_size_, pixels_.n_cols);
        for (std::int64_t row = 0; row < pixels_.n_rows; ++row) {
            const std::vector<std::int64_t>& counts = coverage.next_row();
            for (std::int64_t band = 0; band < pixels_.n_bands; ++band) {
                const std::int64_t image_row = (date * pixels_.n_bands + band) * pixels_.n_rows + row;
                to_integers(fixed_, pixels_.data + image_row * pixels_.n_cols, integers_);
                squares.add(integers_, counts);
                std::inclusive_scan(integers_.begin(), integers_.end(), prefixes_.begin() + 1);
                for (std::int64_t dy = 0; dy < patch_size_; ++dy)
                    add_line(patches.row(row - dy), band * patch_size_ + dy);
            }
        }
    }

  private:
    /// The newest row of pixels, as row `line` of the patches of a row of locations.
    void add_line(std::span<const Run> runs, std::int64_t line) {
        std::int64_t* to = sums.sums(0).data() + line * patch_size_;
        for (const Run& run : runs) {
            for (std::int64_t dx = 0; dx < patch_size_; ++dx) {
                to[dx] += prefixes_[static_cast<std::size_t>(run.end + dx)] -
                          prefixes_[static_cast<std::size_t>(run.first + dx)];
            }
        }
    }

    const PixelStack& pixels_;
    std::int64_t patch_size_;
    const FixedPoint& fixed_;
    std::vector<std::int64_t> integers_;
    std::vector<std::int64_t> prefixes_;
};

}  // namespace

void add_patch_moments(const PixelStack& pixels, int patch_size, const FixedPoint& fixed, SquareSum& squares,
                       PatchSums& sums, int n_threads) {
    check_tile(pixels, patch_size);
    std::mutex mutex;
    parallel_for(pixels.n_dates, n_threads, [&](std::int64_t date) {
        DateMoments moments(pixels, patch_size, fixed);
        moments.add(date);
        const std::scoped_lock lock(mutex);
        squares.merge(moments.squares);
        sums.merge(moments.sums);
    });
}

}  // namespace rastertide
