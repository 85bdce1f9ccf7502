// SPDX-License-Identifier: Apache-2.0
// centers.json: the input is the file.
#include <cmath>

#include <rastertide/pipeline/kmeans_model.hpp>

#include "fuzz/fuzz_target.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::fuzzing;

bool is_same(const KMeansModel& a, const KMeansModel& b) {
    return a.centers.patch_size == b.centers.patch_size && a.centers.n_bands == b.centers.n_bands &&
           a.centers.n_clusters == b.centers.n_clusters && a.centers.values == b.centers.values &&
           a.scale == b.scale && a.time_features == b.time_features && a.sizes == b.sizes &&
           (a.energy == b.energy || (std::isnan(a.energy) && std::isnan(b.energy))) &&
           a.iterations == b.iterations && a.seed == b.seed && a.band_names == b.band_names;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static InputFile file("centers.json");
    file.write(text_of(data, size));
    is_accepted([&] {
        const KMeansModel model = read_kmeans_model(file.path());
        model.centers.validate();
        file.write(kmeans_model_json(model));
        require(is_same(read_kmeans_model(file.path()), model), "a model reads as it was written");
    });
    return 0;
}
