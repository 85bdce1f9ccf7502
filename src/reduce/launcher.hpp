// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

/// A launcher started this process that does not say how many.
inline constexpr int kUnknownRanks = 0;

/// Ranks this process' launcher says it started, at least; 1 if no launcher is recognised, kUnknownRanks if
/// it tells no number.
///
/// MPI is only initialised under a launcher: alone, MPI_Init would start a daemon and costs a quarter of a
/// second.
int launched_ranks();

/// @throws LaunchError  this build has no MPI, or its MPI sees fewer ranks than were launched
std::unique_ptr<Communicator> make_mpi_communicator(int& argc, char**& argv);

[[noreturn]] void abort_mpi(int exit_code);

}  // namespace rastertide
