// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rastertide {

/// What a rank that fails tells the others.
struct Failure {
    std::string message;
    int exit_code = 1;               ///< what main() is to return on every rank
    std::string unreadable_input{};  ///< of an UnreadableInput
};

/// Of the exception that is being handled.
Failure current_failure();

struct RankGroup;

/// The ranks of a run. Where it says collective, all ranks make the same calls in the same order. Used from
/// one thread of each rank. What talks to other ranks throws CommError if that fails on this rank: the others
/// may not know, see abort_all_ranks().
class Communicator {
  public:
    virtual ~Communicator() = default;

    virtual int rank() const = 0;
    virtual int size() const = 0;
    /// Ranks that share this rank's node, itself included: they share its memory and cores.
    virtual int node_size() const = 0;
    /// Its number among these, from 0.
    virtual int node_rank() const = 0;

    /// Collective. @throws CommError
    virtual void barrier() = 0;
    /// Element by element over the ranks; the result stands on every rank. Collective. @throws CommError
    virtual void sum(std::span<std::int64_t> values) = 0;
    virtual void max(std::span<double> values) = 0;
    /// The texts of all ranks, in rank order, on every rank. Collective.
    /// @throws CommError  also if a text, or all together, has 2 GiB or more
    virtual std::vector<std::string> gather(const std::string& text) = 0;

    /// Starts a new round of tickets at 0. Collective. @throws CommError
    virtual void reset_tickets() = 0;
    /// 0, 1, 2, ... : each number goes to exactly one rank, whoever asks first (a shared counter). Not
    /// collective. @throws CommError
    virtual std::int64_t next_ticket() = 0;
    /// Makes every later next_ticket() of this round return a huge number on all ranks, so that they stop
    /// early. Not collective. @throws CommError
    virtual void close_tickets() = 0;
    /// Answers the tickets that other ranks ask for. Rank 0 has to call this, or another method, every few
    /// milliseconds while tickets are taken: most networks need its help to reach its memory. Not collective.
    /// @throws CommError
    virtual void progress() = 0;

    /// These ranks for a library that works on one file with all of them (parallel HDF5), which has to
    /// duplicate it; null where there is no MPI.
    virtual const RankGroup* group() const { return nullptr; }

    /// Whether `ok` holds on all ranks. Collective. @throws CommError
    bool all_true(bool ok);
    /// Ends a stage: if any rank passes a failure, every rank throws that of the lowest such rank.
    /// Collective.
    /// @throws AgreedError  on every rank, with that rank's message and exit code
    /// @throws CommError    MPI failed
    void agree(const std::optional<Failure>& failure);
};

/// One rank, no MPI.
std::unique_ptr<Communicator> make_serial_communicator();

/// The ranks this process was started with: MPI's where a launcher (mpirun, srun) started it and this build
/// has MPI, else one rank. MPI is initialised here, and finalised when the object goes.
/// @throws LaunchError  several ranks that cannot meet (no MPI in this build, or not the launcher's): each
///                      would write over the others' files
/// @throws CommError    MPI failed
std::unique_ptr<Communicator> make_communicator(int& argc, char**& argv);

/// The rank that the launcher gave this process, 0 if there is none: for what comes before a Communicator.
int launched_rank();

/// Ends all ranks at once with an exit code: for errors that cannot be agreed upon. Only for main().
[[noreturn]] void abort_all_ranks(int exit_code);

}  // namespace rastertide
