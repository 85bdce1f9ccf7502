// SPDX-License-Identifier: Apache-2.0
// -skip_errors: a run without the inputs that cannot be read, whenever that turns out.
#pragma once

#include <exception>
#include <string>
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

/// What a run with -skip_errors does when an input cannot be read on the way.
class SkippedErrors {
  public:
    /// @param is_older_run  the folder holds a run that this one goes on with
    explicit SkippedErrors(bool is_older_run) : is_older_run_(is_older_run) {}

    /// Makes the options those of the next try. All inputs are read through first: a run may fail hours
    /// later, and an archive seldom has one broken file. Where all can be read now, the run goes on; else it
    /// begins again without those that cannot, but not in the place of an older run. Collective.
    /// @throws AgreedError  `error` itself if it is of another kind; what an older run did would be lost
    void meet(const AgreedError& error, RunOptions& options, Communicator& comm, const Logger& logger);

  private:
    bool is_older_run_;
    std::vector<LeftOutInput> read_again_;  ///< failed once, and were read then
};

/// run(options, own_record), with options.series.skip_errors again and again, each time without the inputs
/// that cannot be read, until there is no more. Scores and centres depend on all dates: nothing of a run with
/// an input that is broken can be kept. Collective.
/// @param run  reads pixels only when the folder holds its run; own_record is StackRun's
template <class Options, class Run>
auto without_unreadable(Options options, const RunKind& kind, Communicator& comm, const Logger& logger,
                        Run run) {
    std::string own_record;
    if (!options.series.skip_errors) return run(options, own_record);
    together(comm, [&] { take_inputs_of_run(options, kind); });
    SkippedErrors skipped(comm.all_true(finds_run_to_resume(options)));
    for (;;) {
        try {
            return run(options, own_record);
        } catch (const InputsDiffer& differ) {
            options.series.left_out = differ.left_out;
        } catch (const AgreedError& error) {
            skipped.meet(error, options, comm, logger);
        }
    }
}

}  // namespace rastertide
