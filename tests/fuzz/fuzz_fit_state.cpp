// SPDX-License-Identifier: Apache-2.0
// fit_state.json: the input is the file, of a run with three clusters or three to four.
#include "fuzz/fuzz_target.hpp"
#include "pipeline/kmeans/fit_state.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::fuzzing;

bool is_same(const KMeansFit& a, const KMeansFit& b) {
    return a.centers.values == b.centers.values && a.centers.n_clusters == b.centers.n_clusters &&
           a.iterations == b.iterations && a.converged == b.converged;
}

void try_state(const std::string& text, std::int64_t max_clusters) {
    RunKMeansOptions options;
    options.patch_size = 1;
    options.min_clusters = 3;
    options.max_clusters = max_clusters;
    is_accepted([&] {
        const std::vector<KMeansFit> fits = fits_of_text(text, options, 2);
        for (const KMeansFit& fit : fits) fit.centers.validate();
        const std::vector<KMeansFit> again = fits_of_text(text_of_fits(fits), options, 2);
        require(std::equal(fits.begin(), fits.end(), again.begin(), again.end(), is_same),
                "fits read as they were written");
    });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = text_of(data, size);
    try_state(text, 3);
    try_state(text, 4);
    return 0;
}
