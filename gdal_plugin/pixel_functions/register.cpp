// SPDX-License-Identifier: Apache-2.0
#include "driver/report_errors.hpp"
#include "pixel_functions/pixel_functions.hpp"

namespace rastertide::plugin {
namespace {

/// GDAL tells a function neither its name nor anything else of its own: each needs an entry.
template <const PixelFunction& function>
CPLErr entry(void** sources, int n_sources, void* data, int n_cols, int n_rows, GDALDataType source_type,
             GDALDataType type, int pixel_space, int line_space, CSLConstList arguments) {
    PixelCall call;
    call.sources.assign(sources, sources + n_sources);
    call.n_cols = n_cols;
    call.n_rows = n_rows;
    call.source_type = source_type;
    call.data = data;
    call.type = type;
    call.pixel_space = pixel_space;
    call.line_space = line_space;
    call.arguments = const_cast<char**>(arguments);
    return report_errors([&] { function.run(call); });
}

template <const PixelFunction& function>
CPLErr add() {
    return GDALAddDerivedBandPixelFuncWithArgs(function.name, entry<function>, function.metadata);
}

}  // namespace

CPLErr register_pixel_functions() {
    for (const CPLErr status : {add<kLofFunction>(), add<kLabelFunction>(), add<kThresholdFunction>()}) {
        if (status != CE_None) return status;
    }
    return CE_None;
}

}  // namespace rastertide::plugin
