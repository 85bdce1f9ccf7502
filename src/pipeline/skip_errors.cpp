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

std::vector<LeftOutInput> find_unreadable(const RunOptions& options, Communicator& comm) {
    std::vector<LeftOutInput> found;
    together(comm, [&] {
        RasterSeries series = open_stack(options, comm, {});
        // As a tile's pixels may take; a run's buffers are gone.
        const std::int64_t max_values =
            options.memory_limit_bytes / comm.node_size() / 4 / std::int64_t{sizeof(float)};
        found = series.find_unreadable(comm.rank(), comm.size(), max_values);
        add_new(found, series.left_out());
    });
    return joined(found, comm);
}

void refuse_to_begin_anew(const LeftOutInput& input, const std::string& outdir, Communicator& comm) {
    together(comm, [&] {
        throw InvalidArgument(input.error + "; without it the run in '" + outdir +
                              "' would begin anew, which -overwrite in place of -resume does");
    });
}

void warn(const std::string& message, const Communicator& comm, const Logger& logger) {
    log(comm.rank() == 0 ? logger : Logger{}, LogLevel::Warning, message);
}

}  // namespace

void SkippedErrors::meet(const AgreedError& error, RunOptions& options, Communicator& comm,
                         const Logger& logger) {
    if (error.unreadable_input().empty()) throw error;
    std::vector<LeftOutInput> found = find_unreadable(options, comm);
    std::erase_if(found, [&](const auto& input) { return is_among(options.series.left_out, input.name); });
    const LeftOutInput named = {error.unreadable_input(), error.what()};
    if (found.empty() && !is_among(read_again_, named.name)) {
        warn(named.error + "; it can be read now: the run goes on", comm, logger);
        read_again_.push_back(named);
        options.resume = true;
        return;
    }
    if (found.empty()) found.push_back(named);
    if (is_older_run_) refuse_to_begin_anew(found.front(), options.outdir, comm);
    for (const LeftOutInput& input : found)
        warn(input.error + "; the run begins again without '" + input.name + "'", comm, logger);
    add_new(options.series.left_out, found);
    options.resume = false;
}

void agree_on_inputs(const RasterSeries& series, Communicator& comm) {
    std::vector<LeftOutInput> all = joined(series.left_out(), comm);
    if (!comm.all_true(all.size() == series.left_out().size())) throw InputsDiffer(std::move(all));
}

}  // namespace rastertide
