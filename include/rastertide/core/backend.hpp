// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace rastertide {

/// Who runs the kernels.
enum class Backend {
    Auto,       ///< the fastest that is available; resolved once per run by resolve_backend()
    Reference,  ///< plain loops in double precision: the oracle, always built, slow
    Cpu,        ///< SIMD and threads
    Cuda,       ///< NVIDIA GPUs (not part of this version: asking for it throws)
};

/// The word of `-device`: "auto", "reference", "cpu" or "cuda".
std::string_view to_string(Backend backend);

/// The inverse of to_string(). @throws InvalidArgument for any other word
Backend parse_backend(std::string_view word);

/// Backends that can run here, best first.
std::vector<Backend> available_backends();

/// Replaces Auto by the best backend that is available; an explicit request is kept.
/// The environment variable RASTERTIDE_BACKEND overrides Auto (for tests).
/// @throws BackendUnavailable  an explicit request that cannot be met; there is no silent fallback
Backend resolve_backend(Backend requested);

/// The name of the SIMD instruction set that the Cpu backend uses here ("AVX3_DL", "AVX2", ...).
/// The environment variable RASTERTIDE_SIMD lowers it (for tests); see docs/design/03-simd.md.
std::string_view simd_level();

}  // namespace rastertide
