// SPDX-License-Identifier: Apache-2.0
#include "read/resampling.hpp"

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

struct Word {
    const char* name;
    GDALResampleAlg algorithm;
};
// Not sum: by blocks, a pixel in 150 000 was not what gdalwarp makes of it.
constexpr Word kWords[] = {{"near", GRA_NearestNeighbour},
                           {"bilinear", GRA_Bilinear},
                           {"cubic", GRA_Cubic},
                           {"cubicspline", GRA_CubicSpline},
                           {"lanczos", GRA_Lanczos},
                           {"average", GRA_Average},
                           {"rms", GRA_RMS},
                           {"mode", GRA_Mode},
                           {"max", GRA_Max},
                           {"min", GRA_Min},
                           {"med", GRA_Med},
                           {"q1", GRA_Q1},
                           {"q3", GRA_Q3}};

}  // namespace

GDALResampleAlg parse_resampling(const std::string& word) {
    if (word.empty()) return GRA_NearestNeighbour;
    std::string known;
    for (const Word& one : kWords) {
        if (word == one.name) return one.algorithm;
        known += (known.empty() ? "" : ", ") + std::string(one.name);
    }
    throw InvalidArgument("-r '" + word + "': expected one of " + known);
}

}  // namespace rastertide
