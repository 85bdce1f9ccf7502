// SPDX-License-Identifier: Apache-2.0
#include "pipeline/simulate/scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>
#include <utility>

#include "core/parallel_for.hpp"
#include "core/counter_random.hpp"
#include "pipeline/simulate/speckle.hpp"

namespace rastertide {
namespace {

constexpr double kSeaPower = 0.02;
constexpr double kLandOverSea = 8.0;
constexpr double kCoastWidthPx = 1.0;  // of the logistic from sea to land

constexpr std::array<std::int64_t, 3> kTextureScalesPx = {4, 12, 28};
constexpr double kTextureLogSd = 0.0625;  // of each scale: 11% in all

constexpr double kSeasonAmplitude = 0.15;
constexpr double kSeasonDates = 60.8;  // a year of scenes six days apart
constexpr double kSceneGainSd = 0.05;

constexpr std::int64_t kPixelsPerShip = 400;
constexpr std::int64_t kMinShips = 3;
constexpr float kShipPower = 3.0F;
constexpr std::int64_t kShipReachPx = 5;  // beyond it the blob is below 1e-5
constexpr std::int64_t kShipTruthPx = 2;

constexpr double kStormsPerDate = 3.0 / 363.0;
constexpr float kStormSeaFactor = 4.0F;

constexpr std::int64_t kPixelsPerChange = 2000;
constexpr std::int64_t kChangeHalfPx = 6;
constexpr float kChangeFactor = 0.15F;
// The shortest are outliers to ten neighbours, the longest are a second normal state.
constexpr std::int64_t kMinChangeDates = 3;
constexpr std::int64_t kMaxChangeDates = 60;

std::int64_t n_ships(std::int64_t n_pixels) { return std::max(kMinShips, n_pixels / kPixelsPerShip); }
std::int64_t n_changes(std::int64_t n_pixels) {
    return std::max<std::int64_t>(1, n_pixels / kPixelsPerChange);
}

RandomWords draw(std::uint64_t seed, RandomStream stream, std::int64_t index) {
    const auto wide = static_cast<std::uint64_t>(index);
    return philox(seed, {static_cast<std::uint32_t>(wide), static_cast<std::uint32_t>(wide >> 32), 0,
                         stream_word(stream)});
}

/// A whole number in [0, n), n >= 1.
std::int64_t below(std::uint32_t word, std::int64_t n) {
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(n)) >>
                                     32);
}

double standard_normal(const RandomWords& words) {
    return std::sqrt(-2.0 * std::log(unit_double(words.a))) *
           std::cos(2.0 * std::numbers::pi * unit_double(words.b));
}

/// `count` dates out of n_dates, ascending: those with the smallest random words.
std::vector<std::int64_t> choose_dates(std::uint64_t seed, RandomStream stream, std::int64_t n_dates,
                                       std::int64_t count) {
    std::vector<std::pair<std::uint32_t, std::int64_t>> keyed;
    for (std::int64_t date = 0; date < n_dates; ++date) keyed.emplace_back(draw(seed, stream, date).a, date);
    std::sort(keyed.begin(), keyed.end());
    std::vector<std::int64_t> dates;
    for (std::int64_t i = 0; i < std::min(count, n_dates); ++i) {
        dates.push_back(keyed[static_cast<std::size_t>(i)].second);
    }
    std::sort(dates.begin(), dates.end());
    return dates;
}

/// 3t^2 - 2t^3: value noise without creases at the lattice lines.
double smooth_step(double t) { return t * t * (3.0 - 2.0 * t); }

double lattice_value(std::uint64_t seed, std::uint32_t octave, std::int64_t i_row, std::int64_t i_col) {
    const RandomWords words =
        philox(seed, {static_cast<std::uint32_t>(i_col), static_cast<std::uint32_t>(i_row), octave,
                      stream_word(RandomStream::Texture)});
    return 2.0 * unit_double(words.a) - 1.0;
}

/// Elements of a list ordered by row whose row is in [first_row, end_row).
template <class Item, class Visit>
void visit_rows(const std::vector<Item>& by_row, std::int64_t first_row, std::int64_t end_row, Visit visit) {
    auto item = std::lower_bound(by_row.begin(), by_row.end(), first_row,
                                 [](const Item& a, std::int64_t row) { return a.row < row; });
    for (; item != by_row.end() && item->row < end_row; ++item) visit(*item);
}

}  // namespace

/// What all dates share of the window's rows.
struct Scene::Surface {
    std::vector<float> power;
    std::vector<float> storm_factor;  // 1 on land
};

/// A row of a window at a date.
struct Scene::Row {
    std::int64_t date;
    std::int64_t row;
    std::int64_t i_row;  // in the window
    const Window& window;
    float* level;  // power without speckle
    float* values;
    std::uint8_t* truth;

    /// Calls visit(i) for the columns [first_col, end_col) of the raster that lie in the window.
    template <class Visit>
    void for_cols(std::int64_t first_col, std::int64_t end_col, Visit visit) const {
        const std::int64_t end = std::min(end_col, window.end_col()) - window.col;
        for (std::int64_t i = std::max<std::int64_t>(0, first_col - window.col); i < end; ++i) visit(i);
    }
};

Scene::Scene(const SceneParams& params) : params_(params) {
    plan_gains();
    plan_ships();
    plan_storms();
    plan_changes();
    plan_swaths();
}

double Scene::coast_col(std::int64_t row) const {
    const double y = static_cast<double>(row) / static_cast<double>(params_.n_rows);
    return static_cast<double>(params_.n_cols) * (0.5 + 0.12 * std::sin(6 * y) + 0.05 * std::sin(23 * y + 1));
}

std::int64_t Scene::sea_cols(std::int64_t row) const {
    const auto cols = static_cast<std::int64_t>(std::ceil(coast_col(row) - 0.5));
    return std::clamp<std::int64_t>(cols, 1, params_.n_cols - 1);
}

Window Scene::box(std::int64_t row, std::int64_t col, std::int64_t before, std::int64_t after) const {
    return intersect({col - before, row - before, before + after, before + after},
                     {0, 0, params_.n_cols, params_.n_rows});
}

void Scene::plan_gains() {
    for (std::int64_t date = 0; date < params_.n_dates; ++date) {
        const double season =
            1 + kSeasonAmplitude * std::sin(2 * std::numbers::pi * static_cast<double>(date) / kSeasonDates);
        const double scene =
            std::exp(kSceneGainSd * standard_normal(draw(params_.seed, RandomStream::SceneGain, date)));
        gains_.push_back(static_cast<float>(season * scene));
    }
}

void Scene::plan_ships() {
    const std::int64_t n = n_ships(params_.n_rows * params_.n_cols);
    ships_.reserve(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
        const RandomWords words = draw(params_.seed, RandomStream::Ship, i);
        const std::int64_t row = below(words.b, params_.n_rows);
        ships_.push_back({static_cast<std::int32_t>(below(words.a, params_.n_dates)),
                          static_cast<std::int32_t>(row),
                          static_cast<std::int32_t>(below(words.c, sea_cols(row)))});
    }
    std::sort(ships_.begin(), ships_.end(), [](const Ship& a, const Ship& b) {
        return std::tie(a.row, a.col, a.date) < std::tie(b.row, b.col, b.date);
    });
}

void Scene::plan_storms() {
    const auto n =
        std::max<std::int64_t>(1, std::llround(kStormsPerDate * static_cast<double>(params_.n_dates)));
    stormy_.assign(static_cast<std::size_t>(params_.n_dates), false);
    for (const std::int64_t date : choose_dates(params_.seed, RandomStream::Storm, params_.n_dates, n)) {
        stormy_[static_cast<std::size_t>(date)] = true;
    }
}

void Scene::plan_changes() {
    const std::int64_t n = n_changes(params_.n_rows * params_.n_cols);
    const std::int64_t n_dates = params_.n_dates;
    const std::int64_t shortest = std::min(n_dates, kMinChangeDates);
    const std::int64_t longest = std::clamp<std::int64_t>(n_dates / 2, shortest, kMaxChangeDates);
    changes_.reserve(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
        const RandomWords words = draw(params_.seed, RandomStream::Change, i);
        const std::int64_t row = below(words.b, params_.n_rows);
        const std::int64_t n_sea = sea_cols(row);
        const std::int64_t first = n_dates / 4 + below(words.a, std::max<std::int64_t>(1, n_dates / 2));
        // Log-uniform: as many from 3 to 12 dates as from 12 to 48.
        const auto length = static_cast<std::int64_t>(
            static_cast<double>(shortest) *
            std::pow(static_cast<double>(longest + 1) / static_cast<double>(shortest), unit_double(words.d)));
        changes_.push_back({static_cast<std::int32_t>(first),
                            static_cast<std::int32_t>(std::min(length, n_dates - first)),
                            static_cast<std::int32_t>(row),
                            static_cast<std::int32_t>(n_sea + below(words.c, params_.n_cols - n_sea))});
    }
    std::sort(changes_.begin(), changes_.end(), [](const Change& a, const Change& b) {
        return std::tie(a.row, a.col, a.first_date, a.n_dates) <
               std::tie(b.row, b.col, b.first_date, b.n_dates);
    });
}

void Scene::plan_swaths() {
    const auto n = std::llround(params_.nodata_fraction * static_cast<double>(params_.n_dates));
    swaths_.resize(static_cast<std::size_t>(params_.n_dates));
    for (const std::int64_t date : choose_dates(params_.seed, RandomStream::Swath, params_.n_dates, n)) {
        const RandomWords words = draw(params_.seed, RandomStream::Swath, date);
        const bool upper_left = (words.b & 1U) != 0;
        const double share = 0.4 + 0.4 * unit_double(words.c);  // of the way to the far corner
        swaths_[static_cast<std::size_t>(date)] = {true, upper_left, upper_left ? share : 2 - share};
    }
}

std::vector<PlantedEvent> Scene::events() const {
    std::vector<PlantedEvent> events;
    events.reserve(ships_.size() + changes_.size());
    for (const Ship& ship : ships_) {
        events.push_back(
            {EventKind::Ship, ship.date, 1, box(ship.row, ship.col, kShipTruthPx, kShipTruthPx + 1)});
    }
    for (std::int64_t date = 0; date < params_.n_dates; ++date) {
        if (!stormy_[static_cast<std::size_t>(date)]) continue;
        events.push_back({EventKind::Storm, date, 1, {0, 0, params_.n_cols, params_.n_rows}});
    }
    for (const Change& change : changes_) {
        events.push_back({EventKind::Change, change.first_date, change.n_dates,
                          box(change.row, change.col, kChangeHalfPx, kChangeHalfPx)});
    }
    return events;
}

std::vector<std::int64_t> Scene::swath_dates() const {
    std::vector<std::int64_t> dates;
    for (std::size_t date = 0; date < swaths_.size(); ++date) {
        if (swaths_[date].present) dates.push_back(static_cast<std::int64_t>(date));
    }
    return dates;
}

std::int64_t Scene::scratch_bytes_per_pixel() { return 2 * std::int64_t{sizeof(float)}; }

std::int64_t Scene::event_bytes(std::int64_t n_rows, std::int64_t n_cols) {
    const std::int64_t n_pixels = checked_mul(n_rows, n_cols);
    return n_ships(n_pixels) * std::int64_t{sizeof(Ship)} +
           n_changes(n_pixels) * std::int64_t{sizeof(Change)};
}

void Scene::add_texture(std::int64_t row, std::int64_t first_col, std::int64_t n_cols, std::uint32_t octave,
                        double* log_power) const {
    // Of value noise between uniform values, averaged over a cell.
    constexpr double kValueNoiseSd = 0.4290;
    const std::int64_t scale = kTextureScalesPx[octave];
    const std::int64_t i_row = row / scale;
    const double down = smooth_step(static_cast<double>(row % scale) / static_cast<double>(scale));
    const auto lattice = [&](std::int64_t i_col) {
        return (1 - down) * lattice_value(params_.seed, octave, i_row, i_col) +
               down * lattice_value(params_.seed, octave, i_row + 1, i_col);
    };
    for (std::int64_t col = first_col; col < first_col + n_cols;) {
        const std::int64_t i_col = col / scale;
        const double left = lattice(i_col);
        const double right = lattice(i_col + 1);
        const std::int64_t end = std::min((i_col + 1) * scale, first_col + n_cols);
        for (; col < end; ++col) {
            const double across = smooth_step(static_cast<double>(col % scale) / static_cast<double>(scale));
            log_power[col - first_col] +=
                kTextureLogSd / kValueNoiseSd * ((1 - across) * left + across * right);
        }
    }
}

void Scene::fill_surface(std::int64_t row, const Window& window, Surface& surface) const {
    std::vector<double> log_power(static_cast<std::size_t>(window.n_cols), std::log(kSeaPower));
    for (std::uint32_t octave = 0; octave < kTextureScalesPx.size(); ++octave) {
        add_texture(row, window.col, window.n_cols, octave, log_power.data());
    }
    const double coast = coast_col(row);
    const std::int64_t first = (row - window.row) * window.n_cols;
    for (std::int64_t i = 0; i < window.n_cols; ++i) {
        const double from_coast = static_cast<double>(window.col + i) + 0.5 - coast;
        const double land = 1 / (1 + std::exp(-from_coast / kCoastWidthPx));
        const auto pixel = static_cast<std::size_t>(first + i);
        surface.power[pixel] = static_cast<float>(
            std::exp(log_power[static_cast<std::size_t>(i)] + land * std::log(kLandOverSea)));
        surface.storm_factor[pixel] = static_cast<float>(1 + (1 - land) * (kStormSeaFactor - 1));
    }
}

void Scene::render(const Window& window, int n_threads, float* values, std::uint8_t* truth) const {
    const std::int64_t n_pixels = window.n_pixels();
    Surface surface{std::vector<float>(static_cast<std::size_t>(n_pixels)),
                    std::vector<float>(static_cast<std::size_t>(n_pixels))};
    parallel_for(window.n_rows, n_threads,
                 [&](std::int64_t i) { fill_surface(window.row + i, window, surface); });
    parallel_for(checked_mul(params_.n_dates, window.n_rows), n_threads, [&](std::int64_t task) {
        std::vector<float> level(static_cast<std::size_t>(window.n_cols));
        const std::int64_t i_row = task % window.n_rows;
        const std::int64_t first = task * window.n_cols;
        render_row({task / window.n_rows, window.row + i_row, i_row, window, level.data(), values + first,
                    truth + first},
                   surface);
    });
}

void Scene::render_row(const Row& row, const Surface& surface) const {
    const std::int64_t n_cols = row.window.n_cols;
    const float* power = surface.power.data() + row.i_row * n_cols;
    const float gain = gains_[static_cast<std::size_t>(row.date)];
    for (std::int64_t i = 0; i < n_cols; ++i) row.level[i] = power[i] * gain;
    std::fill_n(row.truth, n_cols, static_cast<std::uint8_t>(EventKind::None));
    plant_storm(row, surface);
    plant_changes(row);
    plant_ships(row);  // last: a ship in a storm is marked as a ship
    fill_speckle(params_.seed, row.date, row.row, row.window.col, n_cols, params_.looks, row.values);
    for (std::int64_t i = 0; i < n_cols; ++i) row.values[i] *= row.level[i];
    cut_swath(row);
}

void Scene::plant_storm(const Row& row, const Surface& surface) const {
    if (!stormy_[static_cast<std::size_t>(row.date)]) return;
    const float* factor = surface.storm_factor.data() + row.i_row * row.window.n_cols;
    for (std::int64_t i = 0; i < row.window.n_cols; ++i) row.level[i] *= factor[i];
    row.for_cols(0, sea_cols(row.row),
                 [&](std::int64_t i) { row.truth[i] = static_cast<std::uint8_t>(EventKind::Storm); });
}

void Scene::plant_changes(const Row& row) const {
    const std::int64_t first_land = sea_cols(row.row);
    visit_rows(changes_, row.row - kChangeHalfPx + 1, row.row + kChangeHalfPx + 1, [&](const Change& change) {
        if (row.date < change.first_date || row.date >= change.first_date + change.n_dates) return;
        row.for_cols(std::max(first_land, change.col - kChangeHalfPx), change.col + kChangeHalfPx,
                     [&](std::int64_t i) {
                         // Where two changes overlap the field is not darkened twice.
                         if (row.truth[i] == static_cast<std::uint8_t>(EventKind::Change)) return;
                         row.level[i] *= kChangeFactor;
                         row.truth[i] = static_cast<std::uint8_t>(EventKind::Change);
                     });
    });
}

void Scene::plant_ships(const Row& row) const {
    visit_rows(ships_, row.row - kShipReachPx, row.row + kShipReachPx + 1, [&](const Ship& ship) {
        if (ship.date != row.date) return;
        const std::int64_t down = row.row - ship.row;
        row.for_cols(ship.col - kShipReachPx, ship.col + kShipReachPx + 1, [&](std::int64_t i) {
            const std::int64_t across = row.window.col + i - ship.col;
            row.level[i] += kShipPower * std::exp(-0.5F * static_cast<float>(down * down + across * across));
            if (std::max(std::abs(down), std::abs(across)) <= kShipTruthPx) {
                row.truth[i] = static_cast<std::uint8_t>(EventKind::Ship);
            }
        });
    });
}

void Scene::cut_swath(const Row& row) const {
    const Swath& swath = swaths_[static_cast<std::size_t>(row.date)];
    if (!swath.present) return;
    const double y = (static_cast<double>(row.row) + 0.5) / static_cast<double>(params_.n_rows);
    const auto crossing =
        static_cast<std::int64_t>(std::floor((swath.offset - y) * static_cast<double>(params_.n_cols)));
    const std::int64_t first = swath.upper_left ? 0 : std::clamp<std::int64_t>(crossing, 0, params_.n_cols);
    const std::int64_t end = swath.upper_left ? crossing : params_.n_cols;
    row.for_cols(first, end, [&](std::int64_t i) {
        row.values[i] = std::numeric_limits<float>::quiet_NaN();
        row.truth[i] = kTruthNodata;
    });
}

}  // namespace rastertide
