// SPDX-License-Identifier: Apache-2.0
// Rasters beside a stack that say which of its pixels are valid.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "read/series_impl.hpp"

namespace rastertide {

/// The rasters of -mask: one band for all dates, or one a date. 0, nodata and NaN mean invalid, as for GDAL.
class SeriesMask {
  public:
    /// @param inputs  files and folders. Several single-band rasters, or one of one or more bands
    /// @param max_open_sources  those after that many let go of their files after each read
    /// @throws InvalidArgument, IoError
    SeriesMask(const std::vector<std::string>& inputs, std::size_t max_open_sources);

    /// With their grids as the files have them, until they are brought onto another.
    std::vector<std::unique_ptr<RasterSource>>& sources() { return sources_; }

    /// Gives each scene its mask, in date order: the masks' own, where all have dates, else the order given.
    /// @param scenes  all of the stack, sorted by date
    /// @param skip_errors  scenes may be missing: masks of several are given to scenes by their dates, and
    /// those that are left are left out, too
    /// @throws InvalidArgument  not one mask, and not one for each scene; a mask of another day than its
    /// scene
    void assign(std::vector<Scene>& scenes, bool skip_errors);

    /// Sets what the masks of scenes say is invalid to NaN. @param out  of RasterSeries::read()
    void apply(const Window& window, std::span<const Scene> scenes, std::int64_t n_bands, float* out,
               ReadScratch& scratch);

  private:
    struct Mask {
        std::size_t source = 0;
        int band = 0;  ///< from 0
        std::string name;
        std::optional<Date> date;
    };
    bool all_have_dates() const;
    void keep_those_of(const std::vector<Scene>& scenes);
    void sort_by_date();
    void check_days(const std::vector<Scene>& scenes) const;
    void apply_source(const Window& window, std::span<const Scene> scenes, std::int64_t n_bands, float* out,
                      ReadScratch& scratch);

    std::vector<std::unique_ptr<RasterSource>> sources_;
    std::size_t max_open_sources_;
    std::vector<Mask> masks_;
};

}  // namespace rastertide
