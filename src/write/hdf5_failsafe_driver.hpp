// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <system_error>

#include <rastertide/core/error.hpp>

#include "write/hdf5_file.hpp"

namespace rastertide {

/// The first system error of a file's writes.
struct WriteFailure {
    int error_number = 0;  ///< errno; 0 = none
};

/// File access properties with a driver of ours whose writes never fail towards the library: they are noted
/// in `failure`. HDF5 1.10 cannot close a file that it could not write (a full disk): it prints pages of text
/// and may crash at the end of the program. So it is told that all is well, and the caller looks at `failure`
/// after each call.
/// @param failure  outlives every file opened with the properties
Hdf5Id make_failsafe_access(const Hdf5Calls& calls, WriteFailure& failure);

/// Runs step(calls) on a stack's file; its error is the system's reason where there is one, else HDF5's.
/// @param name  of the file, for the error @throws IoError
template <class Step>
void call_hdf5(const std::string& name, const WriteFailure& failure, Step step) {
    const std::string what = "'" + name + "': cannot write the stack";
    const Hdf5Calls calls(what);
    try {
        step(calls);
    } catch (const IoError&) {
        if (failure.error_number == 0) throw;
    }
    if (failure.error_number != 0) {
        throw IoError(what + ": " + std::generic_category().message(failure.error_number));
    }
}

}  // namespace rastertide
