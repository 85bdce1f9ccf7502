// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/grid/window.hpp>
#include <rastertide/read/dates.hpp>

namespace rastertide {

/// How pixel values enter the analysis.
enum class PixelScale {
    Linear,  ///< as they are
    Db,      ///< 10 log10(value); zero and negative values become NaN
};

/// The word of -scale: "linear" or "db".
std::string to_string(PixelScale scale);

/// A band as GDAL opens it, for VRTs that refer to it.
struct GdalBand {
    std::string dataset;  ///< file or connection string; empty: GDAL does not give the pixels as we read them
    int band = 1;         ///< GDAL's number, from 1
    std::optional<double> nodata;  ///< before scale and offset
    /// Whether GDAL's mask band marks more than a nodata value (its flags are neither GMF_ALL_VALID nor
    /// GMF_NODATA); a pixel must then be valid in both.
    bool has_mask = false;
    double scale = 1, offset = 0;  ///< value = stored * scale + offset
};

/// What of one scene of a series is known without reading pixels.
struct SceneInfo {
    std::string name;             ///< path or subdataset, and band where one file holds several dates
    std::optional<Date> date;     ///< nothing: unknown (then no scene of the series has one)
    std::string date_source;      ///< "file name", "CF time", "-dates", ...; empty if unknown
    std::vector<GdalBand> bands;  ///< [n_bands]
    std::string mask{};           ///< what -mask says of it: path, and band where one file holds several
};

/// An input that could not be read, and so is no part of a series.
struct LeftOutInput {
    std::string name;   ///< as given; ", band N" follows where one raster holds the series
    std::string error;  ///< why
};

/// A co-registered stack of dated rasters, read by window. Not thread-safe: one thread reads at a time, any
/// thread.
class RasterSeries {
  public:
    struct Impl;
    explicit RasterSeries(std::unique_ptr<Impl> impl);
    RasterSeries(RasterSeries&&) noexcept;
    RasterSeries& operator=(RasterSeries&&) noexcept;
    ~RasterSeries();

    const Grid& grid() const;
    std::int64_t n_dates() const;
    /// Features a pixel has at a date (2 for VV and VH).
    std::int64_t n_bands() const;
    /// One per date, in the series' order: by date, scenes of one date in the order they were given.
    const std::vector<SceneInfo>& scenes() const;
    /// Names of the bands of a date, n_bands() of them ("VV"; "band 1" where the file has none).
    const std::vector<std::string>& band_names() const;
    /// GDAL's name of the pixel type in the files ("Float32").
    const std::string& data_type() const;
    /// What is declared invalid in the files; nothing if no nodata value is declared.
    std::optional<double> source_nodata() const;
    /// "GTiff", "HDF5", ...
    const std::string& format() const;
    /// The window shape that the files read well, in pixels (the whole width for strips).
    std::int64_t block_n_cols() const;
    std::int64_t block_n_rows() const;
    /// Every file that the stack is read from, those that a VRT refers to included.
    std::vector<std::string> files() const;
    /// Whether AREA_OR_POINT of the inputs is Point.
    bool pixel_is_point() const;
    /// Whether ground control points say where the first raster lies: grid() may then have no geotransform.
    bool has_ground_control_points() const;

    /// What SeriesOptions::skip_errors left out.
    const std::vector<LeftOutInput>& left_out() const;

    /// Reads a window of all dates and bands.
    ///
    /// @param window  inside grid().extent()
    /// @param out     [n_dates][n_bands][window.n_rows][window.n_cols]. A pixel that the file's mask or
    /// nodata value marks, or that is
    ///                not finite, becomes NaN; scale and offset of the file are applied, then PixelScale
    /// @throws UnreadableInput  naming file, band, window and the library's text
    /// @throws InvalidArgument  naming file and band: a valid value is beyond 1e17 in magnitude
    void read(const Window& window, float* out);
    /// Dates first_date to first_date + n_dates - 1 only: out is [n_dates][n_bands][...].
    void read(const Window& window, std::int64_t first_date, std::int64_t n_dates, float* out);
    /// Reads all inputs through, in whole blocks where max_values allows, or this part's share of them.
    /// @param part        from 0
    /// @param max_values  pixels that are held at a time
    /// @return  those that cannot be read
    /// @throws Stopped  after request_stop()
    std::vector<LeftOutInput> find_unreadable(std::int64_t part, std::int64_t n_parts,
                                              std::int64_t max_values);

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace rastertide
