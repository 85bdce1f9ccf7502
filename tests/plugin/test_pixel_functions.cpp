// SPDX-License-Identifier: Apache-2.0
// The plugin's pixel functions, as GDAL finds and calls them.
#include <cstring>

#include "plugin/plugin_stack.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

struct DerivedBand {
    std::string function;
    std::vector<std::pair<std::string, std::string>> arguments;
    std::string type = "Float32";
    std::string transfer_type = "Float64";
};

/// A VRT with a derived band over bands of a raster.
std::string vrt_over(const std::string& raster, int n_cols, int n_rows, const std::vector<int>& bands,
                     const DerivedBand& derived) {
    std::string xml =
        "<VRTDataset rasterXSize='" + std::to_string(n_cols) + "' rasterYSize='" + std::to_string(n_rows) +
        "'><VRTRasterBand band='1' subClass='VRTDerivedRasterBand' dataType='" + derived.type + "'>" +
        "<PixelFunctionType>" + derived.function + "</PixelFunctionType><PixelFunctionArguments";
    for (const auto& [name, value] : derived.arguments) xml += " " + name + "='" + value + "'";
    xml += "/><SourceTransferType>" + derived.transfer_type + "</SourceTransferType>";
    for (const int band : bands) {
        xml += "<SimpleSource><SourceFilename>" + raster + "</SourceFilename><SourceBand>" +
               std::to_string(band) + "</SourceBand></SimpleSource>";
    }
    return xml + "</VRTRasterBand></VRTDataset>";
}

class PixelFunctions : public testing::Test {
  protected:
    static constexpr int kDates = 14;
    static constexpr int kRows = 23;
    static constexpr int kCols = 31;

    void SetUp() override { write(make_stack(kDates, kRows, kCols)); }
    void write(const Bands& stack) {
        stack_ = stack;
        write_bands(raster_, stack_);
    }

    std::string vrt(const DerivedBand& derived, int n_sources = kDates) const {
        std::vector<int> bands;
        for (int band = 1; band <= n_sources; ++band) bands.push_back(band);
        return vrt_over(raster_, kCols, kRows, bands, derived);
    }
    std::vector<float> values(const DerivedBand& derived) const { return read_bands(vrt(derived)).values; }
    std::string error(const DerivedBand& derived, int n_sources = kDates) const {
        return errors_of([&] {
            const GDALDatasetUniquePtr dataset = open_lazy(vrt(derived, n_sources));
            if (dataset == nullptr) return;
            std::vector<float> out(kRows * kCols);
            EXPECT_EQ(dataset->GetRasterBand(1)->RasterIO(GF_Read, 0, 0, kCols, kRows, out.data(), kCols,
                                                          kRows, GDT_Float32, 0, 0, nullptr),
                      CE_Failure);
        });
    }
    /// By the plain double-precision reference, pixel by pixel.
    Bands scores(int neighbors) const { return library_scores(stack_, {1, neighbors}, Backend::Reference); }

    TempDir folder_;
    std::string raster_ = folder_.file("stack.tif");
    Bands stack_;
};

TEST_F(PixelFunctions, LofOfADateIsThatOfTheReference) {
    const Bands expected = scores(5);
    for (const int date : {1, 4, kDates}) {
        const auto found =
            values({"rastertide_lof", {{"statistic", "date:" + std::to_string(date)}, {"neighbors", "5"}}});
        expect_close(found, window_of(expected, date - 1, 0, 0, kCols, kRows), 1e-6);
    }
}

TEST_F(PixelFunctions, LofHoldsWithALargeOffset) {
    write(make_stack(kDates, kRows, kCols, 1000));
    expect_close(values({"rastertide_lof", {{"statistic", "date:2"}}}),
                 window_of(scores(10), 1, 0, 0, kCols, kRows), 1e-6);
}

TEST_F(PixelFunctions, LofStatisticsAreThoseOfTheScores) {
    const Bands expected = scores(10);
    const auto max = values({"rastertide_lof", {}});
    const auto argmax = values({"rastertide_lof", {{"statistic", "argmax"}}, "UInt16"});
    const auto count = values({"rastertide_lof", {{"statistic", "count"}, {"threshold", "1.4"}}, "UInt16"});
    for (std::size_t i = 0; i < max.size(); ++i) {
        float highest = -1;
        int date = 0;
        int n = 0;
        for (int k = 0; k < kDates; ++k) {
            const float score = expected.values[static_cast<std::size_t>(k) * max.size() + i];
            n += score > 1.4F ? 1 : 0;
            if (!(score > highest)) continue;
            highest = score;
            date = k + 1;
        }
        ASSERT_FLOAT_EQ(max[i], highest) << i;
        ASSERT_EQ(argmax[i], date) << i;
        ASSERT_EQ(count[i], n) << i;
    }
}

TEST_F(PixelFunctions, LofTakesNodataNaNAndInfinityForNoMeasurement) {
    for (int date = 0; date < kDates; ++date) {
        float* first = stack_.values.data() + date * kRows * kCols;
        first[0] = -9999;  // no date at all
        if (date > 1)
            first[1] = date % 2 == 0 ? -9999.0F : std::numeric_limits<float>::infinity();  // two dates
        if (date == 5) first[2] = -9999;
    }
    write_bands(raster_, stack_);
    const auto with = [&](std::vector<std::pair<std::string, std::string>> arguments) {
        arguments.emplace_back("nodata", "-9999");
        return arguments;
    };
    const auto date6 = values({"rastertide_lof", with({{"statistic", "date:6"}})});
    EXPECT_TRUE(std::isnan(date6[0]));
    EXPECT_TRUE(std::isnan(date6[1])) << "two dates have no neighbours to speak of";
    EXPECT_TRUE(std::isnan(date6[2]));
    EXPECT_FALSE(std::isnan(date6[40]));
    const auto count =
        values({"rastertide_lof", with({{"statistic", "count"}, {"threshold", "2"}}), "UInt16"});
    EXPECT_EQ(count[0], 65535);
    EXPECT_LT(count[2], kDates);
    EXPECT_EQ(values({"rastertide_lof", with({{"statistic", "argmax"}}), "UInt16"})[1], 0);
}

TEST_F(PixelFunctions, LofNamesAWrongArgument) {
    EXPECT_EQ(error({"rastertide_lof", {{"statistic", "median"}}}),
              "Rastertide: rastertide_lof: argument 'statistic' is 'median', expected max, count, argmax, or "
              "date:N with N from 1 to 14");
    EXPECT_EQ(error({"rastertide_lof", {{"statistic", "date:15"}}}),
              "Rastertide: rastertide_lof: argument 'statistic' is 'date:15', expected max, count, argmax, "
              "or date:N with N from 1 to 14");
    EXPECT_EQ(
        error({"rastertide_lof", {{"neighbors", "14"}}}),
        "Rastertide: rastertide_lof: argument 'neighbors' is '14', expected a whole number from 1 to 13");
    EXPECT_EQ(
        error({"rastertide_lof", {{"neighbors", "2.5"}}}),
        "Rastertide: rastertide_lof: argument 'neighbors' is '2.5', expected a whole number from 1 to 13");
    EXPECT_EQ(error({"rastertide_lof", {{"statistic", "count"}}}),
              "Rastertide: rastertide_lof: argument 'threshold' is not given, expected a value");
    EXPECT_EQ(error({"rastertide_lof", {}}, 1),
              "Rastertide: rastertide_lof: the number of sources is 1, expected 2 to 65534, each a date");
    EXPECT_EQ(error({"rastertide_lof", {}}, 10),
              "Rastertide: neighbors 10 needs at least 11 dates, the stack has 10");
}

TEST_F(PixelFunctions, ThresholdMarksScores) {
    Bands score{1, 1, 5, {0.5F, 2, 2.5F, kDates, -1}};
    score.values[3] = std::numeric_limits<float>::quiet_NaN();
    const std::string path = folder_.file("scores.tif");
    write_bands(path, score);
    const auto marks = [&](const DerivedBand& derived) {
        return read_bands(vrt_over(path, 5, 1, {1}, derived)).values;
    };
    EXPECT_EQ(marks({"rastertide_threshold", {{"threshold", "2"}}, "Byte"}),
              (std::vector<float>{0, 0, 1, 255, 0}));
    EXPECT_EQ(marks({"rastertide_threshold", {{"threshold", "2"}, {"nodata", "-1"}}, "Byte", "Float32"}),
              (std::vector<float>{0, 0, 1, 255, 255}));
    EXPECT_EQ(error({"rastertide_threshold", {{"threshold", "high"}}}, 1),
              "Rastertide: rastertide_threshold: argument 'threshold' is 'high', expected a number");
    EXPECT_EQ(error({"rastertide_threshold", {{"threshold", "2"}}}, 2),
              "Rastertide: rastertide_threshold: the number of sources is 2, expected 1, the scores");
}

TEST_F(PixelFunctions, LabelsAreThoseOfTheLargestScore) {
    // A count, then two bands for each of centres 2 and 3: the scores are sums less half_norms, 0 for
    // centre 1.
    const Bands sources{5, 1, 4, {9,  9, 8, 9,                //
                                  1,  0, 9, 0, 0, 1, 9, 0,    // centre 2
                                  -1, 0, 9, 0, 0, 1, 9, 0}};  // centre 3
    const std::string path = folder_.file("correlations.tif");
    write_bands(path, sources);
    const std::vector<std::pair<std::string, std::string>> arguments = {
        {"bands", "2"}, {"patch_pixels", "9"}, {"half_norms", "0,0,0"}};
    const DerivedBand labels = {"rastertide_kmeans_label", arguments, "Byte"};
    EXPECT_EQ(read_bands(vrt_over(path, 4, 1, {1, 2, 3, 4, 5}, labels)).values,
              (std::vector<float>{2, 2, 0, 1}))
        << "ties go to the lower label, an incomplete patch to 0";
    const DerivedBand other = {
        "rastertide_kmeans_label", {{"bands", "2"}, {"patch_pixels", "9"}, {"half_norms", "1,4,0"}}, "Byte"};
    EXPECT_EQ(read_bands(vrt_over(path, 4, 1, {1, 2, 3, 4, 5}, other)).values,
              (std::vector<float>{1, 3, 0, 3}));
    EXPECT_EQ(error(labels, 6),
              "Rastertide: rastertide_kmeans_label: the number of sources is 6, expected 5: a count, then "
              "bands x (half_norms - 1) correlations");
    EXPECT_EQ(error({"rastertide_kmeans_label",
                     {{"bands", "2"}, {"patch_pixels", "9"}, {"half_norms", "1,x"}},
                     "Byte"},
                    5),
              "Rastertide: rastertide_kmeans_label: argument 'half_norms' is '1,x', expected numbers with "
              "commas between");
}

TEST_F(PixelFunctions, AreThereOnceHoweverOftenGdalRegisters) {
    for (int i = 0; i < 3; ++i) GDALAllRegister();
    int n = 0;
    GDALDriverManager* manager = GetGDALDriverManager();
    for (int i = 0; i < manager->GetDriverCount(); ++i)
        n += std::strcmp(manager->GetDriver(i)->GetDescription(), "RASTERTIDE") == 0;
    EXPECT_EQ(n, 1);
    EXPECT_FALSE(values({"rastertide_lof", {}}).empty());
}

}  // namespace
}  // namespace rastertide
