// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace rastertide {

/// Makes the instruction set that RASTERTIDE_SIMD names, or the best one where it is not set, the one that is
/// used.
/// @throws InvalidArgument the level is not one of this machine and build
void apply_simd_level();

}  // namespace rastertide
