// SPDX-License-Identifier: Apache-2.0
// Margins: when a pass may skip a patch, since no rival centre can have come nearer than its own.
//
// Scores are s_k(x) = h_k - <c_k, x>, with half norms h and centres c as the kernel holds them in float. When
// the centres move by d_k, the gap s_b - s_a of a patch x with label a to a rival b shrinks by
//
//     <x, d_b - d_a> - (h'_b - h_b) + (h'_a - h_a)
//     <= mean(x) sum(d_b - d_a) + spread(x) |d_b - d_a - mean of it| - ...
//
// where spread is the norm of x about its mean: a change of level, which is most of a drift, is bounded
// almost exactly. Patches are sorted into classes of mean and spread once, so that a pass needs one number
// for each label and class. A margin is the smallest gap over all rivals, each divided by a weight w_ab, the
// drift that was usual when the weights were set: a far centre that moves fast then costs a near one nothing.
//
// Computed scores differ from s_k by at most (m + 2) 2^-24 (h_k + |c_k| |x|) for m multiply-adds. Both gaps
// that matter, the one a margin is made of and the one a label is chosen by, are off by no more than the
// slack of their centres, which the margins pay: a label that is kept is the one that would be computed.
#pragma once

#include <cstdint>
#include <vector>

#include "compute/cpu/kmeans_rows.hpp"
#include "compute/patch_margins.hpp"

namespace rastertide::cpu {

/// Makes classes and margins ready for a pass with the centres of `plan`; decides whether it uses margins.
PruneStep prepare_step(const PixelStack& pixels, const KMeansPlan& plan, PatchMargins& margins);

/// Notes how a pass went.
/// @param moved  [1 + n_clusters]: how many more patches than before have each label
void finish_margins(const std::vector<std::int64_t>& moved, std::int64_t n_changed, PatchMargins& margins);

}  // namespace rastertide::cpu
