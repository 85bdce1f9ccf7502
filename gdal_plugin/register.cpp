// SPDX-License-Identifier: Apache-2.0
// What GDAL calls when it loads gdal_Rastertide.so.
#include <cstdlib>
#include <memory>
#include <string>

#include <gdal_priv.h>

#include <rastertide/core/version.hpp>

#include "algorithms.hpp"
#include "driver/lazy_dataset.hpp"
#include "driver/lazy_request.hpp"
#include "pixel_functions/pixel_functions.hpp"

namespace rastertide::plugin {
namespace {

constexpr const char* kDriver = "RASTERTIDE";

/// GDAL's classes change from one minor version to the next: a plugin works with the one it was built for.
bool is_built_for_this_gdal() {
    const int running = std::atoi(GDALVersionInfo("VERSION_NUM"));
    const int major = running / 1000000;
    const int minor = running / 10000 % 100;
    if (major == GDAL_VERSION_MAJOR && minor == GDAL_VERSION_MINOR) return true;
    CPLError(CE_Failure, CPLE_AppDefined,
             "gdal_Rastertide: was built for GDAL %d.%d, found GDAL %d.%d; build Rastertide against that "
             "one, or name "
             "the folder of another plugin in GDAL_DRIVER_PATH",
             GDAL_VERSION_MAJOR, GDAL_VERSION_MINOR, major, minor);
    return false;
}

std::unique_ptr<GDALDriver> make_driver() {
    auto driver = std::make_unique<GDALDriver>();
    driver->SetDescription(kDriver);
    driver->SetMetadataItem(GDAL_DCAP_RASTER, "YES");
    driver->SetMetadataItem(
        GDAL_DMD_LONGNAME,
        "Rastertide: anomalies and clusters of raster time series, computed when they are read");
    driver->SetMetadataItem(GDAL_DMD_EXTENSION, kExtension);
    driver->SetMetadataItem(GDAL_DMD_EXTENSIONS, kExtension);
    driver->SetMetadataItem(GDAL_DMD_CONNECTION_PREFIX, kPrefix);
    driver->SetMetadataItem(GDAL_DMD_SUBDATASETS, "YES");
    driver->SetMetadataItem(GDAL_DMD_OPENOPTIONLIST, open_option_list().c_str());
    driver->SetMetadataItem("RASTERTIDE_VERSION", kVersion);
    driver->pfnIdentify = LazyDataset::identify;
    driver->pfnOpen = LazyDataset::open;
    driver->pfnDelete = LazyDataset::remove;
    driver->pfnRename = LazyDataset::rename;
    driver->pfnCopyFiles = LazyDataset::copy_files;
    return driver;
}

}  // namespace
}  // namespace rastertide::plugin

/// Harmless when it is called again, as each GDALAllRegister() does.
extern "C" CPL_DLL void GDALRegister_Rastertide() {
    using namespace rastertide::plugin;
    if (GDALGetDriverByName(kDriver) != nullptr || !is_built_for_this_gdal()) return;
    if (register_pixel_functions() != CE_None) return;
    GetGDALDriverManager()->RegisterDriver(make_driver().release());
    register_algorithms();
}
