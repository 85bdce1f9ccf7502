// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <rastertide/compute/kmeans.hpp>
#include <rastertide/read/series.hpp>

namespace rastertide {

/// What a K-Means run learned: what centers.json holds, and what -model takes to label other scenes.
struct KMeansModel {
    PatchCenters centers;  ///< in the units of the scaled pixels; centre i is that of label i + 1
    PixelScale scale = PixelScale::Linear;
    bool time_features = false;                                ///< features "time" instead of "patch"
    std::vector<std::int64_t> sizes;                           ///< patches of each cluster; empty: unknown
    double energy = std::numeric_limits<double>::quiet_NaN();  ///< sum of squared distances; NaN: unknown
    std::int64_t iterations = 0;
    std::uint64_t seed = 0;
    std::vector<std::string> band_names;  ///< of the bands of a date; may be empty
};

/// Larger files are not read: the largest number of clusters of one band with patches of 31 pixels takes as
/// much.
inline constexpr std::int64_t kMaxModelFileBytes = std::int64_t{1} << 30;

/// The model as JSON: an object with software, version, patch, bands (their number), k, features ("patch" or
/// "time"), scale ("linear" or "db"), energy (null if not finite), iterations, seed, sizes, band_names and
/// centers (k lists of bands x p x p numbers, band by band, row by row). A centre is a line. Numbers read
/// back to the same double. @throws InvalidArgument  centres that are not valid, sizes that are not k
std::string kmeans_model_json(const KMeansModel& model);

/// Reads such a file. Only patch, bands, k and centers are needed, so that one can be written by hand; other
/// fields than the above are skipped. The file may be anybody's: memory stays within a small multiple of its
/// size.
/// @throws InvalidArgument  naming the file, the field, what it holds and what is expected: not JSON, a field
///                          missing, given twice, of another type or out of range; lists that do not fit
///                          patch, bands and k; a number that is not finite, a centre beyond
///                          1e17 in magnitude
/// @throws IoError          no such file, not a file, empty, too large, not readable
KMeansModel read_kmeans_model(const std::string& path);

}  // namespace rastertide
