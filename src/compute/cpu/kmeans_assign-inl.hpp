// SPDX-License-Identifier: Apache-2.0
// The nearest centre by float scores: the correlation of the image with every centre, held in registers.
//
// Lanes are neighbouring columns: a vector of pixels, loaded once at each column of the patch, meets a
// broadcast coefficient of each centre. Every lane adds up its own patch in one fixed order.

#if defined(RASTERTIDE_KMEANS_ASSIGN_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RASTERTIDE_KMEANS_ASSIGN_INL_HPP
#undef RASTERTIDE_KMEANS_ASSIGN_INL_HPP
#else
#define RASTERTIDE_KMEANS_ASSIGN_INL_HPP
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <hwy/highway.h>

#include "compute/cpu/kmeans_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace rastertide::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using KF = hn::CappedTag<float, 16>;
using KU = hn::RebindToUnsigned<KF>;
inline constexpr KF kPixel{};
inline constexpr KU kLabel{};
inline constexpr std::int64_t kCols = static_cast<std::int64_t>(hn::MaxLanes(kPixel));

using KS = hn::CappedTag<double, 8>;
inline constexpr KS kScaled{};
inline constexpr std::int64_t kSumStep = static_cast<std::int64_t>(hn::MaxLanes(kScaled));

using KI64 = hn::RebindToSigned<KS>;
inline constexpr KI64 kInteger{};

/// FixedPoint::to_integer() of kSumStep pixels; 0 for NaN: a patch that holds one is in no run of labels.
HWY_INLINE hn::Vec<KI64> to_integers_of(const KMeansPlan& plan, const float* pixels) {
    const auto most = hn::Set(kScaled, static_cast<double>(plan.fixed.max_magnitude()));
    const auto value = hn::PromoteTo(kScaled, hn::LoadU(hn::Rebind<float, KS>(), pixels));
    const auto scaled =
        hn::Mul(hn::Sub(value, hn::Set(kScaled, plan.fixed.offset)), hn::Set(kScaled, plan.scale));
    const auto cut = hn::Max(hn::Min(scaled, most), hn::Neg(most));
    // Beside 1.5 * 2^52 a double has whole digits only: the sum is rounded, to even, and its lowest bits are
    // the integer.
    const auto beside = hn::Set(kScaled, 0x1.8p52);
    const auto integers = hn::Sub(hn::BitCast(kInteger, hn::Add(cut, beside)), hn::BitCast(kInteger, beside));
    return hn::IfThenElseZero(hn::RebindMask(kInteger, hn::Eq(value, value)), integers);
}

/// The image rows under one row of patches: a ring that a new row enters at a time.
class PatchLines {
  public:
    HWY_INLINE PatchLines(const KMeansPlan& plan, const KMeansScratch& scratch)
        : plan_(plan),
          scratch_(scratch),
          raw_(static_cast<std::size_t>(plan.row_lines)),
          raw_lines_(static_cast<std::size_t>(plan.row_lines)),
          summed_(static_cast<std::size_t>(plan.row_lines)),
          pixels_(static_cast<std::size_t>(plan.row_lines)),
          prefixes_(static_cast<std::size_t>(plan.row_lines)) {}

    /// Takes in one image row of all bands: pixels relative to the offset, and, if all patches are summed,
    /// the prefix sums of their integers.
    HWY_INLINE void add_row(const PixelStack& pixels, const KMeansBlock& block, std::int64_t row) {
        newest_ = (newest_ + 1) % plan_.patch;
        n_raw_ = block.n_cols + plan_.patch - 1;
        for (std::int64_t band = 0; band < plan_.n_bands; ++band) {
            const std::int64_t image_row = (block.date * plan_.n_bands + band) * pixels.n_rows + row;
            const std::int64_t place = newest_ * plan_.n_bands + band;
            raw_[static_cast<std::size_t>(place)] = pixels.data + image_row * pixels.n_cols + block.first_col;
            summed_[static_cast<std::size_t>(place)] = plan_.sums == KMeansSums::All;
            add_line(place);
        }
        // The oldest row of pixels follows the newest in the ring.
        std::int64_t place = (newest_ + 1) % plan_.patch * plan_.n_bands;
        for (std::size_t line = 0; line < pixels_.size(); ++line) {
            pixels_[line] = scratch_.pixels + place * plan_.line_floats;
            prefixes_[line] = scratch_.prefixes + place * plan_.line_floats;
            raw_lines_[line] = raw_[static_cast<std::size_t>(place)];
            if (++place == plan_.row_lines) place = 0;
        }
    }

    /// Sums the lines that are not summed yet.
    HWY_INLINE void sum_lines() {
        for (std::int64_t place = 0; place < plan_.row_lines; ++place) {
            if (summed_[static_cast<std::size_t>(place)] != 0) continue;
            load_line(place, scratch_.raw_pixels);
            sum_line(place, scratch_.raw_pixels);
            summed_[static_cast<std::size_t>(place)] = 1;
        }
    }

    /// [row_lines]: row line / n_bands, band line % n_bands of the patches whose last row is the newest.
    const float* const* pixels() const { return pixels_.data(); }
    const std::int64_t* const* prefixes() const { return prefixes_.data(); }
    /// The same line in the image itself.
    const float* const* raw() const { return raw_lines_.data(); }

  private:
    HWY_INLINE void load_line(std::int64_t place, float* pixels) const {
        std::copy_n(raw_[static_cast<std::size_t>(place)], n_raw_, pixels);
        std::fill(pixels + n_raw_, pixels + plan_.line_floats, std::numeric_limits<float>::quiet_NaN());
    }

    HWY_INLINE void add_line(std::int64_t place) const {
        float* pixels = scratch_.pixels + place * plan_.line_floats;
        const float* from = raw_[static_cast<std::size_t>(place)];
        if (plan_.sums == KMeansSums::All) {
            load_line(place, pixels);
            sum_line(place, pixels);
            from = pixels;
        }
        const auto offset = hn::Set(kPixel, plan_.offset);
        std::int64_t col = 0;
        for (; col + kCols <= n_raw_; col += kCols) {
            hn::Store(hn::Sub(hn::LoadU(kPixel, from + col), offset), kPixel, pixels + col);
        }
        for (; col < n_raw_; ++col) pixels[col] = from[col] - plan_.offset;
        std::fill(pixels + n_raw_, pixels + plan_.line_floats, std::numeric_limits<float>::quiet_NaN());
    }

    HWY_INLINE void sum_line(std::int64_t place, const float* pixels) const {
        const std::int64_t band = place % plan_.n_bands;
        std::int64_t* integers = scratch_.integers + (plan_.want_integers() ? band * plan_.line_floats : 0);
        for (std::int64_t col = 0; col < plan_.line_floats; col += kCols) {
            to_integers(pixels + col, integers + col);
        }
        if (!plan_.want_prefixes()) return;
        std::int64_t* prefixes = scratch_.prefixes + place * plan_.line_floats;
        std::int64_t sum = 0;
        for (std::int64_t col = 0; col < plan_.line_floats; ++col) {
            prefixes[col] = sum;
            sum += integers[col];
        }
    }

    HWY_INLINE void to_integers(const float* pixels, std::int64_t* integers) const {
        for (std::int64_t i = 0; i < kCols; i += kSumStep)
            hn::StoreU(to_integers_of(plan_, pixels + i), kInteger, integers + i);
    }

    const KMeansPlan& plan_;
    const KMeansScratch& scratch_;
    std::int64_t newest_ = -1;
    std::int64_t n_raw_ = 0;         // pixels of an image row that the block's patches hold
    std::vector<const float*> raw_;  // by place in the ring
    std::vector<const float*> raw_lines_;
    std::vector<std::uint8_t> summed_;  // by place in the ring
    std::vector<const float*> pixels_;
    std::vector<const std::int64_t*> prefixes_;
};

/// Centres correlated at once: two vectors of columns each, and there are 32 or 16 registers.
inline constexpr std::int64_t kMaxGroup = HWY_CAP_GE512 ? 12 : 6;

/// Two vectors of columns, and the nearest centre so far.
struct Nearest {
    hn::Vec<KF> best_0, best_1;      ///< lowest scores
    hn::Vec<KF> second_0, second_1;  ///< next ones; may be equal
    hn::Vec<KU> label_0, label_1;

    /// @tparam kInOrder  centres come by label: the first of several at one distance is kept as it is
    template <bool kInOrder>
    HWY_INLINE void offer(const hn::Vec<KF> score_0, const hn::Vec<KF> score_1, std::uint32_t label) {
        const auto value = hn::Set(kLabel, label);
        const auto nearer_0 = is_nearer<kInOrder>(score_0, best_0, value, label_0);
        const auto nearer_1 = is_nearer<kInOrder>(score_1, best_1, value, label_1);
        second_0 = hn::Min(second_0, hn::Max(best_0, score_0));
        second_1 = hn::Min(second_1, hn::Max(best_1, score_1));
        label_0 = hn::IfThenElse(hn::RebindMask(kLabel, nearer_0), value, label_0);
        label_1 = hn::IfThenElse(hn::RebindMask(kLabel, nearer_1), value, label_1);
        best_0 = hn::IfThenElse(nearer_0, score_0, best_0);
        best_1 = hn::IfThenElse(nearer_1, score_1, best_1);
    }

  private:
    /// False for NaN: the label stays 0.
    template <bool kInOrder>
    static HWY_INLINE hn::Mask<KF> is_nearer(const hn::Vec<KF> score, const hn::Vec<KF> best,
                                             const hn::Vec<KU> value, const hn::Vec<KU> label) {
        if constexpr (kInOrder) return hn::Lt(score, best);
        const auto lower = hn::RebindMask(kPixel, hn::Lt(value, label));
        return hn::Or(hn::Lt(score, best), hn::And(hn::Eq(score, best), lower));
    }
};

/// Which scores find_nearest() keeps, and in which order it is given the centres.
enum class Offer { InOrder, InOrderKept, AnyOrder };

/// Offers the centres [first, first + kGroup) to the patches of 2 kCols columns from `col` on.
/// @param scores  with InOrderKept: [n_clusters][2 kCols], out
template <int kGroup, Offer kOffer>
HWY_INLINE void offer_group(const KMeansPlan& plan, const CenterTable& centers, const float* const* lines,
                            std::int64_t col, std::int64_t first, Nearest& nearest, float* scores) {
    const float* coefficients = centers.coefficients.data() + first;
    const float* half_norms = centers.half_norms.data() + first;
    hn::Vec<KF> sums_0[kGroup], sums_1[kGroup];
#pragma GCC unroll 16
    for (int k = 0; k < kGroup; ++k) sums_0[k] = sums_1[k] = hn::Set(kPixel, half_norms[k]);
    for (std::int64_t line = 0; line < plan.row_lines; ++line) {
        const float* pixels = lines[line] + col;
        for (std::int64_t dx = 0; dx < plan.patch; ++dx, coefficients += plan.n_clusters) {
            const auto pixels_0 = hn::LoadU(kPixel, pixels + dx);
            const auto pixels_1 = hn::LoadU(kPixel, pixels + dx + kCols);
#pragma GCC unroll 16
            for (int k = 0; k < kGroup; ++k) {
                const auto coefficient = hn::Set(kPixel, coefficients[k]);
                sums_0[k] = hn::NegMulAdd(coefficient, pixels_0, sums_0[k]);
                sums_1[k] = hn::NegMulAdd(coefficient, pixels_1, sums_1[k]);
            }
        }
    }
    const std::uint32_t* labels = centers.labels.data() + first;
#pragma GCC unroll 16
    for (int k = 0; k < kGroup; ++k) {
        nearest.offer<kOffer != Offer::AnyOrder>(sums_0[k], sums_1[k], labels[k]);
        if constexpr (kOffer == Offer::InOrderKept) {
            hn::StoreU(sums_0[k], kPixel, scores + (first + k) * 2 * kCols);
            hn::StoreU(sums_1[k], kPixel, scores + (first + k) * 2 * kCols + kCols);
        }
    }
}

/// offer_group() for a number of centres that is known when the program runs.
template <int kGroup, Offer kOffer>
HWY_INLINE void offer_centers(const KMeansPlan& plan, const CenterTable& centers, const float* const* lines,
                              std::int64_t col, std::int64_t first, std::int64_t n, Nearest& nearest,
                              float* scores) {
    if constexpr (kGroup > 0) {
        if (n == kGroup) {
            return offer_group<kGroup, kOffer>(plan, centers, lines, col, first, nearest, scores);
        }
        offer_centers<kGroup - 1, kOffer>(plan, centers, lines, col, first, n, nearest, scores);
    }
}

/// The nearest of the centres [begin, end) to the patches of 2 kCols columns from `col` on.
template <Offer kOffer>
HWY_INLINE Nearest find_nearest(const KMeansPlan& plan, const CenterTable& centers, std::int64_t begin,
                                std::int64_t end, const float* const* lines, std::int64_t col,
                                float* scores) {
    const std::int64_t n_centers = end - begin;
    const auto far = hn::Set(kPixel, std::numeric_limits<float>::infinity());
    Nearest nearest{far, far, far, far, hn::Zero(kLabel), hn::Zero(kLabel)};
    if (n_centers <= kMaxGroup) {  // without divisions, which cost as much as a centre
        offer_centers<kMaxGroup, kOffer>(plan, centers, lines, col, begin, n_centers, nearest, scores);
        return nearest;
    }
    const std::int64_t n_groups = (n_centers + kMaxGroup - 1) / kMaxGroup;
    for (std::int64_t group = 0; group < n_groups; ++group) {
        const std::int64_t first = n_centers * group / n_groups;
        const std::int64_t n = n_centers * (group + 1) / n_groups - first;
        offer_centers<kMaxGroup, kOffer>(plan, centers, lines, col, begin + first, n, nearest, scores);
    }
    return nearest;
}

/// Keeps labels of 2 kCols columns. `labels` has room for whole vectors.
HWY_INLINE void store_labels(const Nearest& nearest, std::uint16_t* labels) {
    const hn::Rebind<std::uint16_t, KU> narrow;
    const hn::RebindToSigned<KF> whole;
    hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(whole, nearest.label_0)), narrow, labels);
    hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(whole, nearest.label_1)), narrow, labels + kCols);
}

}  // namespace rastertide::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
