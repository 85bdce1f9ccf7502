// SPDX-License-Identifier: Apache-2.0
// Who computes: each rank its own backend and device, agreed upon at the start.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <rastertide/core/log.hpp>
#include <rastertide/pipeline/run_options.hpp>
#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

struct RunKind;

/// What this rank computes with.
struct OwnDevice {
    std::string backend, name;     ///< "cuda", "NVIDIA H100 PCIe"; "cpu", "cpu"
    std::string why_cpu;           ///< why -device auto gave no device; empty if it did, or was not asked
    bool has_cuda_module = false;  ///< then a device could have been expected
};

/// Devices of all ranks.
struct RunDevices {
    std::string backends;              ///< "cpu", "cuda"; "cpu+cuda" where ranks differ
    std::map<std::string, int> ranks;  ///< by name of their device ("NVIDIA H100 PCIe", "cpu"): their number
    std::string why_cpu;               ///< of the first rank that -device auto gave no device; empty if none
    bool is_worth_saying = false;      ///< a device could have been expected there

    /// "cpu", "2 x NVIDIA H100 PCIe, 1 x cpu".
    std::string text() const;
};

/// Resolves -device auto for this rank, and takes the device of its number on the node; with auto, a device
/// that fails is replaced by the CPU, with a warning. With -resume, auto takes the backend that the run began
/// with, if that needs no device. Changes backend, device and fallback of options.compute. Not collective.
/// @throws BackendUnavailable  a backend that is asked for by name
OwnDevice take_device(RunOptions& options, const RunKind& kind, const Communicator& comm,
                      const Logger& logger);

/// Collective.
RunDevices gather_devices(const OwnDevice& own, Communicator& comm);

/// What failed on the devices that the CPU took over from, by rank. Collective.
std::vector<std::string> gather_device_errors(const ComputeOptions& compute, Communicator& comm);

}  // namespace rastertide
