// SPDX-License-Identifier: Apache-2.0
// Every backend against scikit-learn's tables (tests/oracles/make_tables.py).
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gdal_priv.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <rastertide/compute/lof.hpp>
#include <rastertide/reduce/score_statistics.hpp>

namespace rastertide {
namespace {

const std::string kTables = std::string(RASTERTIDE_TESTS_DIR) + "/oracles/tables/";

nlohmann::json cases() {
    std::ifstream file(kTables + "cases.json");
    return nlohmann::json::parse(file).at("cases");
}

struct Raster {
    std::int64_t n_bands = 0, n_rows = 0, n_cols = 0;
    std::vector<float> values;
};

Raster read_raster(const std::string& path) {
    GDALAllRegister();
    const GDALDatasetUniquePtr dataset(GDALDataset::Open(path.c_str()));
    Raster raster;
    if (dataset == nullptr) return raster;
    raster = {dataset->GetRasterCount(), dataset->GetRasterYSize(), dataset->GetRasterXSize(), {}};
    raster.values.resize(static_cast<std::size_t>(raster.n_bands * raster.n_rows * raster.n_cols));
    const CPLErr status = dataset->RasterIO(GF_Read, 0, 0, static_cast<int>(raster.n_cols),
                                            static_cast<int>(raster.n_rows), raster.values.data(),
                                            static_cast<int>(raster.n_cols), static_cast<int>(raster.n_rows),
                                            GDT_Float32, static_cast<int>(raster.n_bands), nullptr, 0, 0, 0);
    if (status != CE_None) raster.values.clear();
    return raster;
}

/// Scores of a whole raster, NaN at the rim.
std::vector<float> score(const Raster& input, std::int64_t n_dates, std::int64_t n_bands,
                         const LofParams& params, Backend backend) {
    const std::int64_t n_pixels = input.n_rows * input.n_cols;
    std::vector<float> scores(static_cast<std::size_t>(n_dates * n_pixels),
                              std::numeric_limits<float>::quiet_NaN());
    const std::int64_t half = params.patch_size / 2;
    lof({input.values.data(), n_dates, n_bands, input.n_rows, input.n_cols, 0, 0}, params,
        {scores.data() + half * input.n_cols + half, n_pixels, input.n_cols}, {backend, 2});
    return scores;
}

using Case = std::tuple<std::string, Backend>;

class LofOracles : public testing::TestWithParam<Case> {};

TEST_P(LofOracles, ScoresAreThoseOfScikitLearn) {
    const auto& [name, backend] = GetParam();
    const nlohmann::json expected = cases().at(name);
    const Raster input = read_raster(kTables + name + ".tif");
    const Raster table = read_raster(kTables + name + "_lof.tif");
    const LofParams params = {expected.at("patch"), expected.at("neighbors")};
    ASSERT_EQ(table.n_bands, expected.at("dates").get<std::int64_t>());

    const std::vector<float> scores =
        score(input, expected.at("dates"), expected.at("bands"), params, backend);

    ASSERT_EQ(scores.size(), table.values.size());
    std::int64_t n_far = 0;
    double worst = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        ASSERT_EQ(std::isnan(scores[i]), std::isnan(table.values[i])) << "score " << i;
        if (std::isnan(scores[i])) continue;
        const double error = std::abs(scores[i] - table.values[i]) / table.values[i];
        n_far += error > 1e-4 ? 1 : 0;
        worst = std::max(worst, error);
    }
    const auto n_scores = expected.at("scores").get<std::int64_t>();
    EXPECT_LE(static_cast<double>(n_far), 1e-4 * static_cast<double>(n_scores))
        << "worst relative error " << worst;

    ScoreStatistics statistics(table.n_bands);
    statistics.add_tile(scores.data(), table.n_rows, table.n_cols);
    const auto total = statistics.total();
    const double mean = expected.at("mean"), std = expected.at("std");
    EXPECT_EQ(total.n, n_scores);
    EXPECT_NEAR(total.mean / mean, 1, 1e-6);
    EXPECT_NEAR(total.std, std, 1e-6 * mean);
    std::int64_t n_anomalies = 0;
    for (const float value : scores) n_anomalies += value > total.mean + 2 * total.std ? 1 : 0;
    EXPECT_LE(std::abs(n_anomalies - expected.at("anomalies").get<std::int64_t>()),
              std::ceil(1e-5 * n_scores));
}

std::vector<std::string> names_with_inputs() {
    std::vector<std::string> names;
    const nlohmann::json all = cases();
    for (const auto& [name, entry] : all.items()) {
        if (!entry.contains("inputs")) names.push_back(name);
    }
    return names;
}

INSTANTIATE_TEST_SUITE_P(Tables, LofOracles,
                         testing::Combine(testing::ValuesIn(names_with_inputs()),
                                          testing::ValuesIn(available_backends())),
                         [](const auto& param_info) {
                             return std::get<0>(param_info.param) + "_" +
                                    std::string(to_string(std::get<1>(param_info.param)));
                         });

}  // namespace
}  // namespace rastertide
