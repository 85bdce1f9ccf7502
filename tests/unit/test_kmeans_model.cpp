// SPDX-License-Identifier: Apache-2.0
// The model file: what is written reads back, and nothing that is not a model is taken for one.
#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/kmeans_model.hpp>

#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::TempDir;

KMeansModel small_model() {
    KMeansModel model;
    model.centers = {3, 2, 2, {}};
    for (int i = 0; i < 36; ++i) model.centers.values.push_back(std::sin(i) * std::pow(10.0, i - 18));
    model.scale = PixelScale::Db;
    model.sizes = {123456789012345, 0};
    model.energy = 0.1 + 0.2;
    model.iterations = 17;
    model.seed = 18446744073709551615U;
    model.band_names = {"VV", "VH \"new\""};
    return model;
}

class KMeansModelFile : public testing::Test {
  protected:
    std::string write(const std::string& text) {
        const std::string path = dir_.file("model.json");
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    /// The message of the one error that reading the text gives; empty if there is none.
    std::string error_of(const std::string& text) {
        const std::string path = write(text);
        try {
            read_kmeans_model(path);
        } catch (const InvalidArgument& error) {
            EXPECT_EQ(std::string(error.what()).rfind("'" + path + "': ", 0), 0U) << error.what();
            return std::string(error.what()).substr(path.size() + 4);
        }
        return "";
    }

    TempDir dir_;
};

TEST_F(KMeansModelFile, ReadsBackAsItWasWritten) {
    const KMeansModel model = small_model();

    const KMeansModel read = read_kmeans_model(write(kmeans_model_json(model)));

    EXPECT_EQ(read.centers.patch_size, 3);
    EXPECT_EQ(read.centers.n_bands, 2);
    EXPECT_EQ(read.centers.n_clusters, 2);
    EXPECT_EQ(read.centers.values, model.centers.values);
    EXPECT_EQ(read.scale, PixelScale::Db);
    EXPECT_FALSE(read.time_features);
    EXPECT_EQ(read.sizes, model.sizes);
    EXPECT_EQ(read.energy, model.energy);
    EXPECT_EQ(read.iterations, 17);
    EXPECT_EQ(read.seed, model.seed);
    EXPECT_EQ(read.band_names, model.band_names);
}

TEST_F(KMeansModelFile, ExtremeDoublesReadBackExactly) {
    KMeansModel model;
    model.centers = {1, 1, 5, {5e-324, 9.999999e16, -0.0, 1.0 / 3, 2.2250738585072011e-308}};
    model.time_features = true;

    const KMeansModel read = read_kmeans_model(write(kmeans_model_json(model)));

    EXPECT_EQ(read.centers.values, model.centers.values);
    EXPECT_TRUE(std::signbit(read.centers.values[2]));
    EXPECT_TRUE(std::isnan(read.energy));
    EXPECT_TRUE(read.time_features);
}

TEST_F(KMeansModelFile, AFewFieldsByHandAreEnough) {
    const KMeansModel read = read_kmeans_model(write(
        R"({"patch": 1, "bands": 2, "k": 2, "centers": [[0, 1], [2.5, -3e0]], "mine": [{"a": [[]]}]})"));

    EXPECT_EQ(read.centers.values, (std::vector<double>{0, 1, 2.5, -3}));
    EXPECT_EQ(read.scale, PixelScale::Linear);
    EXPECT_FALSE(read.time_features);
    EXPECT_TRUE(read.sizes.empty());
    EXPECT_TRUE(std::isnan(read.energy));
    EXPECT_EQ(read.iterations, 0);
    EXPECT_EQ(read.seed, 0U);
}

TEST_F(KMeansModelFile, EachNeededFieldIsNamedWhereItIsMissing) {
    EXPECT_EQ(error_of("{}"), "has no field 'patch'");
    EXPECT_EQ(error_of(R"({"patch": 1})"), "has no field 'bands'");
    EXPECT_EQ(error_of(R"({"patch": 1, "bands": 1})"), "has no field 'k'");
    EXPECT_EQ(error_of(R"({"patch": 1, "bands": 1, "k": 1})"), "has no field 'centers'");
}

/// Otherwise good, with one field replaced.
std::string with(const std::string& field, const std::string& value) {
    std::string text = "{";
    for (const auto& [name, usual] :
         {std::pair{"patch", "1"}, {"bands", "1"}, {"k", "2"}, {"centers", "[[1], [2]]"}}) {
        if (name != field) text += "\"" + std::string(name) + "\": " + usual + ", ";
    }
    return text + "\"" + field + "\": " + value + "}";
}

TEST_F(KMeansModelFile, WrongTypesAndRangesAreNamed) {
    EXPECT_EQ(error_of(with("patch", "2")), "patch is 2, expected an odd number from 1 to 31");
    EXPECT_EQ(error_of(with("patch", "33")), "patch is 33, expected a whole number from 1 to 31");
    EXPECT_EQ(error_of(with("patch", "\"1\"")), "patch is '1', expected a whole number from 1 to 31");
    EXPECT_EQ(error_of(with("patch", "1.5")), "patch is 1.5, expected a whole number from 1 to 31");
    EXPECT_EQ(error_of(with("patch", "null")), "patch is null, expected a whole number from 1 to 31");
    EXPECT_EQ(error_of(with("patch", "[1]")), "field 'patch': holds a list, expected a number or text");
    EXPECT_EQ(error_of(with("k", "0")), "k is 0, expected a whole number from 1 to 65534");
    EXPECT_EQ(error_of(with("k", "18446744073709551615")),
              "k is 18446744073709551615, expected a whole number from 1 to 65534");
    EXPECT_EQ(error_of(with("k", "-1")), "k is -1, expected a whole number from 1 to 65534");
    EXPECT_EQ(error_of(with("k", "{\"a\": 1}")), "field 'k': holds an object, expected a number or text");
    EXPECT_NE(error_of(with("bands", "9223372036854775807")), "");
    EXPECT_EQ(error_of(with("scale", "\"log\"")), "scale is 'log', expected 'linear' or 'db'");
    EXPECT_EQ(error_of(with("scale", "3")), "scale is 3, expected 'linear' or 'db'");
    EXPECT_EQ(error_of(with("features", "true")), "features is true, expected 'patch' or 'time'");
    EXPECT_EQ(error_of(with("energy", "\"low\"")), "energy is 'low', expected a number");
    EXPECT_EQ(error_of(with("iterations", "-1")), "iterations is -1, expected a whole number from 0");
    EXPECT_EQ(error_of(with("seed", "-1")), "seed is -1, expected a whole number from 0 to 2^64 - 1");
    EXPECT_EQ(error_of(with("sizes", "[1, -2]")), "sizes is -2, expected a whole number from 0");
    EXPECT_EQ(error_of(with("sizes", "7")), "field 'sizes': holds 7, expected a list");
    EXPECT_EQ(error_of(with("sizes", "[[1]]")),
              "field 'sizes': holds a list, expected a list of numbers or texts");
    EXPECT_EQ(error_of(with("band_names", "[1]")), "band_names is 1, expected texts");
}

TEST_F(KMeansModelFile, ListsThatDoNotFitAreNamed) {
    EXPECT_EQ(error_of(with("centers", "[[1]]")), "the number of centers is 1, expected 2");
    EXPECT_EQ(error_of(with("centers", "[[1], [2], [3]]")), "the number of centers is 3, expected 2");
    EXPECT_EQ(error_of(with("centers", "[]")), "the number of centers is 0, expected 2");
    EXPECT_EQ(error_of(with("centers", "[[1], [2, 3]]")),
              "list 2 of centers: the number of values is 2, expected 1 (bands x patch x patch)");
    EXPECT_EQ(error_of(with("patch", "3")),
              "list 1 of centers: the number of values is 1, expected 9 (bands x patch x patch)");
    EXPECT_EQ(error_of(with("sizes", "[1, 2, 3]")), "the number of sizes is 3, expected 2");
    EXPECT_EQ(error_of(with("band_names", "[\"a\", \"b\"]")), "the number of band_names is 2, expected 1");
}

TEST_F(KMeansModelFile, CentersHoldListsOfFiniteNumbersOnly) {
    EXPECT_EQ(error_of(with("centers", "null")), "field 'centers': holds null, expected a list of lists");
    EXPECT_EQ(error_of(with("centers", "{}")), "field 'centers': holds an object, expected a list of lists");
    EXPECT_EQ(error_of(with("centers", "[1, 2]")), "field 'centers': holds 1, expected lists of numbers");
    EXPECT_EQ(error_of(with("centers", "[[1], [null]]")),
              "field 'centers', list 2: holds null, expected a number");
    EXPECT_EQ(error_of(with("centers", "[[1], [\"2\"]]")),
              "field 'centers', list 2: holds '2', expected a number");
    EXPECT_EQ(error_of(with("centers", "[[[1]], [2]]")),
              "field 'centers', list 1: holds a list, expected a number");
    EXPECT_EQ(error_of(with("centers", "[[1], [NaN]]")).rfind("is not JSON: error at byte ", 0), 0U);
    EXPECT_EQ(error_of(with("centers", "[[1], [-Infinity]]")).rfind("is not JSON: error at byte ", 0), 0U);
    EXPECT_EQ(error_of(with("centers", "[[1], [1e999]]")).rfind("a number is too large for a double", 0), 0U);
}

TEST_F(KMeansModelFile, WhatIsNotAnObjectIsRefused) {
    EXPECT_EQ(error_of("[1]"), "holds a list, expected an object with patch, bands, k and centers");
    EXPECT_EQ(error_of("null"), "holds null, expected an object");
    EXPECT_EQ(error_of(with("k", "2, \"k\": 2")), "field 'k': is given twice");
    for (const char* text : {" ", "{", "II*\x01\x02", "{} x", "{\"patch\": 1,}", "{\"a\": \"\xff\"}"}) {
        EXPECT_EQ(error_of(text).rfind("is not JSON: error at byte ", 0), 0U) << text;
    }
}

TEST_F(KMeansModelFile, MessagesStayShortWhateverTheFileHolds) {
    const std::string filler(100000, 'x');

    EXPECT_LT(error_of(with("scale", "\"" + filler + "\n\"")).size(), 200U);
    EXPECT_LT(error_of(with("scale", "\"" + filler + "\"")).size(), 200U);
    EXPECT_LT(error_of("{\"" + filler).size(), 200U);
    EXPECT_LT(error_of(with("centers", "[[" + std::string(100000, '9') + "]]")).size(), 200U);
    EXPECT_EQ(error_of(with("scale", "\"a\\nb\"")), "scale is 'a?b', expected 'linear' or 'db'");
}

TEST_F(KMeansModelFile, DepthAndLengthAreBounded) {
    std::string many = "[0";
    for (int i = 0; i < 70000; ++i) many += ",0";
    std::string lists = "[[]";
    for (int i = 0; i < 70000; ++i) lists += ",[]";

    EXPECT_EQ(error_of(with("mine", std::string(1000000, '['))),
              "is nested deeper than 32 levels, a model has 3");
    EXPECT_EQ(error_of(with("sizes", many + "]")), "field 'sizes': holds more than 65534 entries");
    EXPECT_EQ(error_of(with("centers", lists + "]")), "field 'centers': holds more than 65534 lists");
}

TEST_F(KMeansModelFile, WhatIsNoReadableFileIsAnIoError) {
    const std::string empty = write("");
    EXPECT_THROW(read_kmeans_model(empty), IoError);
    EXPECT_THROW(read_kmeans_model(dir_.path()), IoError);
    EXPECT_THROW(read_kmeans_model(dir_.file("absent.json")), IoError);
    EXPECT_THROW(read_kmeans_model("/dev/null"), IoError);

    const std::string huge = write("{");
    std::filesystem::resize_file(huge, static_cast<std::uintmax_t>(kMaxModelFileBytes) + 1);  // a hole
    EXPECT_THROW(read_kmeans_model(huge), IoError);
}

TEST(KMeansModelJson, IsOneLineACentre) {
    KMeansModel model;
    model.centers = {1, 2, 2, {0.5, 1, 2, 3}};

    const std::string text = kmeans_model_json(model);

    EXPECT_NE(text.find("\"centers\": [\n    [0.5,1.0],\n    [2.0,3.0]\n  ]\n}\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("\"energy\": null"), std::string::npos);
}

TEST(KMeansModelJson, RefusesModelsThatCannotBeRead) {
    KMeansModel model = small_model();
    model.sizes = {1};
    EXPECT_THROW(kmeans_model_json(model), InvalidArgument);
    model = small_model();
    model.centers.values[3] = std::nan("");
    EXPECT_THROW(kmeans_model_json(model), InvalidArgument);
}

}  // namespace
}  // namespace rastertide
