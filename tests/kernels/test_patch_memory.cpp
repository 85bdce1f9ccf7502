// SPDX-License-Identifier: Apache-2.0
// Passes with memory against assign_patches(), which has none: labels and sums to the bit.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/compute/patch_memory.hpp>
#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
const FixedPoint kFixed = FixedPoint::for_range(0, 16);

struct Scene {
    std::int64_t n_dates, n_bands, n_rows, n_cols;
    std::vector<float> values;

    PixelStack pixels() const { return {values.data(), n_dates, n_bands, n_rows, n_cols, 0, 0}; }
};

/// Speckle over a dark left and a bright right half; pixels without data on a diagonal of the last date.
Scene speckle_scene(std::int64_t n_dates, std::int64_t n_bands, std::int64_t n_rows, std::int64_t n_cols) {
    Scene scene{n_dates, n_bands, n_rows, n_cols, {}};
    std::mt19937 random(3);
    std::gamma_distribution<float> speckle(4.0F, 0.25F);
    for (std::int64_t i = 0; i < n_dates * n_bands * n_rows * n_cols; ++i) {
        scene.values.push_back(speckle(random) * (i % n_cols < n_cols / 2 ? 1.0F : 3.0F));
    }
    const std::int64_t last_image = (n_dates - 1) * n_bands * n_rows;
    for (std::int64_t row = 0; row < n_rows; row += 37) {
        const std::int64_t col = row * 2 % n_cols;
        scene.values[static_cast<std::size_t>((last_image + row) * n_cols + col)] = kNaN;
    }
    return scene;
}

PatchCenters random_centers(int patch_size, std::int64_t n_bands, std::int64_t n_clusters, unsigned seed) {
    PatchCenters centers{patch_size, n_bands, n_clusters, {}};
    std::mt19937 random(seed);
    std::gamma_distribution<double> level(2.0, 1.0);
    std::normal_distribution<double> texture(0.0, 0.3);
    for (std::int64_t k = 0; k < n_clusters; ++k) {
        const double mean = level(random);
        for (std::int64_t i = 0; i < centers.n_features(); ++i) {
            centers.values.push_back(mean + texture(random));
        }
    }
    return centers;
}

/// One pass after the other over a scene, each held against assign_patches().
class Passes {
  public:
    Passes(const Scene& scene, const PatchCenters& centers, Backend backend, int n_threads,
           PatchMemoryKind kind = PatchMemoryKind::Margins)
        : scene_(scene),
          options_{backend, n_threads},
          memory_(kind),
          sums_(centers.n_clusters, centers.n_features()),
          foreign_(centers.n_clusters, centers.n_features()) {
        // Sums of other tiles, which passes leave alone.
        std::int64_t value = 1000;
        for (std::int64_t& number : foreign_.state()) number = value++;
        sums_.merge(foreign_);
    }

    void expect_pass(const PatchCenters& centers, const std::string& what) {
        const std::int64_t n_rows = scene_.n_rows - centers.patch_size + 1;
        const std::int64_t n_cols = scene_.n_cols - centers.patch_size + 1;
        std::vector<std::uint16_t> expected(static_cast<std::size_t>(scene_.n_dates * n_rows * n_cols));
        PatchSums expected_sums = foreign_;
        assign_patches(scene_.pixels(), centers, kFixed, {expected.data(), n_rows * n_cols, n_cols},
                       &expected_sums, {options_.backend, 1});
        labels_.resize(expected.size(), 0);
        std::int64_t expected_changes = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) expected_changes += expected[i] != labels_[i];

        const std::int64_t n_changed =
            reassign_patches(scene_.pixels(), centers, kFixed, memory_, sums_, options_);

        std::ranges::fill(labels_, std::uint16_t{9999});
        memory_.copy_labels({labels_.data(), n_rows * n_cols, n_cols});
        EXPECT_EQ(labels_, expected) << what;
        EXPECT_TRUE(std::ranges::equal(sums_.state(), expected_sums.state())) << what;
        EXPECT_EQ(n_changed, expected_changes) << what;
        last_changes_ = n_changed;
        means_ = expected_sums;
    }

    /// Centres after the update step, of this tile alone.
    PatchCenters next(const PatchCenters& centers) const {
        PatchSums own = means_;
        std::ranges::transform(own.state(), PatchSums(foreign_).state(), own.state().begin(), std::minus<>());
        return mean_centers(centers, own, kFixed);
    }

    const PatchMemory& memory() const { return memory_; }
    std::int64_t n_patches() const { return static_cast<std::int64_t>(labels_.size()); }
    std::int64_t last_changes() const { return last_changes_; }

  private:
    const Scene& scene_;
    ComputeOptions options_;
    PatchMemory memory_;
    PatchSums sums_, foreign_, means_{1, 1};
    std::vector<std::uint16_t> labels_;
    std::int64_t last_changes_ = 0;
};

/// Lloyd's steps, small and large jumps, all centres alike, and a pass in which nothing moves.
/// Margins are only in use after passes that change few labels, so that steps go on until then, and some
/// more.
void expect_exact_passes(const Scene& scene, const PatchCenters& start, Backend backend, int n_threads,
                         PatchMemoryKind kind = PatchMemoryKind::Margins) {
    Passes passes(scene, start, backend, n_threads, kind);
    PatchCenters centers = start;
    const int n_steps = start.n_clusters > 64 ? 6 : 40;  // of more clusters there are no margins
    for (int i = 0, n_calm = 0; i < n_steps && n_calm < 6; ++i) {
        passes.expect_pass(centers, "step " + std::to_string(i));
        centers = passes.next(centers);
        if (passes.last_changes() < passes.n_patches() / 50) ++n_calm;
    }
    for (double& value : centers.values) value += value * 1e-6;
    passes.expect_pass(centers, "a tiny move");
    const std::int64_t n_features = centers.n_features();
    std::rotate(centers.values.begin(), centers.values.begin() + n_features, centers.values.end());
    passes.expect_pass(centers, "other numbers");
    passes.expect_pass(random_centers(start.patch_size, start.n_bands, start.n_clusters, 99), "a jump");
    centers.values.assign(centers.values.size(), 1e3);
    passes.expect_pass(centers, "all alike and far away");
    centers.values[0] = -1e3;
    passes.expect_pass(centers, "one farther still");
    for (double& value : centers.values) value *= 1e13;
    passes.expect_pass(centers, "beyond the squares of floats");
    for (int i = 0; i < 8; ++i) {
        centers = i == 0 ? start : passes.next(centers);
        passes.expect_pass(centers, "back, step " + std::to_string(i));
    }
    passes.expect_pass(centers, "the same again");
    EXPECT_EQ(passes.last_changes(), 0);
}

// Rows and columns of locations; a sanitizer makes each a hundred times as slow.
#ifdef __SANITIZE_ADDRESS__
constexpr int kMoreRows = 6, kMoreCols = 35, kLevelRows = 14, kManyRows = 24;
#else
constexpr int kMoreRows = 69, kMoreCols = 75, kLevelRows = 40, kManyRows = 60;
#endif

using Size = std::tuple<int, int, int, int>;  // patch, clusters, bands, threads
class PatchMemorySizes : public testing::TestWithParam<Size> {};

TEST_P(PatchMemorySizes, PassesEqualFreshOnes) {
    const auto& [patch, n_clusters, n_bands, n_threads] = GetParam();
    expect_exact_passes(speckle_scene(2, n_bands, patch + kMoreRows, patch + kMoreCols),
                        random_centers(patch, n_bands, n_clusters, 5), Backend::Cpu, n_threads);
}

INSTANTIATE_TEST_SUITE_P(Clusters, PatchMemorySizes,
                         testing::Combine(testing::Values(7),
                                          testing::Values(1, 2, 3, 10, 16, 17, 64, 65, 254, 255, 300),
                                          testing::Values(1), testing::Values(1, 2)));
INSTANTIATE_TEST_SUITE_P(Patches, PatchMemorySizes,
                         testing::Combine(testing::Values(1, 3, 9, 15, 31), testing::Values(2, 10),
                                          testing::Values(1, 3), testing::Values(1)));

TEST(PatchMemory, ReferencePassesEqualFreshOnes) {
    for (const int n_clusters : {1, 4, 300}) {
        expect_exact_passes(speckle_scene(2, 2, 14, 20), random_centers(3, 2, n_clusters, 5),
                            Backend::Reference, 2);
    }
}

TEST(PatchMemory, RowsOfEveryLengthEqualFreshOnes) {
    for (const std::int64_t n_cols : {1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65}) {
        SCOPED_TRACE(n_cols);
        expect_exact_passes(speckle_scene(2, 1, 12, n_cols + 2), random_centers(3, 1, 5, 5), Backend::Cpu, 1);
    }
}

/// So many patches that passes look for candidates, before margins are in use and without any.
TEST(PatchMemory, LargeTilesEqualFreshOnes) {
    const Scene scene = speckle_scene(2, 1, 5 * kManyRows, 6 * kManyRows);
    for (const PatchMemoryKind kind : {PatchMemoryKind::Margins, PatchMemoryKind::Labels}) {
        expect_exact_passes(scene, random_centers(7, 1, 10, 5), Backend::Cpu, 2, kind);
    }
}

TEST(PatchMemory, LabelsAloneEqualFreshOnes) {
    expect_exact_passes(speckle_scene(2, 1, kManyRows + 16, 80), random_centers(7, 1, 10, 5), Backend::Cpu, 2,
                        PatchMemoryKind::Labels);
}

/// Small integers: scores are exact and many are equal, so that no patch is far from a tie.
TEST(PatchMemory, TiesEqualFreshOnes) {
    for (const int patch : {1, 3}) {
        Scene scene = speckle_scene(3, 1, kManyRows, 70);
        for (float& value : scene.values) value = std::round(2 * value);
        PatchCenters centers{patch, 1, 8, {}};
        for (std::int64_t i = 0; i < 8 * centers.n_features(); ++i) {
            centers.values.push_back(static_cast<double>(i / centers.n_features()));
        }
        Passes passes(scene, centers, Backend::Cpu, 1);
        std::mt19937 random(7);
        for (int pass = 0; pass < 60; ++pass) {
            passes.expect_pass(centers, "pass " + std::to_string(pass));
            // By steps of 1/4 to and fro, most of the time of one value.
            for (int i = 0; i < (pass % 10 == 9 ? 9 : 1); ++i) {
                double& value = centers.values[random() % centers.values.size()];
                value += random() % 2 == 0 ? 0.25 : -0.25;
            }
        }
    }
}

/// Pixels half way between two centres take the lower label, whether labels rise or fall with the means, also
/// in passes that look at the centres by their means.
TEST(PatchMemory, PixelsHalfWayEqualFreshOnes) {
    Scene scene = speckle_scene(2, 1, kManyRows, 70);
    for (float& value : scene.values) value = std::round(4 * value);
    PatchCenters rising{1, 1, 8, {0, 2, 4, 6, 8, 10, 12, 14}}, falling = rising;
    std::ranges::reverse(falling.values);
    Passes passes(scene, rising, Backend::Cpu, 1);
    for (int pass = 0; pass < 6; ++pass) {
        passes.expect_pass(pass % 2 == 0 ? rising : falling, "pass " + std::to_string(pass));
        EXPECT_GT(passes.last_changes(), passes.n_patches() / 8);
    }
}

/// Margins last for many passes: small moves, all one way, of centres that nearly meet.
TEST(PatchMemory, CreepingCentersEqualFreshPasses) {
    const Scene scene = speckle_scene(3, 1, kManyRows, 90);
    PatchCenters centers = random_centers(5, 1, 7, 5);
    for (std::size_t i = 0; i < 25; ++i) centers.values[25 + i] = centers.values[i] + 1e-3;
    Passes passes(scene, centers, Backend::Cpu, 1);
    for (int pass = 0; pass < 120; ++pass) {
        passes.expect_pass(centers, "pass " + std::to_string(pass));
        const double step = pass % 40 < 20 ? 2e-4 : 3e-6;
        for (std::size_t i = 0; i < centers.values.size(); ++i) {
            const std::size_t k = i / 25;
            centers.values[i] += step * static_cast<double>(k % 3) * (i % 5 < 2 ? 1 : -0.5);
        }
    }
}

/// Two centres nearly meet and tremble by less than scores round: a label may change by rounding alone.
TEST(PatchMemory, CentersWithinRoundingEqualFreshPasses) {
    const Scene scene = speckle_scene(3, 1, kManyRows, 90);
    PatchCenters centers{5, 1, 3, std::vector<double>(75, 3.0)};
    std::fill_n(centers.values.begin() + 50, 25, 1.0);
    std::mt19937 random(9);
    for (std::size_t i = 0; i < 25; ++i) centers.values[25 + i] += 1e-3 * (random() % 2 == 0 ? 1 : -1);
    Passes passes(scene, centers, Backend::Cpu, 1);
    std::int64_t n_late_changes = 0;
    for (int pass = 0; pass < 60; ++pass) {
        passes.expect_pass(centers, "pass " + std::to_string(pass));
        if (pass > 10) n_late_changes += passes.last_changes();
        for (std::size_t i = 0; i < 50; ++i) centers.values[i] += random() % 2 == 0 ? 3e-7 : -3e-7;
    }
    EXPECT_GT(n_late_changes, 0);
}

/// A patch that floats cannot tell has no margin, and gets none when rounding costs less in a later pass.
TEST(PatchMemory, NoMarginComesFromCentersThatShrink) {
    Scene scene = speckle_scene(1, 1, 43, 43);
    std::ranges::fill(scene.values, 1.0F);
    const auto centers_of = [](double mean, double nudge_0, double nudge_1) {
        PatchCenters centers{13, 1, 2, {}};
        for (int k = 0; k < 2; ++k) {
            const std::size_t first = centers.values.size();
            centers.values.insert(centers.values.end(), 169, mean);
            centers.values[first] += k == 0 ? 0.3 : -0.3;
            centers.values[first + 1] -= k == 0 ? 0.3 : -0.3;
            centers.values[first + 7] += k == 0 ? nudge_0 : nudge_1;
        }
        return centers;
    };
    Passes passes(scene, centers_of(1, 0, 1e-9), Backend::Cpu, 1);
    for (int pass = 0; pass < 3; ++pass) passes.expect_pass(centers_of(1, 0, 1e-9), "before");
    for (int pass = 0; pass < 2; ++pass) passes.expect_pass(centers_of(0.5, -1e-9, 0), "after");
}

/// A unit of margin is worth much where the only rival has come from far away: rounding is a tiny part of it.
TEST(PatchMemory, ARivalFromFarAwayEqualsFreshPasses) {
    Scene scene = speckle_scene(1, 1, 43, 43);
    std::mt19937 random(7);
    std::normal_distribution<float> noise(100, 40);
    for (float& value : scene.values) value = noise(random);
    PatchCenters near{13, 1, 2, {}};
    std::normal_distribution<double> normal(0, 1);
    for (int i = 0; i < 169; ++i) near.values.push_back(100 + 40 * normal(random));
    for (std::size_t i = 0; i < 169; ++i) near.values.push_back(near.values[i] + 1e-4 * normal(random));
    for (const double away : {2e4, 5e4, 2e5, 1e6}) {
        PatchCenters far = near;
        std::fill_n(far.values.begin() + 169, 169, away);
        Passes passes(scene, far, Backend::Cpu, 1);
        for (int pass = 0; pass < 2; ++pass) passes.expect_pass(far, "far away");
        for (int pass = 0; pass < 2; ++pass) passes.expect_pass(near, "from " + std::to_string(away));
    }
}

/// Constant ground has patches of no spread at all, and all on one side of every bound.
TEST(PatchMemory, FlatGroundEqualsFreshPasses) {
    Scene scene = speckle_scene(2, 1, 40, 90);
    for (std::size_t i = 0; i < scene.values.size(); ++i) {
        if (i % 90 < 50) scene.values[i] = 0.7F;
    }
    expect_exact_passes(scene, random_centers(5, 1, 4, 5), Backend::Cpu, 1);
    std::ranges::fill(scene.values, 0.7F);
    expect_exact_passes(scene, random_centers(5, 1, 4, 5), Backend::Cpu, 1);
    std::ranges::fill(scene.values, kNaN);
    expect_exact_passes(scene, random_centers(5, 1, 4, 5), Backend::Cpu, 1);
}

TEST(PatchMemory, BackendsMayTakeTurns) {
    const Scene scene = speckle_scene(1, 1, 30, 60);
    PatchCenters centers = random_centers(3, 1, 4, 5);
    PatchMemory memory;
    PatchSums sums(4, 9);
    for (int pass = 0; pass < 30; ++pass) {
        const Backend backend = pass == 20 ? Backend::Reference : Backend::Cpu;
        reassign_patches(scene.pixels(), centers, kFixed, memory, sums, {backend, 1});
        PatchSums expected(4, 9);
        assign_patches(scene.pixels(), centers, kFixed, {}, &expected, {backend, 1});
        ASSERT_TRUE(std::ranges::equal(sums.state(), expected.state())) << pass;
        centers = mean_centers(centers, sums, kFixed);
        if (pass == 19) centers = random_centers(3, 1, 4, 8);
    }
}

TEST(PatchMemory, WideTilesEqualFreshOnes) {
    expect_exact_passes(speckle_scene(1, 8, 9, 1500), random_centers(7, 8, 3, 5), Backend::Cpu, 2);
    expect_exact_passes(speckle_scene(1, 363, 2, 300), random_centers(1, 363, 10, 5), Backend::Cpu, 1);
}

/// Real fits end slowly: most passes change few labels in most rows.
TEST(PatchMemory, AWholeFitEqualsFreshPassesAndEnds) {
    const Scene scene = speckle_scene(3, 1, kManyRows, 90);
    PatchCenters centers = random_centers(5, 1, 6, 5);
    Passes passes(scene, centers, Backend::Cpu, 1);
    int n_passes = 0;
    do {
        passes.expect_pass(centers, "pass " + std::to_string(n_passes));
        centers = passes.next(centers);
    } while (passes.last_changes() != 0 && ++n_passes < 200);
    EXPECT_EQ(passes.last_changes(), 0);
    EXPECT_GT(n_passes, 10);
}

class PatchMemoryLevels : public testing::TestWithParam<const char*> {
  protected:
    void TearDown() override { unsetenv("RASTERTIDE_SIMD"); }
};

TEST_P(PatchMemoryLevels, PassesEqualFreshOnes) {
    setenv("RASTERTIDE_SIMD", GetParam(), 1);
    try {
        EXPECT_EQ(simd_level(), GetParam());
    } catch (const InvalidArgument& error) {
        GTEST_SKIP() << error.what();
    }
    expect_exact_passes(speckle_scene(2, 1, kLevelRows, 70), random_centers(7, 1, 10, 5), Backend::Cpu, 1);
    expect_exact_passes(speckle_scene(1, 2, 20, 70), random_centers(3, 2, 17, 5), Backend::Cpu, 1);
}

INSTANTIATE_TEST_SUITE_P(Simd, PatchMemoryLevels,
                         testing::Values("SCALAR", "SSE4", "AVX2", "AVX3", "AVX3_DL", "NEON"));

TEST(PatchMemory, TellsItsSizeBeforehand) {
    const Scene scene = speckle_scene(2, 1, 12, 20);
    for (const std::int64_t n_clusters : {3, 254, 255}) {
        const PatchCenters centers = random_centers(3, 1, n_clusters, 5);
        PatchMemory memory;
        PatchSums sums(n_clusters, 9);
        EXPECT_TRUE(memory.empty());
        EXPECT_EQ(memory.bytes(), 0);
        reassign_patches(scene.pixels(), centers, kFixed, memory, sums);
        EXPECT_FALSE(memory.empty());
        const std::int64_t n_patches = std::int64_t{2} * 10 * 18;
        // Labels; classes and margins come later.
        EXPECT_EQ(memory.bytes(), n_patches * (n_clusters < 255 ? 1 : 2));
        for (int pass = 0; pass < 3; ++pass) {  // the same again: margins, if they are wanted
            reassign_patches(scene.pixels(), centers, kFixed, memory, sums);
        }
        EXPECT_LE(memory.bytes(), PatchMemory::bytes_for(n_patches, n_clusters));
        EXPECT_GE(memory.bytes(), n_patches * (n_clusters < 65 ? 4 : n_clusters < 255 ? 1 : 2));
        memory.clear();
        EXPECT_EQ(memory.bytes(), 0);
    }
    EXPECT_EQ(PatchMemory::fastest_kind(10, 49), PatchMemoryKind::Margins);
    EXPECT_EQ(PatchMemory::fastest_kind(10, 9), PatchMemoryKind::Labels);
    EXPECT_EQ(PatchMemory::fastest_kind(65, 49), PatchMemoryKind::Labels);
    // Four bytes a patch, and tables of four versions: a double for each pair of clusters, each class.
    EXPECT_EQ(PatchMemory::bytes_for(1000, 10), 4000 + 4 * 10 * (10 + 256) * 8);
    EXPECT_EQ(PatchMemory::bytes_for(1000, 10, PatchMemoryKind::Labels), 1000);
    EXPECT_EQ(PatchMemory::bytes_for(1000, 65), 1000);
    EXPECT_EQ(PatchMemory::bytes_for(1000, 255), 2000);
}

TEST(PatchMemory, OfAnotherTileOrFitIsRefused) {
    const Scene scene = speckle_scene(2, 1, 12, 20), other = speckle_scene(2, 1, 12, 21);
    const PatchCenters centers = random_centers(3, 1, 4, 5), fewer = random_centers(3, 1, 3, 5);
    PatchMemory memory;
    PatchSums sums(4, 9), fewer_sums(3, 9);
    reassign_patches(scene.pixels(), centers, kFixed, memory, sums);
    EXPECT_THROW(reassign_patches(other.pixels(), centers, kFixed, memory, sums), InvalidArgument);
    EXPECT_THROW(reassign_patches(scene.pixels(), fewer, kFixed, memory, fewer_sums), InvalidArgument);
    EXPECT_THROW(reassign_patches(scene.pixels(), centers, kFixed, memory, fewer_sums), InvalidArgument);
    EXPECT_THROW(reassign_patches(scene.pixels(), centers, FixedPoint::for_range(0, 99), memory, sums),
                 InvalidArgument);
}

}  // namespace
}  // namespace rastertide
