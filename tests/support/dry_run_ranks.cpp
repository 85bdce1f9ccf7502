// SPDX-License-Identifier: Apache-2.0
#include "support/dry_run_ranks.hpp"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

#include <rastertide/core/error.hpp>

namespace rastertide::testing_support {
namespace {

std::int64_t rounds(int n_ranks) { return std::bit_width(static_cast<unsigned>(n_ranks - 1)); }

double seconds_of(const NetworkModel& network, std::int64_t messages, std::int64_t bytes) {
    return static_cast<double>(messages) * network.latency_s +
           static_cast<double>(bytes) / network.bytes_per_s;
}

}  // namespace

NetworkModel::Cost NetworkModel::allreduce(int n_ranks, std::int64_t bytes) const {
    const std::int64_t n = rounds(n_ranks);
    const std::int64_t doubled = n * bytes;
    const std::int64_t halved = 2 * (bytes - bytes / n_ranks);
    const Cost small = {seconds_of(*this, n, doubled), n, doubled};
    const Cost large = {seconds_of(*this, 2 * n, halved), 2 * n, halved};
    return small.seconds <= large.seconds ? small : large;
}

NetworkModel::Cost NetworkModel::allgather(int n_ranks, std::int64_t all_bytes) const {
    const std::int64_t n = rounds(n_ranks);
    const std::int64_t lengths = std::int64_t{sizeof(int)} * (n_ranks - 1);
    const std::int64_t bytes = lengths + all_bytes - all_bytes / n_ranks;
    return {seconds_of(*this, 2 * n, bytes), 2 * n, bytes};
}

enum class Kind { Barrier, Sum, Max, Gather, ResetTickets };

/// One collective: what the ranks bring, and when the last has come. Not changed any more after that.
struct Exchange {
    Kind kind;
    std::size_t n_values;
    double latest_s = 0;
    std::vector<std::int64_t> sums{};
    std::vector<double> maxima{};
    std::vector<std::string> texts{};
};

/// What the ranks share. One rank runs at a time, as no library that a run uses need stand more of them in
/// one process: HDF5 would not. A rank runs until it waits for the others or for a ticket, or ends. When none
/// is ready to run, the first of those that wait for a ticket gets one: the order of tickets is that of the
/// virtual clocks.
class DryRunWorld {
  public:
    DryRunWorld(int n_ranks, const NetworkModel& network, int ranks_per_node)
        : network_(network), node_size_(std::min(n_ranks, ranks_per_node)) {
        for (int i = 0; i < n_ranks; ++i) seats_.push_back(std::make_unique<Seat>());
        for (const auto& seat : seats_) make_ready(*seat);
        go_on();
    }

    int size() const { return static_cast<int>(seats_.size()); }
    int node_size() const { return node_size_; }
    const NetworkModel& network() const { return network_; }

    /// A rank's first call: returns when it may run.
    void begin(const DryRunRank& rank) {
        std::unique_lock lock(mutex_);
        Seat& seat = seat_of(rank);
        seat.may_run.wait(lock, [&] { return seat.state == State::Runs; });
    }

    /// @param n_values  the same on all ranks, @param contribute  what a rank adds to the exchange
    template <class Contribute>
    std::shared_ptr<const Exchange> meet(DryRunRank& rank, Kind kind, std::size_t n_values,
                                         Contribute contribute) {
        std::unique_lock lock(mutex_);
        throw_if_broken();
        if (n_waiting_ == 0) exchange_ = std::make_shared<Exchange>(Exchange{kind, n_values});
        const std::shared_ptr<Exchange> exchange = exchange_;
        if (exchange->kind != kind || exchange->n_values != n_values) {
            break_off("ranks make different calls");
            throw_if_broken();
        }
        contribute(*exchange);
        exchange->latest_s = std::max(exchange->latest_s, rank.clock_s_);
        ++n_waiting_;
        wait(lock, rank, State::WaitsForAll);
        rank.clock_s_ = exchange->latest_s;
        return exchange;
    }

    std::int64_t next_ticket(DryRunRank& rank) {
        std::unique_lock lock(mutex_);
        throw_if_broken();
        Seat& seat = seat_of(rank);
        seat.asks_at_s = rank.clock_s_ + network_.latency_s;
        wait(lock, rank, State::WaitsForTicket);
        rank.clock_s_ = seat.served_at_s + network_.latency_s;
        return seat.ticket;
    }

    void set_next_ticket(std::int64_t ticket) {
        const std::scoped_lock lock(mutex_);
        next_ticket_ = ticket;
    }

    void end(const DryRunRank& rank, bool failed) {
        const std::scoped_lock lock(mutex_);
        seat_of(rank).state = State::HasEnded;
        ++n_ended_;
        if (failed) break_off("another rank has failed");
        go_on();
    }

  private:
    enum class State { IsReady, Runs, WaitsForTicket, WaitsForAll, HasEnded };
    struct Seat {
        State state = State::IsReady;
        double asks_at_s = 0, served_at_s = 0;
        std::int64_t ticket = 0;
        bool is_broken_off = false;
        std::condition_variable may_run{};
    };

    Seat& seat_of(const DryRunRank& rank) { return *seats_[static_cast<std::size_t>(rank.rank_)]; }

    void throw_if_broken() const {
        if (!broken_.empty()) throw CommError(broken_);
    }

    void wait(std::unique_lock<std::mutex>& lock, const DryRunRank& rank, State state) {
        Seat& seat = seat_of(rank);
        seat.state = state;
        go_on();
        seat.may_run.wait(lock, [&] { return seat.state == State::Runs; });
        if (seat.is_broken_off) throw_if_broken();  // else the call has ended well
    }

    void make_ready(Seat& seat) {
        seat.state = State::IsReady;
        ready_.push_back(&seat);
    }

    /// The rank that ran does not any more: another one does, if any is left.
    void go_on() {
        if (ready_.empty() && broken_.empty()) end_a_wait();
        if (ready_.empty()) return;
        Seat& next = *ready_.front();
        ready_.pop_front();
        next.state = State::Runs;
        next.may_run.notify_one();
    }

    void end_a_wait() {
        if (n_waiting_ == size()) {
            n_waiting_ = 0;
            for (const auto& seat : seats_) make_ready(*seat);
        } else if (n_waiting_ + n_ended_ < size()) {
            serve_first();
        } else if (n_ended_ < size()) {
            break_off("a rank has ended that others wait for");
        }
    }

    void serve_first() {
        Seat* first = nullptr;
        for (const auto& seat : seats_) {
            if (seat->state != State::WaitsForTicket) continue;
            if (first == nullptr || seat->asks_at_s < first->asks_at_s) first = seat.get();
        }
        counter_free_at_s_ = std::max(counter_free_at_s_, first->asks_at_s) + network_.ticket_service_s;
        first->served_at_s = counter_free_at_s_;
        first->ticket = next_ticket_++;
        make_ready(*first);
    }

    void break_off(const std::string& why) {
        if (broken_.empty()) broken_ = why;
        for (const auto& seat : seats_) {
            if (seat->state != State::WaitsForTicket && seat->state != State::WaitsForAll) continue;
            seat->is_broken_off = true;
            make_ready(*seat);
        }
    }

    NetworkModel network_;
    int node_size_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Seat>> seats_;
    std::deque<Seat*> ready_;
    int n_waiting_ = 0, n_ended_ = 0;
    std::shared_ptr<Exchange> exchange_;  // the one that ranks wait in, or the last
    std::int64_t next_ticket_ = 0;
    double counter_free_at_s_ = 0;
    std::string broken_;  // why no call may be made any more
};

int DryRunRank::size() const { return world_.size(); }
int DryRunRank::node_size() const { return world_.node_size(); }

void DryRunRank::add_cost(const NetworkModel::Cost& cost) {
    clock_s_ += cost.seconds;
    counts_.messages_sent += cost.messages;
    counts_.bytes_sent += cost.bytes;
}

void DryRunRank::barrier() {
    ++counts_.barriers;
    world_.meet(*this, Kind::Barrier, 0, [](Exchange&) {});
    add_cost(world_.network().allreduce(size(), 0));
}

void DryRunRank::sum(std::span<std::int64_t> values) {
    ++counts_.sums;
    const auto met = world_.meet(*this, Kind::Sum, values.size(), [&](Exchange& all) {
        all.sums.resize(values.size());
        std::transform(values.begin(), values.end(), all.sums.begin(), all.sums.begin(), std::plus<>());
    });
    std::copy(met->sums.begin(), met->sums.end(), values.begin());
    counts_.bytes_given += static_cast<std::int64_t>(values.size_bytes());
    add_cost(world_.network().allreduce(size(), static_cast<std::int64_t>(values.size_bytes())));
}

void DryRunRank::max(std::span<double> values) {
    ++counts_.maxima;
    const auto met = world_.meet(*this, Kind::Max, values.size(), [&](Exchange& all) {
        if (all.maxima.empty()) all.maxima.assign(values.begin(), values.end());
        std::transform(values.begin(), values.end(), all.maxima.begin(), all.maxima.begin(),
                       [](double a, double b) { return std::max(a, b); });
    });
    std::copy(met->maxima.begin(), met->maxima.end(), values.begin());
    counts_.bytes_given += static_cast<std::int64_t>(values.size_bytes());
    add_cost(world_.network().allreduce(size(), static_cast<std::int64_t>(values.size_bytes())));
}

std::vector<std::string> DryRunRank::gather(const std::string& text) {
    ++counts_.gathers;
    const auto met = world_.meet(*this, Kind::Gather, 0, [&](Exchange& all) {
        all.texts.resize(static_cast<std::size_t>(size()));
        all.texts[static_cast<std::size_t>(rank_)] = text;
    });
    std::int64_t n_bytes = 0;
    for (const std::string& one : met->texts) n_bytes += static_cast<std::int64_t>(one.size());
    counts_.bytes_given += static_cast<std::int64_t>(text.size());
    counts_.bytes_gathered += n_bytes;
    counts_.most_bytes_gathered = std::max(counts_.most_bytes_gathered, n_bytes);
    add_cost(world_.network().allgather(size(), n_bytes));
    return met->texts;
}

void DryRunRank::reset_tickets() {
    barrier();
    if (rank_ == 0) world_.set_next_ticket(0);
    barrier();
    is_first_load_ = true;
}

std::int64_t DryRunRank::next_ticket() {
    // The loop has waited for what is loaded.
    clock_s_ = std::max({clock_s_, loaded_at_s_[0], loaded_at_s_[1]});
    const double asked_at_s = clock_s_;
    const std::int64_t ticket = world_.next_ticket(*this);
    ++counts_.tickets;
    counts_.longest_ticket_wait_s = std::max(counts_.longest_ticket_wait_s, clock_s_ - asked_at_s);
    ticket_at_s_ = clock_s_;
    return ticket;
}

void DryRunRank::close_tickets() { world_.set_next_ticket(std::numeric_limits<std::int64_t>::max() / 2); }

void DryRunRank::load(double seconds, int slot) {
    if (is_first_load_) clock_s_ += seconds;
    loaded_at_s_[slot] = is_first_load_ ? clock_s_ : ticket_at_s_ + seconds;
    is_first_load_ = false;
}

void DryRunRank::work(double seconds, int slot) {
    clock_s_ = std::max(clock_s_, loaded_at_s_[slot]) + seconds;
}

std::vector<RankReport> run_dry_ranks(int n_ranks, const NetworkModel& network,
                                      const std::function<void(DryRunRank&)>& body, int ranks_per_node) {
    DryRunWorld world(n_ranks, network, ranks_per_node);
    std::vector<RankReport> reports(static_cast<std::size_t>(n_ranks));
    // Where the system has no thread left for the last ranks, the first ones must not have begun.
    std::promise<bool> all_started;
    const std::shared_future<bool> may_begin = all_started.get_future().share();
    std::vector<std::thread> threads;
    const auto start = [&](int i) {
        threads.emplace_back([&, i] {
            if (!may_begin.get()) return;
            RankReport& report = reports[static_cast<std::size_t>(i)];
            DryRunRank rank(world, i);
            world.begin(rank);
            try {
                body(rank);
            } catch (...) {
                report.error = current_failure().message;
            }
            report.counts = rank.counts();
            report.clock_s = rank.clock_s();
            world.end(rank, !report.error.empty());
        });
    };
    const auto join_all = [&] {
        for (std::thread& thread : threads) thread.join();
    };
    try {
        for (int i = 0; i < n_ranks; ++i) start(i);
    } catch (const std::system_error&) {
        all_started.set_value(false);
        join_all();
        throw;
    }
    all_started.set_value(true);
    join_all();
    return reports;
}

}  // namespace rastertide::testing_support
