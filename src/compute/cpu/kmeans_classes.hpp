// SPDX-License-Identifier: Apache-2.0
// Classes of patches by mean and spread (PatchMargins): what holds for all patches of a class need not be
// computed for each.
#pragma once

#include "compute/cpu/kmeans_rows.hpp"
#include "compute/patch_margins.hpp"

namespace rastertide::cpu {

/// Bounds of the classes of a tile, from a sample of its patches.
void set_classes(const PixelStack& pixels, const KMeansPlan& plan, PatchMargins& margins);

/// What is known of all patches of a class.
struct ClassBounds {
    double min_mean, max_mean, spread, norm;
};

/// What rounding leaves to be sure of. @param m  numbers of a patch
ClassBounds bounds_of(const PatchMargins& margins, int i_class, double m);

}  // namespace rastertide::cpu
