// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include <cpl_error.h>

namespace rastertide::plugin {

/// No exception may reach GDAL: it becomes an error of GDAL, with the same text.
template <class Step>
CPLErr report_errors(Step step) {
    try {
        step();
        return CE_None;
    } catch (const std::bad_alloc&) {
        CPLError(CE_Failure, CPLE_OutOfMemory, "Rastertide: out of memory");
    } catch (const std::exception& error) {
        CPLError(CE_Failure, CPLE_AppDefined, "Rastertide: %s", error.what());
    }
    return CE_Failure;
}

}  // namespace rastertide::plugin
