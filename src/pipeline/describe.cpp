// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <nlohmann/json.hpp>

#include <rastertide/core/checked.hpp>
#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/describe.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/tile/tiling.hpp>

#include "core/number_text.hpp"
#include "pipeline/memory_plan.hpp"
#include "pipeline/run_record.hpp"
#include "pipeline/stack_problems.hpp"

namespace rastertide {
namespace {

// More scenes than this are summed up by the first and the last one.
constexpr std::size_t kMaxListedScenes = 20;

std::string iso_or_empty(const SceneInfo& scene) { return scene.date ? scene.date->iso() : ""; }

/// JSON has no NaN, and nodata often is.
std::string nodata_text(double nodata) { return std::isnan(nodata) ? "nan" : number_text(nodata); }

Json corner_json(const Grid& grid, std::int64_t col, std::int64_t row) {
    const Geotransform::Point point =
        grid.geotransform.to_map(static_cast<double>(col), static_cast<double>(row));
    return {point.x, point.y};
}

Json grid_json(const Grid& grid) {
    Json json = {{"crs", crs_name(grid.crs_wkt)}, {"crs_wkt", grid.crs_wkt}, {"geotransform", nullptr}};
    if (!grid.has_geotransform) return json;
    json["geotransform"] = grid.geotransform.c;
    json["upper_left"] = corner_json(grid, 0, 0);
    json["upper_right"] = corner_json(grid, grid.n_cols, 0);
    json["lower_left"] = corner_json(grid, 0, grid.n_rows);
    json["lower_right"] = corner_json(grid, grid.n_cols, grid.n_rows);
    return json;
}

Json scenes_json(const RasterSeries& series) {
    Json scenes = Json::array();
    for (const SceneInfo& scene : series.scenes()) {
        scenes.push_back({{"name", scene.name},
                          {"date", scene.date ? Json(scene.date->iso()) : Json(nullptr)},
                          {"date_source", scene.date_source}});
        if (!scene.mask.empty()) scenes.back()["mask"] = scene.mask;
    }
    return scenes;
}

/// The tile plan, or null with the reason among the problems.
Json plan_json(const RasterSeries& series, const DescribeOptions& options,
               std::vector<std::string>& problems) {
    try {
        options.lof.validate(series.n_dates());
        TileRequest request = make_tile_request(series, options.lof.patch_size,
                                                lof_memory_needs(series, options.lof, options.compute),
                                                options.memory_limit_bytes, options.node_size);
        request.tile_n_cols = options.tile_n_cols;
        request.tile_n_rows = options.tile_n_rows;
        const TilePlan plan = make_tiles(request);
        std::int64_t n_locations = 0;
        for (const Tile& tile : plan.tiles) n_locations += tile.locations.n_pixels();
        const std::int64_t n_pixels = series.grid().extent().n_pixels();
        return {{"patch", options.lof.patch_size},
                {"neighbors", options.lof.neighbors},
                {"locations", n_locations},
                {"scores", checked_mul(n_locations, series.n_dates())},
                {"tile", {plan.tile_n_cols, plan.tile_n_rows}},
                {"tiles", plan.tiles.size()},
                {"product_bytes", checked_mul(n_pixels, series.n_dates(), std::int64_t{5}) + 8 * n_pixels},
                {"memory_limit_bytes", options.memory_limit_bytes}};
    } catch (const InvalidArgument& error) {
        problems.emplace_back(error.what());
        return nullptr;
    }
}

Json devices_json() {
    Json devices = Json::array();
    for (const DeviceInfo& device : cuda_devices()) {
        devices.push_back(
            {{"name", device.name},
             {"compute_capability", std::to_string(device.major) + "." + std::to_string(device.minor)},
             {"memory_bytes", device.total_bytes}});
    }
    return devices;
}

Json describe(const RasterSeries& series, const DescribeOptions& options) {
    const Grid& grid = series.grid();
    const std::vector<SceneInfo>& scenes = series.scenes();
    std::vector<std::string> problems = stack_problems(series);
    const Json plan = plan_json(series, options, problems);
    const std::int64_t bytes = checked_mul(grid.extent().n_pixels(), series.n_dates(), series.n_bands()) *
                               std::int64_t{sizeof(float)};
    return {{"format", series.format()},
            {"data_type", series.data_type()},
            {"nodata", series.source_nodata() ? Json(nodata_text(*series.source_nodata())) : Json(nullptr)},
            {"size", {grid.n_cols, grid.n_rows}},
            {"grid", grid_json(grid)},
            {"area_or_point", series.pixel_is_point() ? "Point" : "Area"},
            {"block", {series.block_n_cols(), series.block_n_rows()}},
            {"bands", series.band_names()},
            {"dates", series.n_dates()},
            {"first_date", iso_or_empty(scenes.front())},
            {"last_date", iso_or_empty(scenes.back())},
            {"float32_bytes", bytes},
            {"lof", plan},
            {"devices", devices_json()},
            {"why_no_cuda", why_no_cuda().empty() ? Json(nullptr) : Json(why_no_cuda())},
            {"problems", problems},
            {"left_out", left_out_json(series.left_out())},
            {"scenes", scenes_json(series)}};
}

std::string size_text(const Json& pair) { return pair[0].dump() + " x " + pair[1].dump(); }

std::string bytes_text(std::int64_t bytes) {
    char text[32];
    const double megabytes = static_cast<double>(bytes) / (1 << 20);
    std::snprintf(text, sizeof text, megabytes < 1024 ? "%.1f MB" : "%.1f GB",
                  megabytes < 1024 ? megabytes : megabytes / 1024);
    return text;
}

std::string line(const std::string& name, const std::string& value) {
    return name + ":" + std::string(name.size() < 11 ? 11 - name.size() : 1, ' ') + value + "\n";
}

std::string grid_text(const Json& grid) {
    if (grid.at("geotransform").is_null()) return line("Geotransform", "none");
    const Json& c = grid.at("geotransform");
    const std::string pixel = number_text(c[1].get<double>()) + " x " + number_text(c[5].get<double>());
    const auto point = [&](const char* name) {
        return number_text(grid.at(name)[0].get<double>()) + ", " +
               number_text(grid.at(name)[1].get<double>());
    };
    return line("Pixel", pixel) +
           line("Corners", point("upper_left") + " (upper left); " + point("lower_right") + " (lower right)");
}

std::string bands_text(const Json& bands) {
    std::string text;
    for (const Json& band : bands) text += (text.empty() ? "" : ", ") + band.get<std::string>();
    return text;
}

std::string scenes_text(const Json& json) {
    const Json& scenes = json.at("scenes");
    const bool dated = !scenes.front().at("date").is_null();
    std::string text = json.at("dates").dump();
    if (dated) {
        text += ", " + json.at("first_date").get<std::string>() + " to " +
                json.at("last_date").get<std::string>() + " (from " +
                scenes.front().at("date_source").get<std::string>() + ")";
    }
    text = line("Dates", text);
    if (scenes.size() > kMaxListedScenes) return text;
    for (const Json& scene : scenes) {
        text += "  " + (dated ? scene.at("date").get<std::string>() + "  " : std::string()) +
                scene.at("name").get<std::string>() + "\n";
    }
    return text;
}

std::string plan_text(const Json& plan) {
    if (plan.is_null()) return "";
    return line("LOF run", "patch " + plan.at("patch").dump() + ", neighbors " + plan.at("neighbors").dump() +
                               ": " + plan.at("scores").dump() + " scores at " + plan.at("locations").dump() +
                               " locations") +
           line("Tiles", plan.at("tiles").dump() + " of " + size_text(plan.at("tile")) +
                             " pixels, with -mem " + bytes_text(plan.at("memory_limit_bytes"))) +
           line("Products", bytes_text(plan.at("product_bytes")) + " before compression");
}

std::string devices_text(const Json& json, bool verbose) {
    std::string text;
    for (const Json& device : json.at("devices")) {
        text += line("Device", device.at("name").get<std::string>() + ", compute capability " +
                                   device.at("compute_capability").get<std::string>() + ", " +
                                   bytes_text(device.at("memory_bytes")));
    }
    const Json& why = json.at("why_no_cuda");
    if (verbose && !why.is_null()) text += line("Device", "none for cuda: " + why.get<std::string>());
    return text;
}

}  // namespace

std::string describe_json(const RasterSeries& series, const DescribeOptions& options) {
    return describe(series, options).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string describe_text(const RasterSeries& series, const DescribeOptions& options) {
    const Json json = describe(series, options);
    std::string text =
        line("Format", json.at("format").get<std::string>() + ", " + json.at("data_type").get<std::string>() +
                           ", nodata " +
                           (json.at("nodata").is_null() ? "none" : json.at("nodata").get<std::string>())) +
        line("Size", size_text(json.at("size")) + " pixels, blocks of " + size_text(json.at("block"))) +
        line("CRS", json.at("grid").at("crs").get<std::string>()) + grid_text(json.at("grid")) +
        line("Bands", bands_text(json.at("bands"))) + scenes_text(json) +
        line("Memory", bytes_text(json.at("float32_bytes")) + " as Float32") + plan_text(json.at("lof")) +
        devices_text(json, options.verbose);
    for (const Json& problem : json.at("problems")) text += line("Problem", problem.get<std::string>());
    for (const Json& input : json.at("left_out"))
        text += line("Left out", input.at("error").get<std::string>());
    return text;
}

}  // namespace rastertide
