// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <rastertide/core/error.hpp>
#include <rastertide/core/stop.hpp>
#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

Failure current_failure() {
    try {
        throw;
    } catch (const Stopped& stopped) {
        return {stopped.what(), stopped.exit_code()};
    } catch (...) {
        return {current_error()};
    }
}

bool Communicator::all_true(bool ok) {
    std::int64_t n_failed = ok ? 0 : 1;
    sum({&n_failed, 1});
    return n_failed == 0;
}

void Communicator::agree(const std::optional<Failure>& failure) {
    if (all_true(!failure)) return;
    // "2 message"; empty on a rank that did not fail.
    const std::string own = failure ? std::to_string(failure->exit_code) + ' ' + failure->message : "";
    for (const std::string& text : gather(own)) {
        if (!text.empty()) throw AgreedError(text.substr(text.find(' ') + 1), std::stoi(text));
    }
    throw InternalError("ranks disagree on whether one failed");
}

namespace {

class SerialCommunicator final : public Communicator {
  public:
    int rank() const override { return 0; }
    int size() const override { return 1; }
    int node_size() const override { return 1; }
    void barrier() override {}
    void sum(std::span<std::int64_t>) override {}
    void max(std::span<double>) override {}
    std::vector<std::string> gather(const std::string& text) override { return {text}; }
    void reset_tickets() override { next_ticket_ = 0; }
    std::int64_t next_ticket() override { return next_ticket_++; }
    void close_tickets() override { next_ticket_ = std::numeric_limits<std::int64_t>::max() / 2; }
    void progress() override {}

  private:
    std::int64_t next_ticket_ = 0;
};

}  // namespace

std::unique_ptr<Communicator> make_serial_communicator() { return std::make_unique<SerialCommunicator>(); }

}  // namespace rastertide
