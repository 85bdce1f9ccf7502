// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report.hpp"

namespace rastertide::on_device {

/// Every case of tests/cuda/kernels against the reference: a line on stdout for each.
/// @param small   leaves out what takes long in the emulator
/// @param report  gets the failures and the count
/// @return whether all agree
bool run_checks(bool small, Report& report);

}  // namespace rastertide::on_device
