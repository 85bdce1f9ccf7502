// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <numeric>

#include <mpi.h>

#include <rastertide/core/error.hpp>

#include "core/rank_group.hpp"
#include "reduce/launcher.hpp"

namespace rastertide {
namespace {

void check(int status, const char* call) {
    if (status == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    MPI_Error_string(status, text, &length);
    throw CommError(std::string(call) + ": " + std::string(text, static_cast<std::size_t>(length)));
}

int checked_count(std::size_t n) {
    if (n > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw CommError("a message of " + std::to_string(n) + " items is more than MPI counts");
    }
    return static_cast<int>(n);
}

/// The ticket counter: one integer in rank 0's memory that every rank increments by one-sided operations. No
/// rank has to know when another asks, but over TCP, and wherever MPI does them by messages, rank 0 must be
/// in MPI at times for them to end: see progress().
class TicketWindow {
  public:
    TicketWindow() {
        int rank = 0;
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        const MPI_Aint bytes = rank == 0 ? sizeof(std::int64_t) : 0;
        check(
            MPI_Win_allocate(bytes, sizeof(std::int64_t), MPI_INFO_NULL, MPI_COMM_WORLD, &counter_, &window_),
            "MPI_Win_allocate");
        check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
    }
    TicketWindow(const TicketWindow&) = delete;
    TicketWindow& operator=(const TicketWindow&) = delete;
    ~TicketWindow() {
        MPI_Win_unlock_all(window_);
        MPI_Win_free(&window_);
    }

    std::int64_t update(std::int64_t value, MPI_Op op) {
        std::int64_t before = 0;
        check(MPI_Fetch_and_op(&value, &before, MPI_INT64_T, 0, 0, op, window_), "MPI_Fetch_and_op");
        check(MPI_Win_flush(0, window_), "MPI_Win_flush");
        return before;
    }

  private:
    std::int64_t* counter_ = nullptr;
    MPI_Win window_ = MPI_WIN_NULL;
};

class MpiCommunicator final : public Communicator {
  public:
    MpiCommunicator() {
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
        check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
        check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
        MPI_Comm node = MPI_COMM_NULL;
        check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node),
              "MPI_Comm_split_type");
        MPI_Comm_size(node, &node_size_);
        MPI_Comm_rank(node, &node_rank_);
        MPI_Comm_free(&node);
        tickets_ = std::make_unique<TicketWindow>();
    }
    ~MpiCommunicator() override {
        tickets_.reset();
        MPI_Finalize();
    }

    int rank() const override { return rank_; }
    int size() const override { return size_; }
    int node_size() const override { return node_size_; }
    int node_rank() const override { return node_rank_; }
    const RankGroup* group() const override { return &group_; }

    void barrier() override { check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier"); }

    void sum(std::span<std::int64_t> values) override {
        check(MPI_Allreduce(MPI_IN_PLACE, values.data(), checked_count(values.size()), MPI_INT64_T, MPI_SUM,
                            MPI_COMM_WORLD),
              "MPI_Allreduce");
    }

    void max(std::span<double> values) override {
        check(MPI_Allreduce(MPI_IN_PLACE, values.data(), checked_count(values.size()), MPI_DOUBLE, MPI_MAX,
                            MPI_COMM_WORLD),
              "MPI_Allreduce");
    }

    std::vector<std::string> gather(const std::string& text) override {
        std::vector<int> lengths(static_cast<std::size_t>(size_));
        const int length = checked_count(text.size());
        check(MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, MPI_COMM_WORLD),
              "MPI_Allgather");
        checked_count(
            std::accumulate(lengths.begin(), lengths.end(), std::size_t{0},
                            [](std::size_t sum, int n) { return sum + static_cast<std::size_t>(n); }));
        std::vector<int> offsets(lengths.size());
        std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
        std::string all(static_cast<std::size_t>(offsets.back()) + static_cast<std::size_t>(lengths.back()),
                        '\0');
        check(MPI_Allgatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(),
                             MPI_CHAR, MPI_COMM_WORLD),
              "MPI_Allgatherv");
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            texts.push_back(
                all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(lengths[i])));
        }
        return texts;
    }

    void reset_tickets() override {
        barrier();  // no rank of the last round may still take a ticket
        if (rank_ == 0) tickets_->update(0, MPI_REPLACE);
        barrier();
    }
    std::int64_t next_ticket() override { return tickets_->update(1, MPI_SUM); }
    void close_tickets() override {
        tickets_->update(std::numeric_limits<std::int64_t>::max() / 2, MPI_REPLACE);
    }
    void progress() override {
        int unused = 0;  // no rank sends messages: only what MPI does on the way is wanted
        check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &unused, MPI_STATUS_IGNORE),
              "MPI_Iprobe");
    }

  private:
    int rank_ = 0;
    int size_ = 1;
    int node_size_ = 1;
    int node_rank_ = 0;
    MPI_Comm world_ = MPI_COMM_WORLD;
    MPI_Info no_info_ = MPI_INFO_NULL;
    RankGroup group_{&world_, &no_info_};
    std::unique_ptr<TicketWindow> tickets_;
};

/// Under another MPI's launcher each process would be a world of its own.
void check_size() {
    int size = 1;
    check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
    if (size >= launched_ranks()) return;
    MPI_Finalize();
    throw LaunchError("the launcher started " + std::to_string(launched_ranks()) + " ranks, MPI sees " +
                      std::to_string(size) +
                      ": the launcher and this MPI do not fit; use this MPI's mpirun, or srun --mpi=pmix");
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(int& argc, char**& argv) {
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_FUNNELED)
        throw CommError("this MPI does not support threads (MPI_THREAD_FUNNELED)");
    check_size();
    return std::make_unique<MpiCommunicator>();
}

void abort_mpi(int exit_code) {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::abort();  // MPI_Abort does not return; the standard does not say so
}

}  // namespace rastertide
