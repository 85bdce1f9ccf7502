// SPDX-License-Identifier: Apache-2.0
#include "core/simd_level.hpp"

#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>

#include <hwy/highway.h>

#include <rastertide/core/backend.hpp>
#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

/// Lower bits are better targets.
std::int64_t best_target() { return hwy::SupportedAndGeneratedTargets().front(); }

/// The target of that name and all below it.
std::int64_t targets_up_to(const std::string& level) {
    std::string known;
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        if (level == hwy::TargetName(target)) return HWY_TARGETS & ~(target - 1);
        known += (known.empty() ? "" : ", ") + std::string(hwy::TargetName(target));
    }
    throw InvalidArgument("RASTERTIDE_SIMD is '" + level + "', must be one of " + known);
}

}  // namespace

void apply_simd_level() {
    static std::mutex mutex;
    static std::string applied;
    const char* variable = std::getenv("RASTERTIDE_SIMD");
    const std::string level = variable == nullptr ? "" : variable;
    const std::scoped_lock lock(mutex);
    if (level == applied) return;
    hwy::SetSupportedTargetsForTest(0);
    applied.clear();
    if (!level.empty()) hwy::SetSupportedTargetsForTest(targets_up_to(level));
    applied = level;
}

std::string_view simd_level() {
    apply_simd_level();
    return hwy::TargetName(best_target());
}

}  // namespace rastertide
