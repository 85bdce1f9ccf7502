// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>

#include <nlohmann/json.hpp>

#include <rastertide/core/error.hpp>
#include <rastertide/core/stop.hpp>
#include <rastertide/pipeline/run_simulate.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/tile/tiling.hpp>
#include <rastertide/write/stack_writer.hpp>
#include <rastertide/write/text_file.hpp>

#include "pipeline/simulate/scene.hpp"
#include "pipeline/tile_loop.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMinSize = 8;  // room for sea and land on every row
constexpr std::int64_t kMaxSize = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxDates = 65535;  // bands of a TIFF: the truth's
constexpr std::int64_t kChunk = 128;
constexpr std::int64_t kProcessBytes = std::int64_t{96} << 20;  // the program with its libraries
constexpr std::int64_t kFirstDay = 17899;                       // 2019-01-03, since 1970-01-01
constexpr std::int64_t kDaysBetweenScenes = 6;
constexpr const char* kPrefix = "sim";

void check_size(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value >= least && value <= most) return;
    throw InvalidArgument(std::string(name) + " " + std::to_string(value) + ": expected " +
                          std::to_string(least) + " to " + std::to_string(most));
}

bool is_one_file(const std::string& output) {
    const std::string extension = fs::path(output).extension().string();
    return extension == ".h5" || extension == ".hdf5" || extension == ".nc";
}

StackLayout make_layout(const SimulateOptions& options) {
    StackLayout layout;
    layout.grid.n_cols = options.n_cols;
    layout.grid.n_rows = options.n_rows;
    layout.grid.geotransform.c = {480000, 10, 0, 5990000, 0, -10};
    layout.grid.has_geotransform = true;
    layout.grid.crs_wkt = crs_from_user_input("EPSG:32632");
    for (std::int64_t i = 0; i < options.n_dates; ++i) {
        constexpr std::int64_t kSecondsPerDay = 86400;
        layout.dates.push_back({(kFirstDay + i * kDaysBetweenScenes) * kSecondsPerDay, false});
    }
    layout.units = "1";
    layout.chunk_n_cols = kChunk;
    layout.chunk_n_rows = kChunk;
    layout.overwrite = options.overwrite;
    layout.creation_options = options.creation_options;
    return layout;
}

/// Two tiles are held at a time: one is rendered while the other is written.
TilePlan plan_tiles(const SimulateOptions& options) {
    TileRequest request;
    request.n_cols = options.n_cols;
    request.n_rows = options.n_rows;
    request.block_n_cols = kChunk;
    request.block_n_rows = kChunk;
    request.bytes_per_source_pixel = Scene::scratch_bytes_per_pixel();
    request.bytes_per_shard_pixel = 2 * options.n_dates * std::int64_t{sizeof(float) + sizeof(std::uint8_t)};
    const std::int64_t fixed = kProcessBytes + Scene::event_bytes(options.n_rows, options.n_cols);
    request.budget_bytes = options.memory_limit_bytes - fixed;
    if (request.budget_bytes <= 0) {
        throw InvalidArgument("-mem " + std::to_string(options.memory_limit_bytes >> 20) + " MB: more than " +
                              std::to_string(fixed >> 20) + " MB are needed before the first tile");
    }
    return make_tiles(request);
}

const char* kind_name(EventKind kind) {
    constexpr std::array kNames = {"none", "ship", "storm", "change"};
    return kNames.at(static_cast<std::size_t>(kind));
}

std::string event_json(const PlantedEvent& event, const StackLayout& layout) {
    const auto date = [&](std::int64_t i) { return layout.dates[static_cast<std::size_t>(i)].iso(); };
    const std::int64_t last = event.first_date + event.n_dates - 1;
    return nlohmann::ordered_json{{"kind", kind_name(event.kind)},
                                  {"value", static_cast<int>(event.kind)},
                                  {"first_index", event.first_date},
                                  {"last_index", last},
                                  {"first_date", date(event.first_date)},
                                  {"last_date", date(last)},
                                  {"row", event.window.row},
                                  {"col", event.window.col},
                                  {"n_rows", event.window.n_rows},
                                  {"n_cols", event.window.n_cols}}
        .dump();
}

/// An event a line: a large stack has tens of thousands.
std::string truth_json(const SimulateOptions& options, const StackLayout& layout, const Scene& scene) {
    const std::vector<PlantedEvent> events = scene.events();
    nlohmann::ordered_json head = {{"seed", options.seed},
                                   {"n_dates", options.n_dates},
                                   {"n_rows", options.n_rows},
                                   {"n_cols", options.n_cols},
                                   {"looks", options.looks},
                                   {"nodata_fraction", options.nodata_fraction},
                                   {"first_date", layout.dates.front().iso()},
                                   {"last_date", layout.dates.back().iso()},
                                   {"crs", crs_name(layout.grid.crs_wkt)},
                                   {"geotransform", layout.grid.geotransform.c},
                                   {"nodata_indices", scene.swath_dates()}};
    for (const EventKind kind : {EventKind::Ship, EventKind::Storm, EventKind::Change}) {
        head["counts"][kind_name(kind)] = std::count_if(
            events.begin(), events.end(), [&](const PlantedEvent& event) { return event.kind == kind; });
    }
    std::string text = head.dump(2);
    text.erase(text.rfind('\n'));  // the closing brace comes after the events
    text += ",\n  \"events\": [";
    for (std::size_t i = 0; i < events.size(); ++i) {
        text += (i == 0 ? "\n    " : ",\n    ") + event_json(events[i], layout);
    }
    return text + "\n  ]\n}\n";
}

/// A tile's stack and truth.
struct TileBuffers {
    std::vector<float> values;
    std::vector<std::uint8_t> truth;

    void resize(std::int64_t n) {
        values.resize(static_cast<std::size_t>(n));
        truth.resize(static_cast<std::size_t>(n));
    }
};

void write_tiles(const Scene& scene, const SimulateOptions& options, const TilePlan& plan, StackWriter& stack,
                 LabelWriter& truth, const ProgressFn& progress) {
    std::array<TileBuffers, 2> buffers;
    PendingWrite pending;
    for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
        throw_if_stopped();
        const Window window = plan.tiles[i].shard;
        TileBuffers& tile = buffers[i % 2];
        tile.resize(checked_mul(options.n_dates, window.n_pixels()));
        scene.render(window, options.n_threads, tile.values.data(), tile.truth.data());
        pending.start([&stack, &truth, &tile, window] {
            stack.write(window, tile.values.data());
            truth.write(window, tile.truth.data());
        });
        if (progress) progress(static_cast<double>(i + 1) / static_cast<double>(plan.tiles.size() + 1));
    }
    pending.wait();
}

}  // namespace

void SimulateOptions::validate() const {
    if (output.empty()) throw InvalidArgument("no output: expected a file .h5 or .nc, or a folder");
    check_size("-n_dates", n_dates, 1, kMaxDates);
    check_size("-outsize, columns:", n_cols, kMinSize, kMaxSize);
    check_size("-outsize, rows:", n_rows, kMinSize, kMaxSize);
    if (!std::isfinite(looks) || looks <= 0) {
        throw InvalidArgument("-looks " + std::to_string(looks) + ": expected more than 0");
    }
    if (!(nodata_fraction >= 0 && nodata_fraction <= 1)) {
        throw InvalidArgument("-nodata_fraction " + std::to_string(nodata_fraction) + ": expected 0 to 1");
    }
    if (is_one_file(output) && !creation_options.empty()) {
        throw InvalidArgument("-co " + creation_options.front() +
                              ": only a folder of GeoTIFFs takes creation options");
    }
}

/// "out/a.h5" -> "out/a", "out/b/" -> "out/b"
std::string SimulateOptions::truth_stem() const {
    if (is_one_file(output)) return fs::path(output).replace_extension().string();
    const std::size_t end = output.find_last_not_of('/');
    return end == std::string::npos ? output : output.substr(0, end + 1);
}

void run_simulate(const SimulateOptions& options, const Logger& logger, const ProgressFn& progress) {
    options.validate();
    const std::string stem = options.truth_stem();
    const std::string json_path = stem + "_truth.json";
    if (!options.overwrite && fs::exists(json_path)) {
        throw IoError("'" + json_path + "': the file exists; -overwrite replaces it");
    }
    const TilePlan plan = plan_tiles(options);
    StackLayout layout = make_layout(options);
    const auto stack = is_one_file(options.output) ? make_hdf5_stack(options.output, layout)
                                                   : make_geotiff_stack(stem, kPrefix, layout);
    StackLayout truth_layout = layout;
    truth_layout.variable = "truth";
    truth_layout.units.clear();
    truth_layout.creation_options.clear();
    const auto truth = make_label_stack(stem + "_truth.tif", truth_layout, kTruthNodata);
    const Scene scene({options.n_dates, options.n_rows, options.n_cols, options.seed, options.looks,
                       options.nodata_fraction});
    log(logger, LogLevel::Info,
        std::to_string(options.n_dates) + " dates of " + std::to_string(options.n_cols) + " x " +
            std::to_string(options.n_rows) + " pixels in " + std::to_string(plan.tiles.size()) + " tiles");
    write_tiles(scene, options, plan, *stack, *truth, progress);
    truth->close();
    write_text_file(json_path, truth_json(options, layout, scene));
    try {
        stack->close();  // last: where the stack is, its truth is
    } catch (...) {
        std::error_code ignored;
        for (const std::string& file : {json_path, stem + "_truth.tif"}) fs::remove(file, ignored);
        throw;
    }
    if (progress) progress(1);
}

}  // namespace rastertide
