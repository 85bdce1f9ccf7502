// SPDX-License-Identifier: Apache-2.0
#include "write/hdf5_stack_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <unistd.h>

#include <rastertide/core/error.hpp>

#include "write/cf_grid_mapping.hpp"
#include "write/hdf5_failsafe_driver.hpp"
#include "write/hdf5_file.hpp"

namespace rastertide {
namespace {

constexpr const char* kCrsVariable = "crs";

std::string number(double value) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

Hdf5Id make_file(const Hdf5Calls& calls, const std::string& path, WriteFailure& failure) {
    // netCDF-4 updates only files that know the order in which their variables were made.
    const Hdf5Id creation = calls.own(H5Pcreate(H5P_FILE_CREATE));
    calls.check(H5Pset_link_creation_order(creation.get(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    const Hdf5Id access = make_failsafe_access(calls, failure);
    calls.check(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG));
    return calls.own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()));
}

Hdf5Id make_time(const Hdf5Calls& calls, hid_t file, const std::vector<Date>& dates) {
    constexpr double kSecondsPerDay = 86400;
    std::vector<double> days;
    for (const Date& date : dates) days.push_back(static_cast<double>(date.seconds) / kSecondsPerDay);
    Hdf5Id time = make_coordinate(calls, file, "time", days);
    set_attribute(calls, time.get(), "standard_name", "time");
    set_attribute(calls, time.get(), "units", "days since 1970-01-01 00:00:00");
    set_attribute(calls, time.get(), "calendar", "standard");
    set_attribute(calls, time.get(), "axis", "T");
    return time;
}

Hdf5Id make_y(const Hdf5Calls& calls, hid_t file, const Grid& grid, const CfGridMapping& mapping) {
    std::vector<double> centres;
    for (std::int64_t row = 0; row < grid.n_rows; ++row) {
        centres.push_back(grid.geotransform.c[3] + (static_cast<double>(row) + 0.5) * grid.geotransform.c[5]);
    }
    Hdf5Id y = make_coordinate(calls, file, "y", centres);
    set_attribute(calls, y.get(), "standard_name",
                  mapping.is_geographic ? "latitude" : "projection_y_coordinate");
    set_attribute(calls, y.get(), "units", mapping.is_geographic ? "degrees_north" : mapping.axis_units);
    set_attribute(calls, y.get(), "axis", "Y");
    return y;
}

Hdf5Id make_x(const Hdf5Calls& calls, hid_t file, const Grid& grid, const CfGridMapping& mapping) {
    std::vector<double> centres;
    for (std::int64_t col = 0; col < grid.n_cols; ++col) {
        centres.push_back(grid.geotransform.c[0] + (static_cast<double>(col) + 0.5) * grid.geotransform.c[1]);
    }
    Hdf5Id x = make_coordinate(calls, file, "x", centres);
    set_attribute(calls, x.get(), "standard_name",
                  mapping.is_geographic ? "longitude" : "projection_x_coordinate");
    set_attribute(calls, x.get(), "units", mapping.is_geographic ? "degrees_east" : mapping.axis_units);
    set_attribute(calls, x.get(), "axis", "X");
    return x;
}

/// A variable without values: only its attributes count.
void make_crs(const Hdf5Calls& calls, hid_t file, const Grid& grid, const CfGridMapping& mapping) {
    const Hdf5Id space = calls.own(H5Screate(H5S_SCALAR));
    const Hdf5Id creation = make_timeless_creation(calls);
    const Hdf5Id crs = calls.own(
        H5Dcreate2(file, kCrsVariable, H5T_STD_I32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT));
    if (!mapping.name.empty()) set_attribute(calls, crs.get(), "grid_mapping_name", mapping.name);
    for (const auto& [name, value] : mapping.parameters) set_attribute(calls, crs.get(), name, value);
    set_attribute(calls, crs.get(), "crs_wkt", mapping.wkt);
    set_attribute(calls, crs.get(), "spatial_ref", grid.crs_wkt);  // GDAL's own
    std::string coefficients;
    for (const double coefficient : grid.geotransform.c) {
        coefficients += (coefficients.empty() ? "" : " ") + number(coefficient);
    }
    set_attribute(calls, crs.get(), "GeoTransform", coefficients);
}

std::array<hsize_t, 3> chunk_shape(const StackLayout& layout) {
    return {1, static_cast<hsize_t>(std::min(layout.chunk_n_rows, layout.grid.n_rows)),
            static_cast<hsize_t>(std::min(layout.chunk_n_cols, layout.grid.n_cols))};
}

hid_t stored_type(SampleType type) {
    switch (type) {
        case SampleType::Byte:
            return H5T_STD_U8LE;
        case SampleType::UInt16:
            return H5T_STD_U16LE;
        case SampleType::Float64:
            return H5T_IEEE_F64LE;
        default:
            return H5T_IEEE_F32LE;
    }
}

Hdf5Id make_data(const Hdf5Calls& calls, hid_t file, const StackLayout& layout) {
    const hid_t stored = stored_type(layout.type);
    const std::array<hsize_t, 3> shape = {layout.dates.size(), static_cast<hsize_t>(layout.grid.n_rows),
                                          static_cast<hsize_t>(layout.grid.n_cols)};
    const std::array<hsize_t, 3> chunk = chunk_shape(layout);
    const Hdf5Id creation = make_timeless_creation(calls);
    calls.check(H5Pset_chunk(creation.get(), 3, chunk.data()));
    calls.check(H5Pset_fill_value(creation.get(), H5T_NATIVE_DOUBLE, &layout.nodata));
    // Every chunk has its place before the first pixel comes: the same bytes whoever writes which pixels
    // when. Writing fill values there would be a second pass over the disk.
    calls.check(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY));
    calls.check(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER));
    const Hdf5Id space = calls.own(H5Screate_simple(3, shape.data(), nullptr));
    Hdf5Id data = calls.own(H5Dcreate2(file, layout.variable.c_str(), stored, space.get(), H5P_DEFAULT,
                                       creation.get(), H5P_DEFAULT));
    const hsize_t one = 1;  // netCDF wants _FillValue as an array of one
    const Hdf5Id attribute_space = calls.own(H5Screate_simple(1, &one, nullptr));
    const Hdf5Id fill = calls.own(
        H5Acreate2(data.get(), "_FillValue", stored, attribute_space.get(), H5P_DEFAULT, H5P_DEFAULT));
    calls.check(H5Awrite(fill.get(), H5T_NATIVE_DOUBLE, &layout.nodata));
    if (!layout.units.empty()) set_attribute(calls, data.get(), "units", layout.units);
    if (!layout.grid.crs_wkt.empty()) set_attribute(calls, data.get(), "grid_mapping", kCrsVariable);
    return data;
}

void make_variables(const Hdf5Calls& calls, const std::string& path, const StackLayout& layout,
                    WriteFailure& failure) {
    const Hdf5Id owner = make_file(calls, path, failure);
    const hid_t file = owner.get();
    set_attribute(calls, file, "Conventions", "CF-1.8");
    for (const auto& [name, value] : layout.attributes) set_attribute(calls, file, name, value);
    const Hdf5Id data = make_data(calls, file, layout);
    CfGridMapping mapping;
    if (!layout.grid.crs_wkt.empty()) {
        mapping = make_cf_grid_mapping(layout.grid.crs_wkt);
        make_crs(calls, file, layout.grid, mapping);
    }
    const std::array<Hdf5Id, 3> scales = {make_time(calls, file, layout.dates),
                                          make_y(calls, file, layout.grid, mapping),
                                          make_x(calls, file, layout.grid, mapping)};
    for (unsigned axis = 0; axis < scales.size(); ++axis) {
        calls.check(H5DSattach_scale(data.get(), scales[axis].get(), axis));
    }
}

/// Takes the space of a whole file from the disk. File systems that have no such call find out when they
/// write.
void reserve_space(const std::string& path, WriteFailure& failure) {
#ifdef __linux__
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const off_t size = descriptor < 0 ? -1 : ::lseek(descriptor, 0, SEEK_END);
    int result = size < 0 ? -1 : ::fallocate(descriptor, 0, 0, size);
    while (result != 0 && errno == EINTR) result = ::fallocate(descriptor, 0, 0, size);
    if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS) failure.error_number = errno;
    if (descriptor >= 0) ::close(descriptor);
#else
    static_cast<void>(path);
    static_cast<void>(failure);
#endif
}

}  // namespace

void make_hdf5_file(const std::string& name, const std::string& path, const StackLayout& layout) {
    WriteFailure failure;
    call_hdf5(name, failure, [&](const Hdf5Calls& calls) { make_variables(calls, path, layout, failure); });
    call_hdf5(name, failure, [&](const Hdf5Calls&) { reserve_space(path, failure); });
}

}  // namespace rastertide
