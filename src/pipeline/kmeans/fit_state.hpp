// SPDX-License-Identifier: Apache-2.0
// The centres of the last whole iteration on disk, for -resume.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// fit_state.json, and back: numbers read back to the same double.
/// @throws InvalidArgument  the text is not the state of fits with these options
std::vector<KMeansFit> fits_of_text(const std::string& text, const RunKMeansOptions& options,
                                    std::int64_t n_sample_bands);
std::string text_of_fits(const std::vector<KMeansFit>& fits);

class FitState {
  public:
    static constexpr const char* kFileName = "fit_state.json";

    explicit FitState(KMeansRun& run) : run_(run) {}

    /// The fits that an earlier call of the run has left, none if it has left none. Collective.
    /// @throws AgreedError  the file is damaged
    std::vector<KMeansFit> read();
    /// Keeps the fits after an iteration, as often as that takes little of the time. On the first rank alone.
    void keep(const std::vector<KMeansFit>& fits);
    /// Of a run that is done. On the first rank alone.
    static void remove(const KMeansRun& run);

  private:
    KMeansRun& run_;
    std::chrono::steady_clock::time_point kept_;
    std::chrono::steady_clock::duration cost_{};  ///< of the last time
};

}  // namespace rastertide
