// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

/// Ranks this process' launcher says it started; 1 if no launcher is recognised.
///
/// MPI is only initialised under a launcher: alone, MPI_Init would start a daemon and costs a quarter of a
/// second.
int launched_ranks();

/// @throws BackendUnavailable  this build has no MPI
std::unique_ptr<Communicator> make_mpi_communicator(int& argc, char**& argv);

[[noreturn]] void abort_mpi(int exit_code);

}  // namespace rastertide
