// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stack_run.hpp"

#include <filesystem>
#include <optional>

#include <rastertide/core/error.hpp>
#include <rastertide/write/hdf5_copy.hpp>

#include "pipeline/hdf5_product.hpp"
#include "pipeline/memory_plan.hpp"
#include "pipeline/resume.hpp"
#include "pipeline/stack_problems.hpp"

namespace rastertide {
namespace {

/// None if the scenes have none: either all have one, or none has.
std::vector<Date> dates_of(const RasterSeries& series) {
    std::vector<Date> dates;
    for (const SceneInfo& scene : series.scenes()) {
        if (scene.date) dates.push_back(*scene.date);
    }
    return dates;
}

void check_format(const StackRun& run) {
    const RunOptions& options = run.common;
    if (options.format.empty()) {
        check_creation_options("GTiff", options.creation_options);
    } else if (is_hdf5_format(options.format)) {
        check_hdf5_copy(run.series.grid(), dates_of(run.series).size(), options.creation_options);
    } else {
        check_copy_options(options.format, options.creation_options, run.n_dates());
    }
}

void copy_to_hdf5(const StackRun& run, const std::string& vrt, const std::string& path,
                  const Product& product) {
    std::vector<Date> dates = dates_of(run.series);
    // One band of all dates is known when the last is.
    if (product.bands.size() == 1) dates = {dates.back()};
    write_hdf5_product(run, vrt, path, product, dates);
}

/// Replacing a run must not remove what the new one reads.
void check_inputs_lie_elsewhere(const StackRun& run) {
    namespace fs = std::filesystem;
    const fs::path outdir = fs::weakly_canonical(run.common.outdir);
    for (const std::string& file : run.series.files()) {
        const fs::path input = fs::weakly_canonical(file);
        if (std::mismatch(outdir.begin(), outdir.end(), input.begin(), input.end()).first == outdir.end()) {
            throw InvalidArgument("'" + file + "': the input lies in the output folder '" +
                                  run.common.outdir + "', which -overwrite would empty");
        }
    }
}

/// Another run may have taken the folder while inputs were read through.
void require_own_run(const StackRun& run) {
    const std::string path = run.common.outdir + "/" + kRunRecord;
    if (run.own_record.empty() || read_text_file(path) == run.own_record) return;
    throw InvalidArgument("'" + path + "': another run has taken the folder; it is left as it is");
}

OutputFolder make_folder(const StackRun& run, const RunKind& kind) {
    std::optional<OutputFolder::Contents> earlier;
    const bool replaces = run.common.overwrite || !run.own_record.empty();
    if (replaces && OutputFolder::holds_run(run.common.outdir)) {
        check_inputs_lie_elsewhere(run);
        require_own_run(run);
        earlier = contents_of_run(run.common.outdir, kind);
    }
    return OutputFolder::make(run.common.outdir, earlier);
}

}  // namespace

void StackRun::say_plan() const {
    say(LogLevel::Info, std::to_string(n_dates()) + " dates, " + std::to_string(plan.tiles.size()) +
                            " tiles of " + std::to_string(plan.tile_n_cols) + " x " +
                            std::to_string(plan.tile_n_rows) + " pixels, device " + devices.text());
    if (!devices.why_cpu.empty())
        say(devices.is_worth_saying ? LogLevel::Info : LogLevel::Debug,
            "-device auto takes the CPU: " + devices.why_cpu);
    const auto n_tiles = static_cast<std::int64_t>(plan.tiles.size());
    if (comm.size() > n_tiles)
        say(LogLevel::Warning, std::to_string(comm.size()) + " ranks share " + std::to_string(n_tiles) +
                                   (n_tiles == 1 ? " tile: " : " tiles: ") +
                                   std::to_string(comm.size() - n_tiles) +
                                   " have none; -tile makes smaller ones");
}

std::int64_t StackRun::max_shard_pixels() const {
    std::int64_t n_pixels = 0;
    for (const Tile& tile : plan.tiles) n_pixels = std::max(n_pixels, tile.shard.n_pixels());
    return n_pixels;
}

std::int64_t StackRun::max_source_values() const {
    std::int64_t n_values = 0;
    for (const Tile& tile : plan.tiles) n_values = std::max(n_values, source_values(tile));
    return n_values;
}

void StackRun::read_pixels(const Tile& tile, float* pixels) {
    if (tile.source.empty()) return;
    const StageClock::Timer timer(clock, Stage::Read, source_values(tile) * std::int64_t{sizeof(float)});
    series.read(tile.source, pixels);
}

RasterSeries open_stack(const RunOptions& options, const Communicator& comm, const Logger& logger) {
    SeriesOptions series_options = options.series;
    series_options.cache_bytes = block_cache_bytes(options.memory_limit_bytes, comm.node_size());
    RasterSeries series = open_series(series_options, comm.rank() == 0 ? logger : Logger{});
    if (comm.rank() == 0) {
        for (const std::string& problem : stack_problems(series)) log(logger, LogLevel::Warning, problem);
    }
    return series;
}

void prepare_folder(StackRun& run, const RunKind& kind, const std::function<Json()>& record) {
    together(run.comm, [&] {
        // All ranks look before the first one makes a run.
        run.resumed = run.comm.all_true(finds_run_to_resume(run.common));
        if (run.comm.rank() != 0) return;
        check_format(run);
        if (run.resumed) {
            require_same_run(run.common.outdir, kind, record());
            run.folder = OutputFolder::resume(run.common.outdir);
        } else {
            run.folder = make_folder(run, kind);
            run.own_record = json_text(record());
            write_text_file(run.folder.file(kRunRecord), run.own_record);
        }
        if (!run.folder.is_locked()) {
            run.say(LogLevel::Warning, "'" + run.common.outdir +
                                           "': the file system has no locks: do not start a second run "
                                           "with this output folder");
        }
        for (const char* product : kind.products) run.folder.make_product(product);
    });
}

void warn_of_left_out(const StackRun& run) {
    const std::size_t n = run.series.left_out().size();
    if (n == 0) return;
    run.say(LogLevel::Warning,
            std::to_string(n) +
                (n == 1 ? " input could not be read and is" : " inputs could not be read and are") +
                " left out, see left_out in summary.json");
}

void write_product_mosaic(const StackRun& run, const std::string& path, const Product& product,
                          const std::string& prefix) {
    std::vector<ShardPlace> places;
    for (const Tile& tile : run.plan.tiles) {
        if (!run.has_shard(tile)) continue;
        places.push_back(
            {prefix + OutputFolder::shard_name(product.name, tile.tile_row, tile.tile_col), tile.shard});
    }
    write_mosaic(path, run.series.grid(), product, places);
}

void write_date_product(const StackRun& run, Product product) {
    product.pixel_is_point = run.series.pixel_is_point();
    const std::string vrt = run.folder.file(product.name + ".vrt");
    const std::string& format = run.common.format;
    const bool is_hdf5 = is_hdf5_format(format);
    const std::string path =
        format.empty() ? "" : run.folder.file(product.name + "." + format_extension(format));
    together(run.comm, [&] {
        if (run.comm.rank() != 0) return;
        write_product_mosaic(run, vrt, product, "");
        if (!format.empty() && !is_hdf5) copy_raster(vrt, path, format, run.common.creation_options, false);
    });
    if (is_hdf5) copy_to_hdf5(run, vrt, path, product);
}

}  // namespace rastertide
