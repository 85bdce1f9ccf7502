// SPDX-License-Identifier: Apache-2.0
// -skip_errors: a run without the inputs that cannot be read, whenever that turns out.
#pragma once

#include <exception>
#include <vector>

#include <rastertide/core/error.hpp>
#include <rastertide/core/log.hpp>
#include <rastertide/pipeline/run_options.hpp>
#include <rastertide/read/series.hpp>
#include <rastertide/reduce/communicator.hpp>

#include "pipeline/resume.hpp"

namespace rastertide {

/// Not all ranks could open the same inputs: every rank throws what any of them left out.
struct InputsDiffer : std::exception {
    explicit InputsDiffer(std::vector<LeftOutInput> all) : left_out(std::move(all)) {}
    const char* what() const noexcept override { return "ranks left out different inputs"; }

    std::vector<LeftOutInput> left_out;
};

/// Makes sure that all ranks have the same series. Collective. @throws InputsDiffer
void agree_on_inputs(const RasterSeries& series, Communicator& comm);

/// Reads the whole stack once, to learn at once what else cannot be read: a run may fail hours later, and
/// an archive seldom has one broken file. Collective.
/// @return  options.series.left_out, what `error` names, and the inputs that cannot be read
std::vector<LeftOutInput> find_unreadable(const RunOptions& options, const AgreedError& error,
                                          Communicator& comm, const Logger& logger);

/// run(options), with options.series.skip_errors again and again, each time without the inputs that cannot be
/// read, until there is no more. Scores and centres depend on all dates: nothing of a run with an input that
/// fails on the way can be kept. Collective.
/// @param run  reads pixels only when the folder holds its run
template <class Options, class Run>
auto without_unreadable(Options options, const RunKind& kind, Communicator& comm, const Logger& logger,
                        Run run) {
    if (!options.series.skip_errors) return run(options);
    together(comm, [&] { take_inputs_of_run(options, kind); });
    for (;;) {
        try {
            return run(options);
        } catch (const InputsDiffer& differ) {
            options.series.left_out = differ.left_out;
        } catch (const AgreedError& error) {
            if (error.unreadable_input().empty()) throw;
            options.series.left_out = find_unreadable(options, error, comm, logger);
            options.overwrite = true;
            options.resume = false;
        }
    }
}

}  // namespace rastertide
