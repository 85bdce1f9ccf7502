// SPDX-License-Identifier: Apache-2.0
#include "read/choose_grid.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <gdal_alg.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>

#include "read/extent.hpp"
#include "read/gdal_error.hpp"
#include "read/gdal_handles.hpp"
#include "read/source_dataset.hpp"

namespace rastertide {
namespace {

bool same_place(const Grid& a, const Grid& b) {
    return a.n_cols == b.n_cols && a.n_rows == b.n_rows && a.geotransform == b.geotransform &&
           a.crs_wkt == b.crs_wkt;
}

/// Where a raster lies in another CRS, and the pixel size that keeps its detail: as gdalwarp finds them.
struct Suggestion {
    Extent extent;
    double pixel_size = 0;
};

Suggestion suggest(const Grid& grid, const std::string& name, const std::string& crs_wkt) {
    const GdalErrorCapture errors;
    SourceDataset dataset(grid);
    StringList options;
    options.set("DST_SRS", crs_wkt);
    void* transformer =
        GDALCreateGenImgProjTransformer2(GDALDataset::ToHandle(&dataset), nullptr, options.get());
    std::array<double, 6> geotransform{};
    std::array<double, 4> extent{};
    int n_cols = 0;
    int n_rows = 0;
    const bool found =
        transformer != nullptr &&
        GDALSuggestedWarpOutput2(GDALDataset::ToHandle(&dataset), GDALGenImgProjTransform, transformer,
                                 geotransform.data(), &n_cols, &n_rows, extent.data(), 0) == CE_None;
    if (transformer != nullptr) GDALDestroyGenImgProjTransformer(transformer);
    if (!found) {
        throw InvalidArgument("'" + name + "': has no place in the CRS " + crs_name(crs_wkt) +
                              (errors.text().empty() ? "" : ": " + errors.text()));
    }
    return {{extent[0], extent[1], extent[2], extent[3]}, geotransform[1]};
}

bool is_one_crs(const std::string& a, const std::string& b) {
    return a == b || (!a.empty() && !b.empty() && is_same_crs(a, b));
}

/// What the scenes cover in the CRS of the target.
class Coverage {
  public:
    Coverage(const std::vector<Grid>& grids, const std::vector<std::string>& names,
             const std::string& crs_wkt) {
        for (std::size_t i = 0; i < grids.size(); ++i) {
            if (i > 0 && same_place(grids[i], grids[i - 1])) continue;
            add(grids[i], names[i], crs_wkt);
        }
    }

    Extent extent(Align align) const { return align == Align::Intersection ? intersection_ : union_; }
    double pixel_size() const { return pixel_size_; }

  private:
    void add(const Grid& grid, const std::string& name, const std::string& crs_wkt) {
        Suggestion scene;
        if (is_one_crs(grid.crs_wkt, crs_wkt)) {
            const std::array<double, 6>& c = grid.geotransform.c;
            scene = {extent_of(grid), std::min(std::hypot(c[1], c[4]), std::hypot(c[2], c[5]))};
        } else {
            scene = suggest(grid, name, crs_wkt);
        }
        const bool first = pixel_size_ == 0;
        union_ = first ? scene.extent : unite(union_, scene.extent);
        intersection_ = first ? scene.extent : intersect(intersection_, scene.extent);
        pixel_size_ = first ? scene.pixel_size : std::min(pixel_size_, scene.pixel_size);
    }

    Extent union_;
    Extent intersection_;
    double pixel_size_ = 0;
};

std::int64_t count(double span, double size, const char* option) {
    const double n = std::floor(span / size + 0.5);
    if (!(n < std::numeric_limits<int>::max())) {
        throw InvalidArgument(std::string(option) + ": more pixels than a raster can have");
    }
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(n));
}

/// Outwards to multiples of the pixel size. Rounding must not add a pixel to a multiple.
Extent snapped(const Extent& extent, double xres, double yres) {
    constexpr double kRounding = 1e-6;
    return {
        std::floor(extent.xmin / xres + kRounding) * xres, std::floor(extent.ymin / yres + kRounding) * yres,
        std::ceil(extent.xmax / xres - kRounding) * xres, std::ceil(extent.ymax / yres - kRounding) * yres};
}

Grid new_grid(Extent extent, const GridOptions& options, double pixel_size, const std::string& crs_wkt) {
    double xres = options.tr ? (*options.tr)[0] : pixel_size;
    double yres = options.tr ? (*options.tr)[1] : pixel_size;
    if (options.tap) extent = snapped(extent, xres, yres);
    Grid grid;
    grid.n_cols = count(extent.xmax - extent.xmin, xres, "-tr");
    grid.n_rows = count(extent.ymax - extent.ymin, yres, "-tr");
    if (options.te && !options.tr) {  // the extent is the user's word, the pixel size is not
        xres = (extent.xmax - extent.xmin) / static_cast<double>(grid.n_cols);
        yres = (extent.ymax - extent.ymin) / static_cast<double>(grid.n_rows);
    }
    grid.geotransform.c = {extent.xmin, xres, 0, extent.ymax, 0, -yres};
    grid.crs_wkt = crs_wkt;
    grid.has_geotransform = true;
    return grid;
}

/// The first scene's pixels over another extent.
Grid same_pixels(const Grid& first, const Extent& extent, const GridOptions& options) {
    const bool inwards = options.align == Align::Intersection;
    const char* option = options.te ? "-te" : "-align";
    const Window window =
        inwards ? pixels_inwards(first, extent, option) : pixels_outwards(first, extent, option);
    if (window.empty()) throw InvalidArgument("-align intersection: no pixel lies in all scenes");
    return first.subset(window);
}

void require_places(const std::vector<Grid>& grids, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < grids.size(); ++i) {
        if (grids[i].has_geotransform) continue;
        throw InvalidArgument("'" + names[i] +
                              "': has no geotransform, expected one to choose a grid; -a_ullr gives one");
    }
}

}  // namespace

Grid choose_grid(const std::vector<Grid>& grids, const std::vector<std::string>& names,
                 const GridOptions& options) {
    require_places(grids, names);
    const Grid& first = grids.front();
    const std::string crs_wkt = options.t_srs.empty() ? first.crs_wkt : crs_from_user_input(options.t_srs);
    const Coverage coverage(grids, names, crs_wkt);
    Extent extent = coverage.extent(options.align);
    if (extent.empty()) {
        throw InvalidArgument("-align intersection: the scenes have no common area; -align union spans all");
    }
    if (options.te) {
        const auto& [xmin, ymin, xmax, ymax] = *options.te;
        const std::string from = options.te_srs.empty() ? crs_wkt : crs_from_user_input(options.te_srs);
        const Extent asked = to_crs({xmin, ymin, xmax, ymax}, from, crs_wkt, "-te");
        if (intersect(asked, extent).empty()) {
            throw InvalidArgument("-te " + asked.text() + ": does not meet the stack, which spans " +
                                  extent.text());
        }
        extent = asked;
    }
    if (!options.tr && is_one_crs(crs_wkt, first.crs_wkt)) return same_pixels(first, extent, options);
    return new_grid(extent, options, coverage.pixel_size(), crs_wkt);
}

Window window_of_grid(const Grid& grid, const GridOptions& options) {
    if (!options.projwin) return grid.extent();
    const auto& [ulx, uly, lrx, lry] = *options.projwin;
    const std::string from =
        options.projwin_srs.empty() ? grid.crs_wkt : crs_from_user_input(options.projwin_srs);
    const Extent asked =
        to_crs({std::min(ulx, lrx), std::min(uly, lry), std::max(ulx, lrx), std::max(uly, lry)}, from,
               grid.crs_wkt, "-projwin");
    const Window window = intersect(pixels_outwards(grid, asked, "-projwin"), grid.extent());
    if (window.empty()) {
        throw InvalidArgument("-projwin " + asked.text() +
                              " (xmin ymin xmax ymax): does not meet the stack, " + "which spans " +
                              extent_of(grid).text());
    }
    return window;
}

}  // namespace rastertide
