// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <rastertide/grid/window.hpp>

namespace rastertide {

struct SceneParams {
    std::int64_t n_dates = 60;
    std::int64_t n_rows = 256;
    std::int64_t n_cols = 256;
    std::uint64_t seed = 0;
    double looks = 4;
    double nodata_fraction = 0;
};

/// The values of the truth.
enum class EventKind : std::uint8_t { None = 0, Ship = 1, Storm = 2, Change = 3 };
inline constexpr std::uint8_t kTruthNodata = 255;

/// Something planted: on the dates first_date .. first_date + n_dates - 1.
struct PlantedEvent {
    EventKind kind = EventKind::None;
    std::int64_t first_date = 0;
    std::int64_t n_dates = 1;
    Window
        window;  ///< pixels that the truth marks at most (of a change those on land, of a storm those on sea)
};

/// A SAR-like stack whose pixels are functions of (seed, date, row, col): any window can be rendered alone.
///
/// Linear power. Sea on the left, land on the right of a smooth coast line; log-normal texture; a seasonal
/// and a per-scene gain; gamma speckle. Immutable once made: any thread may render.
class Scene {
  public:
    explicit Scene(const SceneParams& params);

    /// Ships, storms, changes: each kind by position or date.
    std::vector<PlantedEvent> events() const;
    /// Dates whose scene has a nodata swath, ascending.
    std::vector<std::int64_t> swath_dates() const;

    /// @param window  inside the raster
    /// @param values  [n_dates][window.n_rows][window.n_cols]; NaN = nodata
    /// @param truth   the same shape; EventKind, or kTruthNodata where the value is NaN
    void render(const Window& window, int n_threads, float* values, std::uint8_t* truth) const;

    /// Memory that render() takes beside its output.
    static std::int64_t scratch_bytes_per_pixel();
    /// Memory that the planted events of a raster of this size take.
    static std::int64_t event_bytes(std::int64_t n_rows, std::int64_t n_cols);

  private:
    struct Surface;
    struct Row;

    /// Columns of a row that are sea: those left of the coast line.
    std::int64_t sea_cols(std::int64_t row) const;
    double coast_col(std::int64_t row) const;
    Window box(std::int64_t row, std::int64_t col, std::int64_t before, std::int64_t after) const;

    void plan_gains();
    void plan_ships();
    void plan_storms();
    void plan_changes();
    void plan_swaths();

    void fill_surface(std::int64_t row, const Window& window, Surface& surface) const;
    void add_texture(std::int64_t row, std::int64_t first_col, std::int64_t n_cols, std::uint32_t octave,
                     double* log_power) const;
    void render_row(const Row& row, const Surface& surface) const;
    void plant_storm(const Row& row, const Surface& surface) const;
    void plant_changes(const Row& row) const;
    void plant_ships(const Row& row) const;
    void cut_swath(const Row& row) const;

    struct Ship {
        std::int32_t date, row, col;
    };
    struct Change {
        std::int32_t first_date, n_dates, row, col;
    };
    /// The part of the raster that a date's scene does not cover: one side of a diagonal.
    struct Swath {
        bool present = false;
        bool upper_left = false;
        double offset = 0;  ///< of the diagonal: col / n_cols + row / n_rows
    };

    SceneParams params_;
    std::vector<float> gains_;     ///< a date
    std::vector<bool> stormy_;     ///< a date
    std::vector<Swath> swaths_;    ///< a date
    std::vector<Ship> ships_;      ///< by row
    std::vector<Change> changes_;  ///< by row
};

}  // namespace rastertide
