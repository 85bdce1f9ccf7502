// SPDX-License-Identifier: Apache-2.0
// Every kernel, declared once for every backend. dispatch.cpp picks; arguments are validated before they come here.
#pragma once

#include <cstdint>

#include <rastertide/compute/lof.hpp>

namespace rastertide {

namespace reference {
void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads);
}  // namespace reference

namespace cpu {
void lof(const PixelStack& pixels, const LofParams& params, const ScoreStack& scores, int n_threads);
std::int64_t lof_scratch_bytes(std::int64_t n_dates, std::int64_t n_bands, const LofParams& params, int n_threads);
}  // namespace cpu

}  // namespace rastertide
