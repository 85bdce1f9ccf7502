// SPDX-License-Identifier: Apache-2.0
// What a ticket costs: all ranks but the first take tickets one after the other, while that one answers them.
#include <chrono>
#include <cstdio>

#include <rastertide/reduce/communicator.hpp>

int main(int argc, char** argv) {
    using Clock = std::chrono::steady_clock;
    const auto comm = rastertide::make_communicator(argc, argv);
    constexpr std::int64_t kTickets = 20000;
    comm->reset_tickets();
    const auto start = Clock::now();
    std::int64_t n_taken = 0;
    if (comm->rank() > 0 || comm->size() == 1) {
        while (comm->next_ticket() < kTickets) ++n_taken;
        comm->close_tickets();
    } else {
        while (std::chrono::duration<double>(Clock::now() - start).count() < 1) comm->progress();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (n_taken > 0)
        std::printf("rank %d: %.2f us a ticket\n", comm->rank(),
                    seconds / static_cast<double>(n_taken) * 1e6);
    comm->barrier();
    return 0;
}
