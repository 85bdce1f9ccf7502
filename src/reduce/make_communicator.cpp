// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdlib>

#include "reduce/launcher.hpp"

namespace rastertide {

int launched_ranks() {
    // Open MPI's mpirun, PMI-1/2 (srun, MPICH, Intel MPI), and MVAPICH, in this order.
    constexpr std::array kSizeVariables = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS",
                                           "MV2_COMM_WORLD_SIZE"};
    for (const char* name : kSizeVariables) {
        if (const char* text = std::getenv(name)) return std::max(1, std::atoi(text));
    }
    // PMIx tells no size in the environment, but only a launcher sets it; srun's step size is then SLURM's.
    if (std::getenv("PMIX_RANK") != nullptr) {
        const char* n_tasks = std::getenv("SLURM_STEP_NUM_TASKS");
        return n_tasks != nullptr ? std::max(1, std::atoi(n_tasks)) : 2;
    }
    return 1;
}

std::unique_ptr<Communicator> make_communicator(int& argc, char**& argv) {
    return launched_ranks() > 1 ? make_mpi_communicator(argc, argv) : make_serial_communicator();
}

void abort_all_ranks(int exit_code) {
    if (launched_ranks() > 1) abort_mpi(exit_code);
    std::exit(exit_code);
}

}  // namespace rastertide
