// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rastertide/core/log.hpp>
#include <rastertide/reduce/communicator.hpp>

#include "common/args.hpp"

namespace rastertide::utils {

struct UtilityInfo {
    std::string name;
    std::string summary;  ///< one line
    std::string usage;    ///< "[options] -o OUTDIR STACK..."
    std::vector<OptionSpec> options;
};

/// What a utility's body works with.
struct UtilityContext {
    const Args& args;
    Communicator& comm;
    Logger logger;        ///< on all ranks but the first, of warnings alone
    ProgressFn progress;  ///< empty if none is to be shown
    bool speaks;          ///< this rank may print results: the first, without -q

    /// For what one process does: step() runs on the first rank, and all ranks learn whether it failed.
    /// Collective.
    void on_first_rank(const std::function<void()>& step) const;
};

/// main() of a utility: GDAL, MPI, the options that all have, and one place where errors become a line and an
/// exit code.
///
/// A rank whose body throws UsageError joins the agree() that the others come to first: body() looks at its
/// options before it calls anything collective, and its first collective call is on_first_rank() or agree().
/// Every other error of one rank alone ends all ranks at once.
///
/// @return 0 done (also --help, --version), 1 failed, 2 bad usage; the same on every rank
int run_utility(const UtilityInfo& info, int argc, char** argv,
                const std::function<void(UtilityContext&)>& body);

}  // namespace rastertide::utils
