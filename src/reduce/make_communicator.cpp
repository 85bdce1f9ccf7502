// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <unistd.h>

#include <rastertide/core/error.hpp>

#include "reduce/launcher.hpp"

namespace rastertide {

namespace {

std::optional<int> number_in(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::optional(std::atoi(text)) : std::nullopt;
}

/// Whether the environment holds anything by which MPI could find the other ranks.
bool has_process_manager() {
    constexpr std::array<std::string_view, 4> kPrefixes = {"PMI", "OMPI_COMM_WORLD_", "MV2_COMM_WORLD_",
                                                           "PALS_"};
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        for (const std::string_view prefix : kPrefixes) {
            if (text.substr(0, prefix.size()) == prefix) return true;
        }
    }
    return false;
}

/// Tasks of the job step that srun started this process in. Only srun sets it: SLURM_NTASKS and SLURM_PROCID
/// stand in batch scripts, too.
int slurm_step_tasks() { return number_in("SLURM_STEP_NUM_TASKS").value_or(1); }

}  // namespace

int launched_ranks() {
    // Open MPI's mpirun, PMI-1/2 (srun, MPICH, Intel MPI), and MVAPICH, in this order.
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE"}) {
        if (const auto size = number_in(name)) return std::max(1, *size);
    }
    // PMIx and the PMI of some vendors tell no size in the environment; srun's step size is then SLURM's.
    if (has_process_manager()) {
        if (const auto size = number_in("SLURM_STEP_NUM_TASKS")) return std::max(1, *size);
    }
    return std::getenv("PMIX_RANK") != nullptr ? kUnknownRanks : 1;
}

int launched_rank() {
    for (const char* name :
         {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"}) {
        if (const auto rank = number_in(name)) return *rank;
    }
    return 0;
}

std::unique_ptr<Communicator> make_communicator(int& argc, char**& argv) {
    if (slurm_step_tasks() > 1 && !has_process_manager()) {
        throw LaunchError("srun started " + std::to_string(slurm_step_tasks()) +
                          " tasks but no way for them to meet; use srun --mpi=pmix or this MPI's mpirun");
    }
    return launched_ranks() == 1 ? make_serial_communicator() : make_mpi_communicator(argc, argv);
}

void abort_all_ranks(int exit_code) {
    if (launched_ranks() != 1) abort_mpi(exit_code);
    std::exit(exit_code);
}

}  // namespace rastertide
