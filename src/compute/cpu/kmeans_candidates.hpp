// SPDX-License-Identifier: Apache-2.0
// Candidates: which centres can be the nearest to a patch of a class, while centres move too far for margins.
//
// A centre r is none for a class if some other centre j is nearer to all its patches x: with the scores and
// bounds of kmeans_margins.hpp,
//
//     s_j - s_r = <x, c_r - c_j> - (h_r - h_j)
//              <= mean(x) sum(c_r - c_j) + spread(x) |c_r - c_j - mean of it| - (h_r - h_j) < -rounding.
//
// Neighbouring patches are alike, and centres differ in their means most of all. So the candidates of a group
// of columns are nearly a range of the centres by mean: about half of ten in the first passes over SAR
// scenes.
#pragma once

#include "compute/cpu/kmeans_rows.hpp"
#include "compute/patch_margins.hpp"

namespace rastertide::cpu {

/// Candidates for the centres of `plan`, of finite scores, for classes that are set.
void set_candidates(const KMeansPlan& plan, const PatchMargins& margins, PruneStep& step);

}  // namespace rastertide::cpu
