// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace rastertide {

/// Root of everything Rastertide throws for reasons outside its own code.
///
/// A message is one line that says what went wrong, where, the value found and the value expected:
/// `'b4.tif': pixel width 10, the series has 20`.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A parameter or an input's shape is outside what the function accepts.
class InvalidArgument : public Error {
  public:
    using Error::Error;
};

/// A file could not be opened, read or written. The message names path, band and window where they are known.
class IoError : public Error {
  public:
    using Error::Error;
};

/// An input of a series that was there when it was opened cannot be read (any more).
class UnreadableInput : public IoError {
  public:
    /// @param input  its name, as in LeftOutInput
    UnreadableInput(std::string input, const std::string& message)
        : IoError(message), input_(std::move(input)) {}

    const std::string& input() const { return input_; }

  private:
    std::string input_;
};

/// Two rasters that must lie on one grid do not. The message names both and the first field that differs.
class GridMismatch : public Error {
  public:
    using Error::Error;
};

/// The requested backend is not part of this build, or finds no device.
class BackendUnavailable : public Error {
  public:
    using Error::Error;
};

/// A device failed while it computed: it ran out of memory, or it or its driver is at an end. What the call
/// was to write is undefined, but for what it was to add to (PatchSums, PatchMemory): that is as it was
/// before.
class DeviceError : public Error {
  public:
    /// @param out_of_memory  of the device, even for the smallest part of a tile: it can go on with others
    DeviceError(int device, const std::string& message, bool out_of_memory)
        : Error(message), device_(device), out_of_memory_(out_of_memory) {}

    int device() const { return device_; }  ///< its number, from 0
    bool out_of_memory() const { return out_of_memory_; }

  private:
    int device_;
    bool out_of_memory_;
};

/// Ranks could not talk to each other. Only this rank may know: the others may be waiting for it.
class CommError : public Error {
  public:
    using Error::Error;
};

/// The ranks were started in a way that they cannot find each other. All of them see it, each by itself.
class LaunchError : public CommError {
  public:
    using CommError::CommError;
};

/// A rank failed, and all have agreed on it: every rank throws this with the same message and code, so that
/// all can leave in good order. Only Communicator::agree() throws it.
class AgreedError : public CommError {
  public:
    AgreedError(const std::string& message, int exit_code, std::string unreadable_input = "")
        : CommError(message), exit_code_(exit_code), unreadable_input_(std::move(unreadable_input)) {}

    /// What main() is to return.
    int exit_code() const { return exit_code_; }
    /// Of the UnreadableInput that it was on the rank that failed; else empty.
    const std::string& unreadable_input() const { return unreadable_input_; }

  private:
    int exit_code_;
    std::string unreadable_input_;
};

/// A broken invariant: a bug of ours, never the user's fault.
class InternalError : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

/// The text of the exception that is being handled; never empty.
inline std::string current_error() {
    std::string text;
    try {
        throw;
    } catch (const std::bad_alloc&) {
        text = "out of memory: lower -mem or -tile, or run fewer ranks a node";
    } catch (const std::exception& error) {
        text = error.what();
    } catch (...) {
    }
    return text.empty() ? "unknown error" : text;
}

}  // namespace rastertide
