// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "card.hpp"
#include "report.hpp"

namespace rastertide::on_device {

/// Times at growing sizes, each a line of the report. A size that does not fit is left out, and the report
/// says so.
/// @param small  sizes for the emulator
void bench_lof(const Card& card, bool small, Report& report);
void bench_kmeans(const Card& card, bool small, Report& report);

}  // namespace rastertide::on_device
