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
    } catch (const UnreadableInput& error) {
        return {error.what(), 1, error.input()};
    } catch (...) {
        return {current_error()};
    }
}

bool Communicator::all_true(bool ok) {
    std::int64_t n_failed = ok ? 0 : 1;
    sum({&n_failed, 1});
    return n_failed == 0;
}

namespace {

/// "EXIT_CODE LENGTH_OF_INPUT INPUT MESSAGE", never empty.
std::string text_of(const Failure& failure) {
    return std::to_string(failure.exit_code) + ' ' + std::to_string(failure.unreadable_input.size()) + ' ' +
           failure.unreadable_input + ' ' + failure.message;
}

[[noreturn]] void throw_agreed(const std::string& text) {
    std::size_t length_at = 0, input_at = 0;
    const int exit_code = std::stoi(text, &length_at);
    const std::size_t length = std::stoul(text.substr(length_at), &input_at);
    input_at += length_at + 1;
    throw AgreedError(text.substr(input_at + length + 1), exit_code, text.substr(input_at, length));
}

}  // namespace

void Communicator::agree(const std::optional<Failure>& failure) {
    if (all_true(!failure)) return;
    for (const std::string& text : gather(failure ? text_of(*failure) : "")) {
        if (!text.empty()) throw_agreed(text);
    }
    throw InternalError("ranks disagree on whether one failed");
}

namespace {

class SerialCommunicator final : public Communicator {
  public:
    int rank() const override { return 0; }
    int size() const override { return 1; }
    int node_size() const override { return 1; }
    int node_rank() const override { return 0; }
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
