// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/read/grid_options.hpp>

#include "read/resampling.hpp"

namespace rastertide {
namespace {

void check_crs(const char* option, const std::string& text) {
    if (text.empty()) return;
    try {
        crs_from_user_input(text);
    } catch (const InvalidArgument& error) {
        throw InvalidArgument(std::string(option) + " " + error.what());
    }
}

template <class Numbers>
void check_finite(const char* option, const Numbers& numbers, const char* expected) {
    const auto finite = [](double number) { return std::isfinite(number); };
    if (std::all_of(numbers.begin(), numbers.end(), finite)) return;
    throw InvalidArgument(std::string(option) + ": a number is not finite, expected " + expected);
}

void check_te(const std::array<double, 4>& te) {
    constexpr const char* kExpected = "xmin ymin xmax ymax";
    check_finite("-te", te, kExpected);
    if (te[0] < te[2] && te[1] < te[3]) return;
    throw InvalidArgument(std::string("-te: the extent has no area, expected ") + kExpected);
}

void check_projwin(const std::array<double, 4>& projwin) {
    constexpr const char* kExpected = "ulx uly lrx lry";
    check_finite("-projwin", projwin, kExpected);
    if (projwin[0] != projwin[2] && projwin[1] != projwin[3]) return;
    throw InvalidArgument(std::string("-projwin: the window has no area, expected ") + kExpected);
}

void check_tr(const std::array<double, 2>& tr) {
    check_finite("-tr", tr, "xres yres");
    if (tr[0] > 0 && tr[1] > 0) return;
    throw InvalidArgument("-tr: a pixel size is not positive, expected xres yres");
}

}  // namespace

bool GridOptions::aligns() const { return align != Align::No || te || tr || !t_srs.empty(); }

void GridOptions::validate() const {
    if (te) check_te(*te);
    if (tr) check_tr(*tr);
    if (projwin) check_projwin(*projwin);
    check_crs("-te_srs", te_srs);
    check_crs("-t_srs", t_srs);
    check_crs("-projwin_srs", projwin_srs);
    parse_resampling(r);
    if (!te_srs.empty() && !te) throw InvalidArgument("-te_srs: there is no -te, expected one");
    if (!projwin_srs.empty() && !projwin)
        throw InvalidArgument("-projwin_srs: there is no -projwin, expected one");
    if (tap && !tr) throw InvalidArgument("-tap: there is no -tr, expected the pixel size to align to");
    if (!r.empty() && !aligns()) {
        throw InvalidArgument("-r: nothing is resampled, expected one of -align, -te, -tr, -t_srs with it");
    }
    if (te && align != Align::No) {
        throw InvalidArgument("-align and -te: each gives the extent, expected one of them");
    }
}

Align parse_align(const std::string& word) {
    if (word == "union") return Align::Union;
    if (word == "intersection") return Align::Intersection;
    throw InvalidArgument("-align '" + word + "': expected union or intersection");
}

MosaicRule parse_mosaic_rule(const std::string& word) {
    for (const MosaicRule rule : {MosaicRule::Auto, MosaicRule::None, MosaicRule::Time, MosaicRule::Day}) {
        if (word == to_string(rule)) return rule;
    }
    throw InvalidArgument("-mosaic '" + word + "': expected auto, none, time or day");
}

std::string to_string(Align align) {
    return align == Align::Union ? "union" : align == Align::Intersection ? "intersection" : "";
}

std::string to_string(MosaicRule rule) {
    switch (rule) {
        case MosaicRule::None:
            return "none";
        case MosaicRule::Time:
            return "time";
        case MosaicRule::Day:
            return "day";
        case MosaicRule::Auto:
            break;
    }
    return "auto";
}

}  // namespace rastertide
