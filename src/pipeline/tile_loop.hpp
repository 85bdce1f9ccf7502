// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <exception>
#include <future>
#include <optional>

#include <rastertide/core/error.hpp>
#include <rastertide/core/log.hpp>
#include <rastertide/core/stop.hpp>
#include <rastertide/reduce/communicator.hpp>
#include <rastertide/tile/tiling.hpp>

#include "pipeline/serving_worker.hpp"

namespace rastertide {

/// Which of a rank's two sets of buffers a tile uses: one is filled while the other is worked on.
using Slot = int;

/// A write that goes on beside the next tile's computation; at most one at a time.
class PendingWrite {
  public:
    /// Starts `write` after the last one has ended. @throws what the last one threw
    template <class Write>
    void start(Write write) {
        wait();
        pending_ = std::async(std::launch::async, std::move(write));
    }
    void wait() {
        if (pending_.valid()) pending_.get();
    }

  private:
    std::future<void> pending_;
};

/// Runs `step` on this rank; if it fails on any rank, every rank throws its message. Collective.
/// @throws AgreedError
/// @throws CommError  of step() itself, on this rank alone: MPI is broken and cannot be asked to agree on it
template <class Step>
void together(Communicator& comm, Step step) {
    std::optional<Failure> failure;
    try {
        step();
    } catch (const CommError&) {
        throw;
    } catch (...) {
        failure = current_failure();
    }
    comm.agree(failure);
}

/// One pass over the tiles of a plan: ranks take them from the shared counter; while work(tile, slot) runs
/// for one tile, load(tile, slot) runs in another thread for the next. On several ranks, work() and finish()
/// run in a thread of their own. finish() comes after this rank's last tile. An error on one rank, or
/// request_stop(), stops all of them. Collective.
/// @throws AgreedError
template <class Load, class Work, class Finish>
void for_each_tile(Communicator& comm, const TilePlan& plan, Load load, Work work, Finish finish,
                   const ProgressFn& progress) {
    const auto n_tiles = static_cast<std::int64_t>(plan.tiles.size());
    const auto tile = [&](std::int64_t ticket) -> const Tile& {
        return plan.tiles[static_cast<std::size_t>(ticket)];
    };
    comm.reset_tickets();
    together(comm, [&] {
        try {
            Slot slot = 0;
            std::int64_t current = comm.next_ticket();
            ServingWorker worker(comm);  // after what its work refers to
            if (current < n_tiles) worker.run([&] { load(tile(current), slot); });
            while (current < n_tiles) {
                const std::int64_t next = comm.next_ticket();
                std::future<void> loading;
                if (next < n_tiles)
                    loading = std::async(std::launch::async, load, std::cref(tile(next)), 1 - slot);
                worker.run([&] { work(tile(current), slot); });
                if (progress)
                    progress(static_cast<double>(std::min(next, n_tiles)) / static_cast<double>(n_tiles));
                if (loading.valid()) worker.wait(loading);
                throw_if_stopped();
                current = next;
                slot = 1 - slot;
            }
            worker.run(finish);
        } catch (const CommError&) {
            throw;
        } catch (...) {
            comm.close_tickets();
            throw;
        }
    });
}

}  // namespace rastertide
