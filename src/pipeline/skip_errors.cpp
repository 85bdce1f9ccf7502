// SPDX-License-Identifier: Apache-2.0
#include "pipeline/skip_errors.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "pipeline/stack_run.hpp"

namespace rastertide {
namespace {

bool is_among(const std::vector<LeftOutInput>& inputs, const std::string& name) {
    return std::ranges::any_of(inputs, [&](const LeftOutInput& input) { return input.name == name; });
}

void add_new(std::vector<LeftOutInput>& inputs, const std::vector<LeftOutInput>& more) {
    for (const LeftOutInput& input : more) {
        if (!is_among(inputs, input.name)) inputs.push_back(input);
    }
}

/// What any rank names, in the order of the ranks, on every rank. Collective.
std::vector<LeftOutInput> joined(const std::vector<LeftOutInput>& own, Communicator& comm) {
    std::vector<LeftOutInput> all;
    // Not as text: names may be of any bytes.
    const std::vector<std::uint8_t> bytes = Json::to_cbor(left_out_json(own));
    for (const std::string& text : comm.gather({bytes.begin(), bytes.end()})) {
        add_new(all, left_out_of_json(Json::from_cbor(text)));
    }
    return all;
}

/// Rows of whole blocks that are small enough to be read beside all else.
std::vector<Window> windows_of(const RasterSeries& series) {
    constexpr std::int64_t kMostValues = 16 << 20;
    const std::int64_t values_of_pixel = series.n_dates() * series.n_bands();
    const std::int64_t n_cols = std::clamp(kMostValues / values_of_pixel / series.block_n_rows(),
                                           std::int64_t{1}, series.grid().n_cols);
    const std::int64_t n_rows =
        std::clamp(kMostValues / values_of_pixel / n_cols, std::int64_t{1}, series.block_n_rows());
    std::vector<Window> windows;
    for (std::int64_t row = 0; row < series.grid().n_rows; row += n_rows) {
        for (std::int64_t col = 0; col < series.grid().n_cols; col += n_cols)
            windows.push_back(intersect({col, row, n_cols, n_rows}, series.grid().extent()));
    }
    return windows;
}

/// In this rank's share of the windows.
std::vector<LeftOutInput> read_share(RasterSeries& series, const Communicator& comm) {
    const std::vector<Window> windows = windows_of(series);
    const auto pixels = make_buffer<float>(windows.front().n_pixels() * series.n_dates() * series.n_bands());
    std::vector<LeftOutInput> unreadable;
    for (auto i = static_cast<std::size_t>(comm.rank()); i < windows.size();
         i += static_cast<std::size_t>(comm.size())) {
        throw_if_stopped();
        add_new(unreadable, series.find_unreadable(windows[i], pixels.get()));
    }
    return unreadable;
}

}  // namespace

void agree_on_inputs(const RasterSeries& series, Communicator& comm) {
    std::vector<LeftOutInput> all = joined(series.left_out(), comm);
    if (!comm.all_true(all.size() == series.left_out().size())) throw InputsDiffer(std::move(all));
}

std::vector<LeftOutInput> find_unreadable(const RunOptions& options, const AgreedError& error,
                                          Communicator& comm, const Logger& logger) {
    std::vector<LeftOutInput> found = {{error.unreadable_input(), error.what()}};
    std::vector<LeftOutInput> left_out = options.series.left_out;
    together(comm, [&] {
        RasterSeries series = open_stack(options, comm, {});
        add_new(left_out, series.left_out());
        add_new(found, read_share(series, comm));
    });
    found = joined(found, comm);
    for (const LeftOutInput& input : found) {
        log(comm.rank() == 0 ? logger : Logger{}, LogLevel::Warning,
            input.error + "; the run begins again without '" + input.name + "'");
    }
    add_new(left_out, found);
    return left_out;
}

}  // namespace rastertide
