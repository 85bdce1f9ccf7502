// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include <rastertide/core/error.hpp>

#include "reduce/launcher.hpp"

namespace rastertide {

std::unique_ptr<Communicator> make_mpi_communicator(int&, char**&) {
    throw CommError(
        "started on " + std::to_string(launched_ranks()) +
        " ranks, but this build has no MPI: build with -DRASTERTIDE_WITH_MPI=ON or start one rank");
}

void abort_mpi(int exit_code) { std::exit(exit_code); }

}  // namespace rastertide
