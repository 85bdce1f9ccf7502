// SPDX-License-Identifier: Apache-2.0
#include "read/shared_transformer.hpp"

#include <algorithm>
#include <bit>

#include <gdal_alg.h>

#include <rastertide/core/error.hpp>

#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "read/source_dataset.hpp"

namespace rastertide {
namespace {

std::uint64_t hash_of(const double* x, const double* y, int n) {
    std::uint64_t hash = static_cast<std::uint64_t>(n);
    const auto add = [&](double value) {
        hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15U;
        hash ^= hash >> 29;
    };
    std::for_each(x, x + n, add);
    std::for_each(y, y + n, add);
    return hash;
}

}  // namespace

SharedTransformer::SharedTransformer(const Grid& grid, const std::string& name, const Grid& target,
                                     std::size_t max_bytes)
    : covered_(in_pixels(target, to_crs(extent_of(grid), grid.crs_wkt, target.crs_wkt, "'" + name + "'"))),
      max_bytes_(max_bytes) {
    const GdalErrorCapture errors;
    SourceDataset dataset(grid);
    StringList options;
    options.set("DST_SRS", target.crs_wkt);
    transformer_ = GDALCreateGenImgProjTransformer2(GDALDataset::ToHandle(&dataset), nullptr, options.get());
    if (transformer_ == nullptr) {
        throw InvalidArgument("'" + name + "': cannot be warped" +
                              (errors.text().empty() ? "" : ": " + errors.text()));
    }
    GDALSetGenImgProjTransformerDstGeoTransform(transformer_, target.geotransform.c.data());
}

SharedTransformer::~SharedTransformer() { GDALDestroyGenImgProjTransformer(transformer_); }

int SharedTransformer::transform(void* self, int to_source, int n, double* x, double* y, double* z,
                                 int* success) {
    auto& transformer = *static_cast<SharedTransformer*>(self);
    try {
        return transformer.look_up(to_source, n, x, y, z, success);
    } catch (...) {  // out of memory; no exception may pass through GDAL
        return FALSE;
    }
}

int SharedTransformer::look_up(int to_source, int n, double* x, double* y, double* z, int* success) {
    const bool flat = std::all_of(z, z + n, [](double value) { return value == 0; });
    if (to_source == FALSE || !flat) {
        return GDALGenImgProjTransform(transformer_, to_source, n, x, y, z, success);
    }
    const std::uint64_t key = hash_of(x, y, n);
    const auto size = static_cast<std::size_t>(n);
    const auto kept = kept_.find(key);
    if (kept != kept_.end() && kept->second.success.size() == size &&
        std::equal(x, x + n, kept->second.asked.begin()) &&
        std::equal(y, y + n, kept->second.asked.begin() + n)) {
        const Points& points = kept->second;
        std::copy_n(points.found.begin(), n, x);
        std::copy_n(points.found.begin() + n, n, y);
        std::copy_n(points.found.begin() + 2 * n, n, z);
        std::copy_n(points.success.begin(), n, success);
        return points.result;
    }
    Points points;
    points.asked.assign(x, x + n);
    points.asked.insert(points.asked.end(), y, y + n);
    points.result = GDALGenImgProjTransform(transformer_, to_source, n, x, y, z, success);
    for (const double* found : {x, y, z}) points.found.insert(points.found.end(), found, found + n);
    points.success.assign(success, success + n);
    const std::size_t bytes = sizeof(Points) + size * (5 * sizeof(double) + sizeof(int));
    if (n_bytes_ + bytes > max_bytes_) {  // the next scenes begin at another window then
        kept_.clear();
        n_bytes_ = 0;
    }
    n_bytes_ += bytes;
    kept_[key] = std::move(points);
    return kept_[key].result;
}

}  // namespace rastertide
