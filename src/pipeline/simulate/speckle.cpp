// SPDX-License-Identifier: Apache-2.0
#include "pipeline/simulate/speckle.hpp"

#include <bit>
#include <cmath>
#include <numbers>

#include "core/counter_random.hpp"

namespace rastertide {
namespace {

constexpr int kMaxSummedLooks = 32;
constexpr int kWordsPerCounter = 4;

/// -ln(x) for normal floats x in (0, 1], within 2e-7 of the result: libm's logf is a call that loops cannot
/// vectorise over. x = m 2^e with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)).
inline float negative_log(float x) {
    constexpr std::int32_t kSqrtHalfBits = 0x3F3504F3;
    const std::int32_t bits = std::bit_cast<std::int32_t>(x) - kSqrtHalfBits;
    const std::int32_t exponent = bits >> 23;
    const float m = std::bit_cast<float>((bits & 0x007FFFFF) + kSqrtHalfBits);
    const float s = (m - 1.0F) / (m + 1.0F);
    const float s2 = s * s;
    // Terms of the series until the next one, s^10 / 11 with |s| <= 0.172, is below a float's last bit.
    const float series =
        1.0F + s2 * (1.0F / 3.0F + s2 * (1.0F / 5.0F + s2 * (1.0F / 7.0F + s2 * (1.0F / 9.0F))));
    return -(static_cast<float>(exponent) * std::numbers::ln2_v<float> + 2.0F * s * series);
}

/// A counter's position words: the same for every draw of a pixel.
struct RowPosition {
    std::uint64_t seed;
    std::uint32_t date;
    std::uint32_t row;
    std::uint32_t first_col;

    RandomWords words(std::int64_t i, std::uint32_t draw) const {
        return philox(seed, {first_col + static_cast<std::uint32_t>(i), row, date,
                             stream_word(RandomStream::Speckle, draw)});
    }
};

/// Adds scale times the sum of n_exponentials standard exponentials, made of the counter of `draw`. The
/// logarithm of a product saves logarithms; four factors of at least 2^-24 stay normal floats.
template <int n_exponentials>
void add_exponentials(const RowPosition& position, std::uint32_t draw, float scale, std::int64_t n,
                      float* out) {
    for (std::int64_t i = 0; i < n; ++i) {
        const RandomWords words = position.words(i, draw);
        float product = unit_float(words.a);
        if constexpr (n_exponentials > 1) product *= unit_float(words.b);
        if constexpr (n_exponentials > 2) product *= unit_float(words.c);
        if constexpr (n_exponentials > 3) product *= unit_float(words.d);
        out[i] += scale * negative_log(product);
    }
}

void fill_whole_looks(const RowPosition& position, int looks, std::int64_t n, float* out) {
    const float scale = 1.0F / static_cast<float>(looks);
    for (std::int64_t i = 0; i < n; ++i) out[i] = 0;
    std::uint32_t draw = 0;
    int remaining = looks;
    for (; remaining >= kWordsPerCounter; remaining -= kWordsPerCounter) {
        add_exponentials<kWordsPerCounter>(position, draw++, scale, n, out);
    }
    if (remaining == 3) add_exponentials<3>(position, draw, scale, n, out);
    if (remaining == 2) add_exponentials<2>(position, draw, scale, n, out);
    if (remaining == 1) add_exponentials<1>(position, draw, scale, n, out);
}

/// Gamma of the given shape and scale 1, by rejection: the draws of a pixel are its own, however many it
/// takes.
double draw_gamma(const RowPosition& position, std::int64_t i, double shape) {
    // A shape below 1 is that of shape + 1 times U^(1 / shape) (Marsaglia and Tsang, section 6).
    const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (std::uint32_t draw = 0;; ++draw) {
        const RandomWords words = position.words(i, draw);
        const double normal = std::sqrt(-2.0 * std::log(unit_double(words.a))) *
                              std::cos(2.0 * std::numbers::pi * unit_double(words.b));
        const double root = 1.0 + c * normal;
        if (root <= 0) continue;
        const double v = root * root * root;
        const double bound = 0.5 * normal * normal + d - d * v + d * std::log(v);
        if (std::log(unit_double(words.c)) >= bound) continue;
        return d * v * (shape < 1 ? std::pow(unit_double(words.d), 1.0 / shape) : 1.0);
    }
}

}  // namespace

void fill_speckle(std::uint64_t seed, std::int64_t date, std::int64_t row, std::int64_t first_col,
                  std::int64_t n_cols, double looks, float* out) {
    const RowPosition position{seed, static_cast<std::uint32_t>(date), static_cast<std::uint32_t>(row),
                               static_cast<std::uint32_t>(first_col)};
    if (looks <= kMaxSummedLooks && looks == std::floor(looks)) {
        fill_whole_looks(position, static_cast<int>(looks), n_cols, out);
        return;
    }
    for (std::int64_t i = 0; i < n_cols; ++i) {
        out[i] = static_cast<float>(draw_gamma(position, i, looks) / looks);
    }
}

}  // namespace rastertide
