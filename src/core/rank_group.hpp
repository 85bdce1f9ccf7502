// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace rastertide {

/// The ranks of a run in MPI's words, without its types: for layers that must not see MPI but have a library
/// to which they hand them (parallel HDF5).
struct RankGroup {
    const void* mpi_comm;  ///< an MPI_Comm
    const void* mpi_info;  ///< an MPI_Info
};

}  // namespace rastertide
