// SPDX-License-Identifier: Apache-2.0
// Candidates: which centres can be the nearest to patches of some means and spreads, in passes without
// margins.
//
// A centre r is none for such patches if some other centre j is nearer to all of them: with the scores and
// bounds of kmeans_margins.hpp, of a patch x
//
//     s_j - s_r = <x, c_r - c_j> - (h_r - h_j)
//              <= mean(x) sum(c_r - c_j) + spread(x) |c_r - c_j - mean of it| - (h_r - h_j) < -rounding.
//
// Neighbouring patches are alike, and centres differ in their means most of all. So the candidates of a group
// of columns are nearly a range of the centres by mean: about half of ten in the first passes over SAR
// scenes.
#pragma once

#include "compute/cpu/kmeans_rows.hpp"

namespace rastertide::cpu {

/// Whether scores of the centres of `plan` may be infinite: nothing is proven of those.
bool has_huge_centers(const KMeansPlan& plan);

/// Candidates for a pass with the centres of `plan`; not in use where they do not pay.
CandidateRanges candidate_ranges(const KMeansPlan& plan, int n_threads);

}  // namespace rastertide::cpu
