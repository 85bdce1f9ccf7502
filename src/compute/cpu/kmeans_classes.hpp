// SPDX-License-Identifier: Apache-2.0
// Classes of patches by mean and spread (PatchClasses): what holds for all patches of a class need not be
// computed for each.
#pragma once

#include "compute/cpu/kmeans_rows.hpp"
#include "compute/patch_margins.hpp"

namespace rastertide::cpu {

/// Patches whose sum of squares is larger, relative to the level, are in no class: sums in float, and the
/// squares of these, stay finite.
inline constexpr float kMostClassSquare = 1e36F;

/// Bounds of the classes of a tile, from a sample of its patches.
void set_classes(const PixelStack& pixels, const KMeansPlan& plan, PatchClasses& classes);

/// What is known of all patches of a class.
struct ClassBounds {
    double min_mean, max_mean, spread, norm;
};

/// What rounding leaves to be sure of. @param m  numbers of a patch
ClassBounds bounds_of(const PatchClasses& classes, int i_class, double m);

/// Of patches whose computed moments are within [low, high] and at most most_square.
ClassBounds bounds_within(double low, double high, double most_square, double m);

}  // namespace rastertide::cpu
