// SPDX-License-Identifier: Apache-2.0
// Stacks, and calls of a CUDA module's functions as the library makes them. The module is linked, not opened:
// emulated in one flavour or another, or the real one.
#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/compute/lof.hpp>

#include "compute/cuda/module.hpp"
#include "compute/kernels.hpp"

extern "C" const rastertide::cuda::Module* rastertide_cuda_module();

namespace rastertide::testing_support {

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Stack {
    std::int64_t n_dates, n_bands, n_rows, n_cols;
    std::vector<float> values{};
    std::int64_t first_row = 0, first_col = 0;  ///< in the raster

    float& at(std::int64_t date, std::int64_t row, std::int64_t col, std::int64_t band = 0) {
        return values[static_cast<std::size_t>(((date * n_bands + band) * n_rows + row) * n_cols + col)];
    }
    PixelStack pixels() const { return {values.data(), n_dates, n_bands, n_rows, n_cols, first_row, first_col}; }
    /// The rows and columns from (row, col) on, so many of each.
    Stack part(std::int64_t row, std::int64_t col, std::int64_t rows, std::int64_t cols) {
        Stack cut{n_dates, n_bands, rows, cols, {}, first_row + row, first_col + col};
        for (std::int64_t date = 0; date < n_dates; ++date) {
            for (std::int64_t band = 0; band < n_bands; ++band) {
                for (std::int64_t y = row; y < row + rows; ++y) {
                    for (std::int64_t x = col; x < col + cols; ++x)
                        cut.values.push_back(at(date, y, x, band));
                }
            }
        }
        return cut;
    }
};

/// Speckle over a dark left and a bright right half.
inline Stack speckle(std::int64_t n_dates, std::int64_t n_rows, std::int64_t n_cols,
                     std::int64_t n_bands = 1) {
    Stack stack{n_dates, n_bands, n_rows, n_cols};
    std::mt19937 random(static_cast<unsigned>(7 * n_dates + n_rows));
    std::gamma_distribution<float> gamma(4.0F, 0.25F);
    for (std::int64_t i = 0; i < n_dates * n_bands * n_rows * n_cols; ++i)
        stack.values.push_back(gamma(random) * (i % n_cols < n_cols / 2 ? 1.0F : 3.0F));
    return stack;
}

/// A session of device 0, open for the whole test program.
inline cuda::Session* session() {
    static cuda::Session* const session = [] {
        cuda::Outcome outcome;
        cuda::Session* opened = rastertide_cuda_module()->open(0, outcome);
        if (opened == nullptr) throw std::runtime_error(outcome.text);
        rastertide_cuda_module()->use_threads(opened, 0);
        return opened;
    }();
    return session;
}

inline void expect_ok(const cuda::Outcome& outcome) {
    if (outcome.status != cuda::Status::Ok) throw std::runtime_error(outcome.text);
}

/// Scores of all locations, [n_dates][rows][cols], by the module.
inline std::vector<float> module_scores(const Stack& stack, const LofParams& params) {
    const std::int64_t n_rows = stack.n_rows - params.patch_size + 1,
                       n_cols = stack.n_cols - params.patch_size + 1;
    std::vector<float> scores(static_cast<std::size_t>(stack.n_dates * n_rows * n_cols), -1);
    cuda::Outcome outcome;
    rastertide_cuda_module()->lof(session(), stack.pixels(), params, {scores.data(), n_rows * n_cols, n_cols},
                                  outcome);
    expect_ok(outcome);
    return scores;
}

/// The same by the plain double-precision loops.
inline std::vector<float> reference_scores(const Stack& stack, const LofParams& params) {
    const std::int64_t n_rows = stack.n_rows - params.patch_size + 1,
                       n_cols = stack.n_cols - params.patch_size + 1;
    std::vector<float> scores(static_cast<std::size_t>(stack.n_dates * n_rows * n_cols), -1);
    reference::lof(stack.pixels(), params, {scores.data(), n_rows * n_cols, n_cols}, 1);
    return scores;
}

}  // namespace rastertide::testing_support
