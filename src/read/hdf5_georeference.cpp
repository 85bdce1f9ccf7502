// SPDX-License-Identifier: Apache-2.0
#include "read/hdf5_georeference.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>

#include "read/cf_time.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "read/hdf5_dataset.hpp"
#include "read/source.hpp"

namespace rastertide {
namespace {

const std::vector<std::string> kTimeNames = {"time", "t", "timestamp", "date", "dates"};
const std::vector<std::string> kYNames = {"y", "Y", "lat", "latitude", "northing"};
const std::vector<std::string> kXNames = {"x", "X", "lon", "longitude", "easting"};

enum Axis : unsigned { kTime = 0, kY = 1, kX = 2 };

/// Coordinates are often stored in 32 bits: northings of millions of metres are then off by a quarter of a
/// metre.
constexpr double kUnevenPx = 0.1;

struct Spacing {
    double first = 0;
    double step = 0;
};

/// Nothing if there are no coordinates, or too few to know the step.
/// @param n  pixels of the axis
std::optional<Spacing> read_spacing(const Hdf5Calls& calls, hid_t coordinate, hsize_t n,
                                    const std::string& what) {
    const std::vector<double> values =
        coordinate < 0 ? std::vector<double>{} : read_numbers(calls, coordinate);
    if (!values.empty() && values.size() != n) {
        throw InvalidArgument(what + ": '" + path_of(coordinate) + "' holds " +
                              std::to_string(values.size()) + " coordinates, expected " + std::to_string(n));
    }
    if (values.size() < 2) return std::nullopt;
    const Spacing spacing = {values.front(),
                             (values.back() - values.front()) / static_cast<double>(values.size() - 1)};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double even = spacing.first + static_cast<double>(i) * spacing.step;
        if (!(std::abs(values[i] - even) <= kUnevenPx * std::abs(spacing.step)) || spacing.step == 0) {
            throw InvalidArgument(what + ": coordinate " + std::to_string(i + 1) + " of '" +
                                  path_of(coordinate) +
                                  "' is not evenly spaced; a raster needs one pixel size");
        }
    }
    return spacing;
}

/// A stack with its time axis last would be read as nonsense.
void check_axis_order(const Hdf5Calls& calls, hid_t dataset, const std::string& what) {
    const auto has_name = [&](unsigned axis, const std::vector<std::string>& names) {
        const Hdf5Id scale = open_coordinate(calls, dataset, axis, {});
        const std::string path = scale.get() < 0 ? "" : path_of(scale.get());
        return std::find(names.begin(), names.end(), path.substr(path.rfind('/') + 1)) != names.end();
    };
    if (has_name(kX, kTimeNames) || has_name(kTime, kXNames) || has_name(kTime, kYNames) ||
        has_name(kY, kXNames)) {
        throw InvalidArgument(what + ": its axes are in another order, expected time, y, x");
    }
}

/// The variable that the attribute grid_mapping names, or one of the usual names.
Hdf5Id open_grid_mapping(const Hdf5Calls& calls, hid_t dataset) {
    const std::string path = path_of(dataset);
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    const std::string named = text_attribute(calls, dataset, "grid_mapping").value_or("");
    for (const std::string& name : {folder + named, "/" + named, folder + "crs", folder + "spatial_ref"}) {
        if (name.ends_with('/') || H5Lexists(dataset, name.c_str(), H5P_DEFAULT) <= 0) continue;
        Hdf5Id mapping(H5Oopen(dataset, name.c_str(), H5P_DEFAULT));
        if (mapping.get() >= 0) return mapping;
    }
    return {};
}

/// CF's grid mapping parameters, which GDAL's netCDF driver knows.
std::string crs_by_gdal(const std::string& file, const std::string& dataset) {
    const GdalErrorCapture quiet;
    const std::string name = "NETCDF:\"" + file + "\":" + dataset;
    const DatasetHandle opened(GDALOpenEx(name.c_str(), GDAL_OF_RASTER, nullptr, nullptr, nullptr));
    return opened == nullptr ? "" : GDALGetProjectionRef(opened.get());
}

std::string read_crs(const Hdf5Calls& calls, hid_t dataset, hid_t mapping, hid_t x, const std::string& file) {
    for (const char* name : {"crs_wkt", "spatial_ref"}) {
        const auto wkt = mapping < 0 ? std::nullopt : text_attribute(calls, mapping, name);
        if (wkt && !wkt->empty()) return crs_of_file(*wkt);
    }
    const std::string wkt = crs_by_gdal(file, path_of(dataset));
    if (!wkt.empty()) return wkt;
    const std::string units = x < 0 ? "" : text_attribute(calls, x, "units").value_or("");
    return units.starts_with("degree") ? crs_from_user_input("EPSG:4326") : "";
}

std::optional<Geotransform> geotransform_attribute(const Hdf5Calls& calls, hid_t mapping) {
    const auto text = mapping < 0 ? std::nullopt : text_attribute(calls, mapping, "GeoTransform");
    if (!text) return std::nullopt;
    std::istringstream stream(*text);
    Geotransform transform;
    for (double& coefficient : transform.c) stream >> coefficient;
    return stream ? std::optional(transform) : std::nullopt;
}

}  // namespace

Hdf5Georeference read_georeference(const Hdf5Calls& calls, hid_t dataset, const std::string& file) {
    const std::string what = "'" + file + "', dataset '" + path_of(dataset) + "'";
    check_axis_order(calls, dataset, what);
    const std::vector<hsize_t> shape = shape_of(calls, dataset);
    Hdf5Georeference result;
    result.grid.n_rows = static_cast<std::int64_t>(shape[kY]);
    result.grid.n_cols = static_cast<std::int64_t>(shape[kX]);
    const Hdf5Id x = open_coordinate(calls, dataset, kX, kXNames);
    const Hdf5Id y = open_coordinate(calls, dataset, kY, kYNames);
    const Hdf5Id mapping = open_grid_mapping(calls, dataset);
    result.grid.crs_wkt = read_crs(calls, dataset, mapping.get(), x.get(), file);

    const auto cols = read_spacing(calls, x.get(), shape[kX], what);
    const auto rows = read_spacing(calls, y.get(), shape[kY], what);
    if (cols && rows) {
        result.first_row_is_last = rows->step > 0;
        const double height = std::abs(rows->step);
        const double top =
            rows->step > 0 ? rows->first + static_cast<double>(shape[kY] - 1) * height : rows->first;
        result.grid.geotransform.c = {
            cols->first - cols->step / 2, cols->step, 0, top + height / 2, 0, -height};
        result.grid.has_geotransform = true;
    } else if (const auto transform = geotransform_attribute(calls, mapping.get())) {
        result.grid.geotransform = *transform;
        result.grid.has_geotransform = true;
    }
    return result;
}

std::vector<Hdf5Date> read_time(const Hdf5Calls& calls, hid_t dataset) {
    std::vector<Hdf5Date> dates(shape_of(calls, dataset)[kTime]);
    const Hdf5Id time = open_coordinate(calls, dataset, kTime, kTimeNames);
    if (time.get() < 0) return dates;
    const std::string units = text_attribute(calls, time.get(), "units").value_or("");
    const CfTime cf_time(units, text_attribute(calls, time.get(), "calendar").value_or(""));
    const std::vector<double> numbers = read_numbers(calls, time.get());
    for (std::size_t i = 0; i < std::min(dates.size(), numbers.size()); ++i) {
        dates[i] = {cf_time.date(numbers[i]), kCfTime, cf_time.problem()};
    }
    const std::vector<std::string> texts = read_texts(calls, time.get());
    for (std::size_t i = 0; i < std::min(dates.size(), texts.size()); ++i) {
        dates[i] = {parse_date(texts[i]), "time strings"};
    }
    return dates;
}

}  // namespace rastertide
