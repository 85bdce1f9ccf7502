// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rastertide/core/error.hpp>

namespace rastertide {

/// A run was asked to stop, and did so at a safe place: what it has written is whole.
class Stopped : public Error {
  public:
    explicit Stopped(int signal);
    int signal() const { return signal_; }
    /// What main() is to return, as shells have it.
    int exit_code() const { return 128 + signal_; }

  private:
    int signal_;
};

/// Asks the runs of this process to stop: when the tile that is open is done. Safe in a signal handler.
/// @param signal  that asks for it (SIGINT, SIGTERM), for the message; 0 takes the request back
void request_stop(int signal) noexcept;

/// @throws Stopped  after request_stop()
void throw_if_stopped();

}  // namespace rastertide
