// SPDX-License-Identifier: Apache-2.0
// Tables for docs/design/11-scaling.md: the pipeline's plan, tile loop and reductions on N fake ranks.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include <rastertide/compute/lof.hpp>
#include <rastertide/read/open_series.hpp>
#include <rastertide/write/text_file.hpp>

#include "pipeline/kmeans/tile_passes.hpp"
#include "pipeline/memory_plan.hpp"
#include "support/dry_run_ranks.hpp"
#include "support/simulated_runs.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

constexpr std::int64_t kDates = 363;
constexpr int kPatch = 7;
constexpr int kRanksPerNode = 128;

struct Settings {
    std::vector<int> ranks;
    std::string only;
    std::int64_t rank_memory_bytes = 0;
    int n_iterations = 10;
    NetworkModel network;
    WorkModel work;
};

/// The paper's raster, or one of 100 times its pixels.
struct Problem {
    const char* name;
    std::int64_t n_cols, n_rows;
    std::int64_t tile;  ///< -tile; 0: the plan that is made without it
};

constexpr Problem kProblems[] = {{"paper", 5660, 2100, 0},
                                 {"paper, -tile 112 96", 5660, 2100, 112},
                                 {"100 x paper", 56600, 21000, 0},
                                 {"100 x paper, -tile 256 256", 56600, 21000, 256}};

/// A stack that has a grid and dates, but no pixels.
RasterSeries open_empty_stack(const Problem& problem) {
    const TempDir dir;
    std::string xml = "<VRTDataset rasterXSize=\"" + std::to_string(problem.n_cols) + "\" rasterYSize=\"" +
                      std::to_string(problem.n_rows) +
                      "\"><SRS>EPSG:32632</SRS><GeoTransform>480000, 10, 0, 5990000, 0, -10</GeoTransform>";
    for (std::int64_t date = 1; date <= kDates; ++date)
        xml += "<VRTRasterBand dataType=\"Float32\" band=\"" + std::to_string(date) + "\"/>";
    write_text_file(dir.file("stack.vrt"), xml + "</VRTDataset>");
    SeriesOptions options;
    options.inputs = {dir.file("stack.vrt")};
    return open_series(options);
}

SimulatedStack make_stack(const Problem& problem, const Settings& settings) {
    const RasterSeries series = open_empty_stack(problem);
    ComputeOptions compute;
    compute.n_threads = 1;
    const MemoryNeeds needs = lof_memory_needs(series, LofParams{}, compute);
    TileRequest request =
        make_tile_request(series, kPatch, needs, settings.rank_memory_bytes * kRanksPerNode, kRanksPerNode);
    request.tile_n_cols = problem.tile;
    request.tile_n_rows = problem.tile == 112 ? 96 : problem.tile;
    return {kDates, make_tiles(request)};
}

struct Range {
    double least = 0, mean = 0, most = 0;
};

template <class Value>
Range range_of(const std::vector<RankReport>& reports, Value value) {
    Range range = {value(reports[0]), 0, 0};
    for (const RankReport& report : reports) {
        range.least = std::min(range.least, value(report));
        range.mean += value(report) / static_cast<double>(reports.size());
        range.most = std::max(range.most, value(report));
    }
    return range;
}

/// @throws Error  that a rank has ended with
std::vector<RankReport> run_ranks(int n_ranks, const Settings& settings,
                                  const std::function<void(DryRunRank&)>& body) {
    std::vector<RankReport> reports = run_dry_ranks(n_ranks, settings.network, body, kRanksPerNode);
    for (const RankReport& report : reports) {
        if (!report.error.empty()) throw Error(report.error);
    }
    return reports;
}

void print_head(const std::string& title, const char* columns) {
    std::printf("\n%s\n\n|%s\n|", title.c_str(), columns);
    for (const char* c = columns; *c != '\0'; ++c) {
        if (*c == '|') std::printf("---|");
    }
    std::printf("\n");
}

void print_lof(const SimulatedStack& stack, const Settings& settings, const std::string& name) {
    print_head(
        "LOF, " + name + ": " + std::to_string(stack.plan.tiles.size()) + " tiles of " +
            std::to_string(stack.plan.tile_n_cols) + " x " + std::to_string(stack.plan.tile_n_rows),
        " ranks | tiles a rank | balance | scoring s | efficiency | second pass s | products s | run s "
        "| efficiency | tickets/s | longest wait ms |");
    double alone_scoring_s = 0, alone_s = 0;
    for (const int n : settings.ranks) {
        std::vector<LofTimes> times(static_cast<std::size_t>(n));
        const auto reports = run_ranks(n, settings, [&](DryRunRank& rank) {
            ScoreStatistics statistics(0);
            times[static_cast<std::size_t>(rank.rank())] =
                simulate_lof(rank, stack, settings.work, statistics);
        });
        double mean_end = 0, last_end = 0, wait = 0;
        std::int64_t fewest = times[0].n_tiles, most = 0;
        for (const LofTimes& of_rank : times) {
            mean_end += of_rank.own_tiles_s / n;
            last_end = std::max(last_end, of_rank.own_tiles_s);
            fewest = std::min(fewest, of_rank.n_tiles);
            most = std::max(most, of_rank.n_tiles);
            wait = std::max(wait, of_rank.longest_wait_s);
        }
        const auto n_tiles = static_cast<double>(stack.plan.tiles.size());
        const double run_s = reports[0].clock_s;
        if (alone_s == 0) {
            alone_s = run_s * n;
            alone_scoring_s = times[0].scored_s * n;
        }
        std::printf(
            "| %d | %lld / %.1f / %lld | %.3f | %.0f | %.3f | %.0f | %.0f | %.0f | %.3f | %.2f | %.2f |\n", n,
            static_cast<long long>(fewest), n_tiles / n, static_cast<long long>(most), mean_end / last_end,
            times[0].scored_s, alone_scoring_s / n / times[0].scored_s, times[0].marked_s - times[0].scored_s,
            times[0].written_s - times[0].marked_s, run_s, alone_s / n / run_s,
            (n_tiles + n) / times[0].scored_s, wait * 1e3);
        std::fflush(stdout);
    }
}

void print_lloyd(const SimulatedStack& stack, const Settings& settings, const std::string& name) {
    print_head(
        "K-Means, " + name + ", K = 10, 7 x 7, " + std::to_string(settings.n_iterations) + " iterations",
        " ranks | tiles a rank | s an iteration | efficiency | of it in reductions ms |");
    SimulatedFit fit;
    fit.n_iterations = settings.n_iterations;
    double alone_s = 0;
    for (const int n : settings.ranks) {
        const auto reports = run_ranks(
            n, settings, [&](DryRunRank& rank) { simulate_lloyd(rank, stack, fit, settings.work); });
        std::vector<std::size_t> n_tiles;
        for (int rank = 0; rank < n; rank += std::max(1, n - 1))
            n_tiles.push_back(tiles_of_rank(stack.plan, rank, n).size());
        const double seconds = reports[0].clock_s / settings.n_iterations;
        if (alone_s == 0) alone_s = seconds * n;
        const auto sums_bytes = fit.n_clusters * (fit.n_features + 1) * std::int64_t{sizeof(std::int64_t)};
        const double reductions_s =
            settings.network.allreduce(n, sums_bytes).seconds + 2 * settings.network.allreduce(n, 8).seconds;
        std::printf("| %d | %zu to %zu | %.3f | %.3f | %.3f |\n", n, n_tiles.back(), n_tiles.front(), seconds,
                    alone_s / n / seconds, reductions_s * 1e3);
        std::fflush(stdout);
    }
}

std::string traffic_row(const RankCounts& counts) {
    char row[160];
    std::snprintf(row, sizeof(row), " %lld | %lld | %lld | %lld |",
                  static_cast<long long>(counts.collectives()), static_cast<long long>(counts.bytes_given),
                  static_cast<long long>(counts.messages_sent), static_cast<long long>(counts.bytes_sent));
    return row;
}

/// Calls, bytes and messages: of a plan of so many tiles, whatever the ranks' work.
void print_traffic(const SimulatedStack& stack, const Settings& settings, const std::string& name) {
    print_head("Calls, bytes and messages of a rank, " + name,
               " ranks | LOF: calls | bytes given | messages | bytes sent | iteration: calls | bytes given | "
               "messages | bytes sent |");
    SimulatedFit fit;
    fit.n_iterations = 1;
    for (const int n : settings.ranks) {
        const auto lof = run_ranks(n, settings, [&](DryRunRank& rank) {
            ScoreStatistics statistics(0);
            simulate_lof(rank, stack, settings.work, statistics);
        });
        const auto lloyd = run_ranks(
            n, settings, [&](DryRunRank& rank) { simulate_lloyd(rank, stack, fit, settings.work); });
        std::printf("| %d |%s%s\n", n, traffic_row(lof[0].counts).c_str(),
                    traffic_row(lloyd[0].counts).c_str());
        std::fflush(stdout);
    }
}

void print_memory(const Settings& settings) {
    print_head(
        "Memory and files that grow with tiles or ranks, bytes",
        " plan | tiles | TilePlan a rank | has_results a rank | ScoreStatistics a rank | a VRT of scores, "
        "rank 0 |");
    constexpr double kVrtBytesPerSource = 268;  // two runs of rastertide_lof, 90 and 207 tiles of 12 dates
    for (const Problem& problem : kProblems) {
        const SimulatedStack stack = make_stack(problem, settings);
        const std::size_t n = stack.plan.tiles.size();
        std::printf("| %s | %zu | %zu | %zu | %zu | %.2e |\n", problem.name, n, n * sizeof(Tile),
                    n * sizeof(std::int64_t), kDates * (2 * sizeof(ExactSum) + 16),
                    kVrtBytesPerSource * static_cast<double>(n) * kDates);
    }
    print_head(
        "Most bytes that a gather returns on every rank; MPI counts to 2,147,483,647",
        " ranks | devices, 60 a rank | agree(), 4 kB a rank | patches picked, K = 10, m = 49 | K = 1000, "
        "m = 363 | sample |");
    for (const double n : {1.0, 2.0, 16.0, 128.0, 1024.0, 10000.0}) {
        // Keys of all, then the patches that are taken (PatchList::smallest_of_all).
        const auto picked = [&](double k, double m) { return k * std::max(16 * n, 16 + 4 * m); };
        const double sample = 4194304.0 / 49 * (4 * 49 + 16);  // as kmeans_memory.cpp has it, m = 49
        std::printf("| %.0f | %.2g | %.2g | %.2g | %.2g | %.2g |\n", n, 60 * n, 4096 * n, picked(10, 49),
                    picked(1000, 363), sample);
    }
}

Settings parse(int argc, char** argv) {
    namespace po = boost::program_options;
    Settings settings;
    std::string ranks;
    double rank_memory = 0;
    WorkModel& work = settings.work;
    NetworkModel& network = settings.network;
    po::options_description all("simulate_ranks");
    const auto number = [](double& value) { return po::value(&value)->default_value(value); };
    all.add_options()("help", "")(
        "ranks",
        po::value(&settings.ranks)->multitoken()->default_value({1, 2, 16, 128, 1024}, "1 2 16 128 1024"))(
        "only", po::value(&settings.only), "lof, kmeans, traffic or memory")(
        "iterations", po::value(&settings.n_iterations)->default_value(settings.n_iterations))(
        "rank_memory", po::value(&rank_memory)->default_value(2e9), "-mem of a node / its 128 ranks")(
        "lof_us", po::value<double>()->default_value(46), "a location")(
        "patches", number(work.kmeans_patches_per_s), "a s")(
        "read", number(work.read_bytes_per_s), "bytes/s a rank")("write", number(work.write_bytes_per_s), "")(
        "shared", number(work.shared_bytes_per_s), "bytes/s of all ranks together; 0 = no limit")(
        "products", number(work.products_s_per_pixel), "s a pixel, by rank 0")(
        "mask", number(work.mask_s_per_score), "")("spread", number(work.spread), "of tiles' costs")(
        "latency", number(network.latency_s), "s")("bandwidth", number(network.bytes_per_s), "")(
        "ticket", number(network.ticket_service_s), "s");
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, all), given);
    po::notify(given);
    if (given.count("help") > 0) {
        std::cout << all;
        std::exit(0);
    }
    work.lof_s_per_location = given["lof_us"].as<double>() * 1e-6;
    settings.rank_memory_bytes = static_cast<std::int64_t>(rank_memory);
    return settings;
}

void print_tables(const Settings& settings) {
    const auto wanted = [&](const char* part) { return settings.only.empty() || settings.only == part; };
    for (const Problem& problem : kProblems) {
        const SimulatedStack stack = make_stack(problem, settings);
        if (wanted("lof")) print_lof(stack, settings, problem.name);
        if (wanted("kmeans")) print_lloyd(stack, settings, problem.name);
        if (wanted("traffic")) print_traffic(stack, settings, problem.name);
    }
    if (wanted("memory")) print_memory(settings);
}

}  // namespace
}  // namespace rastertide

int main(int argc, char** argv) {
    try {
        rastertide::print_tables(rastertide::parse(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "simulate_ranks: %s\n", error.what());
        return 1;
    }
}
