// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include <rastertide/core/error.hpp>

#include "reduce/launcher.hpp"

namespace rastertide {

std::unique_ptr<Communicator> make_mpi_communicator(int&, char**&) {
    const int n_ranks = launched_ranks();
    throw LaunchError(
        "started on " + (n_ranks == kUnknownRanks ? "several" : std::to_string(n_ranks)) +
        " ranks, but this build has no MPI: build with -DRASTERTIDE_WITH_MPI=ON or start one rank");
}

void abort_mpi(int exit_code) { std::exit(exit_code); }

}  // namespace rastertide
