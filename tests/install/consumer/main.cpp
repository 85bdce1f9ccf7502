// SPDX-License-Identifier: Apache-2.0
// Scores one location with the installed library: the odd date must stand out.
#include <array>

#include <rastertide/compute/lof.hpp>
#include <rastertide/pipeline/run_lof.hpp>

int main() {
    std::array<float, 12> pixels{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 90};
    std::array<float, 12> scores{};
    rastertide::lof({pixels.data(), 12, 1, 1, 1, 0, 0}, {1, 3}, {scores.data(), 1, 1});
    try {  // links everything below the pipeline
        rastertide::run_lof({}, *rastertide::make_serial_communicator());
        return 2;
    } catch (const rastertide::Error&) {
        return scores[11] > 5 && scores[5] < 2 ? 0 : 1;
    }
}
