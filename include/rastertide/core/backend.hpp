// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rastertide {

/// Who runs the kernels.
enum class Backend {
    Auto,       ///< the fastest that is available; resolved once per run by resolve_backend()
    Reference,  ///< plain loops in double precision: the oracle, always built, slow
    Cpu,        ///< SIMD and threads
    Cuda,       ///< NVIDIA GPUs, by a module that is opened on demand: see why_no_cuda()
};

/// The word of `-device`: "auto", "reference", "cpu" or "cuda".
std::string_view to_string(Backend backend);

/// The inverse of to_string(). @throws InvalidArgument for any other word
Backend parse_backend(std::string_view word);

/// Backends that can run here, best first: Cuda where its module and a device are.
std::vector<Backend> available_backends();

/// A device of the Cuda backend.
struct DeviceInfo {
    std::string name;              ///< "NVIDIA H100 PCIe"
    int major = 0, minor = 0;      ///< its compute capability
    std::int64_t total_bytes = 0;  ///< of its memory
};

/// The devices that the Cuda backend can use here, in the order of ComputeOptions::device.
///
/// The first call of this or one of the next opens librastertide_cuda.so and asks it for devices; later calls
/// give the same answer. It is looked for in the environment variable RASTERTIDE_CUDA_MODULE (a path; if that
/// is set, only there), then in ../lib and ../lib/rastertide beside the folder of the running program, then
/// where the system looks for libraries. Thread-safe.
const std::vector<DeviceInfo>& cuda_devices();

/// Why the Cuda backend cannot be used here, in one line; empty if it can be.
const std::string& why_no_cuda();

/// Whether there is a module, be there a device or not: without one nobody expects a device to be used.
bool has_cuda_module();

/// Replaces Auto by the best backend that is available here; an explicit request is kept.
/// The environment variable RASTERTIDE_BACKEND overrides Auto (for tests).
/// @throws BackendUnavailable  an explicit request that cannot be met, with why_no_cuda()
Backend resolve_backend(Backend requested);

/// The name of the SIMD instruction set that the Cpu backend uses here ("AVX3_DL", "AVX2", ...).
/// The environment variable RASTERTIDE_SIMD lowers it (for tests); see docs/design/03-simd.md.
/// @throws InvalidArgument  RASTERTIDE_SIMD names a level that this machine or build does not have
std::string_view simd_level();

}  // namespace rastertide
