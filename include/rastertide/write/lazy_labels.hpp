// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/grid/grid.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/write/mosaic.hpp>

namespace rastertide {

/// Who computes a label when GDAL reads one.
enum class LazyDialect {
    Plugin,      ///< pixel function rastertide_kmeans_label of our plugin
    Expression,  ///< GDAL's own, 3.11 or later built with muparser (its default); slower
};

/// One band of one date of the stack.
struct LazyBand : GdalBand {
    bool relative_to_vrt = false;   ///< whether `dataset` is a path relative to the VRT's folder
    std::int64_t col = 0, row = 0;  ///< of the grid's first pixel in the dataset
};

/// What labels are computed from.
struct LazyLabels {
    PatchCenters centers;  ///< centre i is that of label i + 1
    PixelScale scale = PixelScale::Linear;
    bool time_features = false;
    LazyDialect dialect = LazyDialect::Plugin;
    std::vector<std::vector<LazyBand>> dates;  ///< [date][band]
};

/// Writes a raster whose labels GDAL computes when they are read: labels_lazy.vrt.
///
/// With pixels x and centres c_k taken relative to one level for each band, the label is that of the largest
///
///     <patch, c_k> - ||c_k||^2 / 2
///
/// that is, of correlations of the image less a constant each; K - 1 of them, with c_k - c_1, as scores count
/// relative to <patch, c_1>. GDAL does that from four VRTs, one on the other; users open the first, the rest
/// are lazy_label_parts(path):
///
/// - `path`: the labels with legend and metadata. Read at another resolution they are the mode of the labels
///   at full resolution; larger rasters declare such overviews. Each such reading computes the whole window;
/// - "..._full": the same without legend; it has GDAL read the next at full resolution only, as
///   KernelFilteredSource does not filter at any other, without a word;
/// - "..._computed": a derived band for each date. Its first source counts the valid pixels of the patch
///   (p x p ones), the others are the correlations with centre 2 less centre 1, band 1, 2, ..., centre 3 less
///   centre 1, ...; all leave out the p/2 rim, where the count is then 0. The label is 0 where the count is
///   not p * p;
/// - "..._pixels": for each date the relative pixels of each band (Float32, 0 where invalid), then a band
///   that is 1 where all of them are valid and 0 or NaN elsewhere. No band declares nodata, as
///   KernelFilteredSource compares with it what it has scaled already.
///
/// The pixel function is called rastertide_kmeans_label; its arguments are `bands`, `patch_pixels` (p * p)
/// and `half_norms` (K numbers, ||c_k||^2 / 2, with commas between). Equal scores go to the lower label. In
/// the Expression dialect the same is GDAL's function `expression`. Labels are those of assign_patches() but
/// for ties within float rounding, as stored pixels (before scale and offset), relative ones and correlations
/// are Float32.
///
/// @param path     of the VRT; the folder exists
/// @param product  type Byte or UInt16, nodata 0, a band for each date; legend and metadata
/// @throws InvalidArgument  -scale db or features over time, which are no correlations of the image; sizes
///                          that do not fit each other; a raster smaller than a patch
/// @throws IoError
void write_lazy_labels(const std::string& path, const Grid& grid, const Product& product,
                       const LazyLabels& labels);

/// The files that belong to a lazy VRT and lie beside it: "a/labels_lazy.vrt" -> "a/labels_lazy_full.vrt",
/// "a/labels_lazy_computed.vrt", "a/labels_lazy_pixels.vrt".
std::vector<std::string> lazy_label_parts(const std::string& path);

}  // namespace rastertide
