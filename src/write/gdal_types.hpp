// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>

#include <gdal.h>

#include <rastertide/core/error.hpp>
#include <rastertide/write/shard.hpp>

#include "read/gdal_error.hpp"

namespace rastertide {

inline GDALDataType gdal_type(SampleType type) {
    switch (type) {
        case SampleType::Byte:
            return GDT_Byte;
        case SampleType::UInt16:
            return GDT_UInt16;
        case SampleType::Float32:
            return GDT_Float32;
        case SampleType::Float64:
            return GDT_Float64;
    }
    throw InternalError("unknown sample type");
}

inline GDALDriverH driver_by_name(const char* name) {
    GDALDriverH driver = GDALGetDriverByName(name);
    if (driver == nullptr)
        throw InvalidArgument("this GDAL has no driver '" + std::string(name) + "'; --formats lists them");
    return driver;
}

}  // namespace rastertide
