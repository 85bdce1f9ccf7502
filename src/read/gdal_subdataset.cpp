// SPDX-License-Identifier: Apache-2.0
#include "read/gdal_subdataset.hpp"

#include <algorithm>

#include <cpl_string.h>

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

/// What follows the file in `NETCDF:"f.nc":data` and `HDF5:"f.h5"://group/data`.
std::string label_of(const std::string& connection) {
    const std::string label = connection.substr(connection.rfind(':') + 1);
    return label.substr(std::min(label.find_first_not_of('/'), label.size()));
}

/// The variable of a netCDF file that holds just one, or whose connection string names one.
std::string only_variable(GDALDatasetH dataset) {
    if (GDALGetRasterCount(dataset) == 0) return "";
    const char* name = GDALGetMetadataItem(GDALGetRasterBand(dataset, 1), "NETCDF_VARNAME", nullptr);
    return name != nullptr ? name : "";
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
}

}  // namespace

std::vector<std::string> subdatasets_of(GDALDatasetH dataset) {
    // The whole domain: the netCDF driver does not answer for single items of it.
    const CSLConstList items = GDALGetMetadata(dataset, "SUBDATASETS");
    std::vector<std::string> names;
    for (int i = 1;; ++i) {
        const char* name = CSLFetchNameValue(items, ("SUBDATASET_" + std::to_string(i) + "_NAME").c_str());
        if (name == nullptr) return names;
        names.emplace_back(name);
    }
}

std::string name_of_subdataset(GDALDatasetH opened, const std::string& file, const std::string& wanted) {
    const std::string label = wanted.substr(std::min(wanted.find_first_not_of('/'), wanted.size()));
    std::vector<std::string> labels;
    for (const std::string& name : subdatasets_of(opened)) {
        labels.push_back(label_of(name));
        if (labels.back() == label) return name;
    }
    const std::string variable = only_variable(opened);
    if (variable == label) return "";
    if (!variable.empty()) labels.push_back(variable);
    throw InvalidArgument("'" + file + "': has no dataset '" + wanted + "'; it has: " + joined(labels));
}

}  // namespace rastertide
