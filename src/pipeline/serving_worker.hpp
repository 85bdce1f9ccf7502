// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

/// A thread that does a rank's work while the calling thread, MPI's only one, answers the other ranks. Alone,
/// the caller works itself.
///
/// One thread for all work: every further one would start OpenMP threads of its own.
class ServingWorker {
  public:
    explicit ServingWorker(Communicator& comm) : comm_(comm) {
        if (comm.size() > 1) thread_ = std::thread([this] { do_tasks(); });
    }
    ServingWorker(const ServingWorker&) = delete;
    ServingWorker& operator=(const ServingWorker&) = delete;
    ~ServingWorker() {
        if (!thread_.joinable()) return;
        hand_over(Task{});
        thread_.join();
    }

    /// Returns when work() has ended. @throws what it threw
    void run(std::function<void()> work) {
        if (!thread_.joinable()) return work();
        Task task(std::move(work));
        std::future<void> done = task.get_future();
        hand_over(std::move(task));
        wait(done);
    }

    /// Waits for what another thread does. @throws what it threw
    void wait(std::future<void>& done) {
        // Each poll costs some microseconds of a core, each request of a rank waits for the next one or two.
        constexpr auto kPoll = std::chrono::milliseconds(2);
        while (thread_.joinable() && done.wait_for(kPoll) != std::future_status::ready) comm_.progress();
        done.get();
    }

  private:
    using Task = std::packaged_task<void()>;

    void hand_over(Task task) {
        {
            const std::scoped_lock lock(mutex_);
            next_ = std::move(task);
        }
        handed_over_.notify_one();
    }

    /// Until an empty task comes.
    void do_tasks() {
        for (;;) {
            std::unique_lock lock(mutex_);
            handed_over_.wait(lock, [this] { return next_.has_value(); });
            Task task = std::move(*next_);
            next_.reset();
            lock.unlock();
            if (!task.valid()) return;
            task();
        }
    }

    Communicator& comm_;
    std::mutex mutex_;
    std::condition_variable handed_over_;
    std::optional<Task> next_;
    std::thread thread_;  // last: it uses the others
};

}  // namespace rastertide
