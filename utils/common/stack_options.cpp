// SPDX-License-Identifier: Apache-2.0
#include "common/stack_options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

#include <sched.h>
#include <sys/types.h>

#include <rastertide/read/crs.hpp>

#include "common/grid_options.hpp"

namespace rastertide::utils {
namespace {

PixelScale parse_scale(const std::string& word) {
    if (word == "linear") return PixelScale::Linear;
    if (word == "db") return PixelScale::Db;
    throw UsageError("-scale '" + word + "': expected linear or db");
}

std::optional<Date> date_option(const Args& args, const std::string& name) {
    const auto text = args.get(name);
    if (!text) return std::nullopt;
    const auto date = parse_date(*text);
    if (!date) throw UsageError("-" + name + " '" + *text + "': expected a date such as 2019-03-01");
    return date;
}

std::array<double, 4> corners_option(const Args& args) {
    const std::vector<double> corners = args.numbers("a_ullr");
    const auto finite = [](double corner) { return std::isfinite(corner); };
    if (!std::all_of(corners.begin(), corners.end(), finite)) {
        throw UsageError("-a_ullr: a corner is not finite, expected ulx uly lrx lry");
    }
    if (corners[0] == corners[2] || corners[1] == corners[3]) {
        throw UsageError("-a_ullr: the corners span no area, expected ulx uly lrx lry");
    }
    return {corners[0], corners[1], corners[2], corners[3]};
}

/// Before a file is opened. @throws UsageError, InvalidArgument
void check_texts(const SeriesOptions& options) {
    if (!options.date_regex.empty()) date_from_text("", options.date_regex);
    try {
        if (!options.a_srs.empty()) crs_from_user_input(options.a_srs);
    } catch (const InvalidArgument& error) {
        throw UsageError(std::string("-a_srs ") + error.what());
    }
}

constexpr pid_t kThisProcess = 0;
constexpr pid_t kInit = 1;

/// CPUs that a process may use. hardware_concurrency() would count those that it is not bound to, too.
int usable_cpus([[maybe_unused]] pid_t process) {
#ifdef __linux__
    std::array<cpu_set_t, 8> cpus{};  // of 1024 CPUs each
    if (sched_getaffinity(process, sizeof cpus, cpus.data()) == 0)
        return CPU_COUNT_S(sizeof cpus, cpus.data());
#endif
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// A rank's share of its node's CPUs, but no more than its launcher has bound it to. Both count: mpirun binds
/// more than two ranks to sockets, which several ranks share.
int default_threads(int node_size) {
    // The first process has all CPUs of the node, in a container all of the container.
    const int share = std::max(1, usable_cpus(kInit) / node_size);
    return std::min(share, usable_cpus(kThisProcess));
}

}  // namespace

std::vector<OptionSpec> stack_option_specs() {
    const std::vector<OptionSpec> inputs = {
        {"b", 1, "BAND",
         "band of each raster that is part of a patch (of one multi-band raster: a date to take)", true},
        {"dataset", 1, "NAME", "the (time, y, x) variable of an HDF5 or netCDF file; several make a patch",
         true},
        {"input_file_list", 1, "FILE", "further inputs, one a line"},
        {"oo", 1, "NAME=VALUE", "open option for GDAL", true},
        {"scale", 1, "linear|db", "take values as they are, or as 10 log10 (default linear)"},
        {"dates", 1, "FILE", "a date a line, in the order of the inputs"},
        {"date_regex", 1, "REGEX", "its first group is the date in a file name, or in a band's description"},
        {"start_date", 1, "DATE", "leave earlier scenes out"},
        {"end_date", 1, "DATE", "leave later scenes out"},
        {"date_step", 1, "N", "take every N-th date (default 1)"},
        {"skip_errors", 0, "", "leave out inputs that cannot be read"},
        {"mosaic", 1, "auto|none|time|day",
         "join scenes of one time or day (default auto: of one time where their grids differ)"},
        {"a_srs", 1, "SRS", "coordinate reference system, in place of the files'"},
        {"a_ullr", 4, "ulx uly lrx lry", "corners of the rasters, in place of the files'"},
        {"srcnodata", 1, "VALUE", "nodata value of the inputs, in place of the files'"},
        {"mask", 1, "FILE",
         "raster of valid pixels (0 = invalid), for all dates or with a band or file a date", true},
    };
    return joined({inputs, grid_option_specs()});
}

SeriesOptions stack_options(const Args& args) {
    SeriesOptions options;
    options.inputs = args.inputs();
    options.input_file_list = args.get("input_file_list", "");
    for (const std::int64_t band : args.integers("b")) {
        if (band < 1 || band > 65535) throw UsageError("-b " + std::to_string(band) + ": bands count from 1");
        options.bands.push_back(static_cast<int>(band));
    }
    options.dataset = args.all("dataset");
    options.open_options = args.all("oo");
    options.dates_file = args.get("dates", "");
    options.date_regex = args.get("date_regex", "");
    options.start_date = date_option(args, "start_date");
    options.end_date = date_option(args, "end_date");
    options.a_srs = args.get("a_srs", "");
    if (args.has("a_ullr")) options.a_ullr = corners_option(args);
    if (args.has("srcnodata")) options.srcnodata = args.number("srcnodata", 0);
    options.mask = args.all("mask");
    options.scale = parse_scale(args.get("scale", "linear"));
    options.grid = as_usage([&] { return grid_options(args); });
    options.mosaic = as_usage([&] { return parse_mosaic_rule(args.get("mosaic", "auto")); });
    options.skip_errors = args.has("skip_errors");
    options.date_step = args.integer("date_step", 1);
    if (options.date_step < 1) {
        throw UsageError("-date_step " + std::to_string(options.date_step) + ": expected 1 or more");
    }
    if (options.inputs.empty() && options.input_file_list.empty()) {
        throw UsageError("no input: name rasters, a folder, or -input_file_list FILE");
    }
    check_texts(options);
    return options;
}

std::vector<OptionSpec> compute_option_specs() {
    return {
        {"device", 1, "auto|cpu|reference|cuda",
         "who computes (default auto: NVIDIA GPUs by cuda where they can be used, else cpu)"},
        {"j", 1, "N|ALL_CPUS", "threads of a rank (default: the node's cores divided by its ranks)"},
        {"mem", 1, "SIZE", "memory of all ranks of a node together, such as 512MB (default 4GB)"},
        {"tile", 2, "W H", "pixels of a tile (default: chosen from the inputs' blocks and -mem)"},
    };
}

int thread_count(const Args& args, int node_size) {
    const std::string threads = args.get("j", "");
    if (threads.empty()) return default_threads(node_size);
    if (threads == "ALL_CPUS") return usable_cpus(kThisProcess);
    constexpr std::int64_t kMaxThreads = 4096;
    const std::int64_t n = args.integer("j", 1);
    if (n < 1 || n > kMaxThreads) throw UsageError("-j " + threads + ": expected 1 to 4096 or ALL_CPUS");
    return static_cast<int>(n);
}

ComputeOptions compute_options(const Args& args, int node_size) {
    ComputeOptions options;
    options.backend = as_usage([&] { return parse_backend(args.get("device", "auto")); });
    options.n_threads = thread_count(args, node_size);
    return options;
}

TileSize tile_size(const Args& args) {
    const std::vector<std::int64_t> sizes = args.integers("tile");
    if (sizes.empty()) return {};
    if (sizes[0] < 1 || sizes[1] < 1) {
        throw UsageError("-tile " + std::to_string(sizes[0]) + " " + std::to_string(sizes[1]) +
                         ": expected two positive sizes");
    }
    return {sizes[0], sizes[1]};
}

}  // namespace rastertide::utils
