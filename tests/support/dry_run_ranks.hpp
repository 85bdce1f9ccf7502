// SPDX-License-Identifier: Apache-2.0
// Many ranks in one process: each a thread with a communicator of its own, a virtual clock and counters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <rastertide/reduce/communicator.hpp>

namespace rastertide::testing_support {

/// What messages cost. The values are assumptions, of a network of 2020 or later, where nothing else is said.
struct NetworkModel {
    double latency_s = 2e-6;    ///< of one message
    double bytes_per_s = 1e10;  ///< of one rank's link
    double ticket_service_s =
        5e-6;  ///< rank 0 is busy with one fetch-and-add for so long: measured over messages, time_tickets

    /// Seconds, messages and bytes that each rank sends in a collective.
    struct Cost {
        double seconds = 0;
        std::int64_t messages = 0;
        std::int64_t bytes = 0;
    };
    /// Small: recursive doubling, log2 N messages of all bytes. Large: a reduce-scatter and an allgather by
    /// halves (Rabenseifner 2004), 2 log2 N messages and twice the bytes. The faster of the two.
    Cost allreduce(int n_ranks, std::int64_t bytes) const;
    /// Of texts with `all_bytes` together, their lengths before them: recursive doubling.
    Cost allgather(int n_ranks, std::int64_t all_bytes) const;
};

/// What one rank did.
struct RankCounts {
    std::int64_t barriers = 0, sums = 0, maxima = 0, gathers = 0;
    std::int64_t tickets = 0;              ///< asked for, those past the last tile included
    std::int64_t bytes_given = 0;          ///< to sum(), max() and gather()
    std::int64_t bytes_gathered = 0;       ///< that gather() returned
    std::int64_t most_bytes_gathered = 0;  ///< by one call: MPI counts up to 2 GiB
    std::int64_t messages_sent = 0;        ///< by the model
    std::int64_t bytes_sent = 0;           ///< by the model
    double longest_ticket_wait_s = 0;      ///< virtual

    std::int64_t collectives() const { return barriers + sums + maxima + gathers; }
};

struct RankReport {
    RankCounts counts;
    double clock_s = 0;   ///< at its end
    std::string error{};  ///< of what it threw; empty: nothing
};

class DryRunWorld;
struct Exchange;

/// One of the ranks. Tickets go out in the order of virtual time: next_ticket() returns when every other rank
/// waits or has ended, and none of those that wait for a ticket has an earlier clock (ties go to the lower
/// rank). A collective sets all clocks to the latest, and adds its cost. Ranks run one at a time.
class DryRunRank final : public Communicator {
  public:
    DryRunRank(DryRunWorld& world, int rank) : world_(world), rank_(rank) {}

    int rank() const override { return rank_; }
    int size() const override;
    int node_size() const override;
    int node_rank() const override { return rank_ % node_size(); }
    void barrier() override;
    void sum(std::span<std::int64_t> values) override;
    void max(std::span<double> values) override;
    std::vector<std::string> gather(const std::string& text) override;
    void reset_tickets() override;
    std::int64_t next_ticket() override;
    void close_tickets() override;
    void progress() override {}

    /// This rank works for so long.
    void advance(double seconds) { clock_s_ += seconds; }
    double clock_s() const { return clock_s_; }
    const RankCounts& counts() const { return counts_; }

    /// For load() and work() of for_each_tile(): the first tile is loaded while nothing else is done, every
    /// other one from the ticket on, beside the work on the tile before. May be called in other threads, as
    /// that loop does.
    void load(double seconds, int slot);
    void work(double seconds, int slot);

  private:
    friend class DryRunWorld;
    void add_cost(const NetworkModel::Cost& cost);

    DryRunWorld& world_;
    int rank_;
    double clock_s_ = 0;
    double ticket_at_s_ = 0;
    double loaded_at_s_[2] = {0, 0};
    bool is_first_load_ = true;
    RankCounts counts_;
};

/// Runs `body` on n_ranks fake ranks, and waits for all. A rank that throws, or ends while others wait for
/// it, makes their calls throw CommError.
std::vector<RankReport> run_dry_ranks(int n_ranks, const NetworkModel& network,
                                      const std::function<void(DryRunRank&)>& body, int ranks_per_node = 128);

}  // namespace rastertide::testing_support
