// SPDX-License-Identifier: Apache-2.0
// The driver: values are those of the library and of the utilities, however they are read.
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <rastertide/compute/anomaly.hpp>
#include <rastertide/compute/kmeans.hpp>
#include <rastertide/pipeline/kmeans_model.hpp>
#include <rastertide/write/text_file.hpp>

#include "plugin/plugin_stack.hpp"
#include "support/command.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

class LazyDriver : public testing::Test {
  protected:
    static constexpr int kDates = 14;
#ifdef __SANITIZE_ADDRESS__
    static constexpr int kRows = 91;
    static constexpr int kCols = 131;
#else
    static constexpr int kRows = 101;
    static constexpr int kCols = 187;
#endif

    void SetUp() override { write_bands(raster_, stack_); }
    std::string name(const std::string& query = "") const {
        return "RASTERTIDE:" + raster_ + (query.empty() ? "" : "?" + query);
    }
    std::string open_error(const std::string& lazy_name, const std::vector<std::string>& options = {}) const {
        return errors_of([&] { EXPECT_EQ(open_lazy(lazy_name, options), nullptr); });
    }

    TempDir folder_;
    std::string raster_ = folder_.file("stack.tif");
    Bands stack_ = make_stack(kDates, kRows, kCols);
};

TEST_F(LazyDriver, ScoresAreTheLibrarysToTheBit) {
    expect_close(read_bands(name()).values, library_scores(stack_, {7, 10}).values, 0);
    expect_close(read_bands(name("patch=3&neighbors=4")).values, library_scores(stack_, {3, 4}).values, 0);
    expect_close(read_bands(name("patch=1&neighbors=13")).values, library_scores(stack_, {1, 13}).values, 0);
}

TEST_F(LazyDriver, ScoresHoldWithALargeOffset) {
    stack_ = make_stack(kDates, kRows, kCols, 1000);
    write_bands(raster_, stack_);
    expect_close(read_bands(name()).values, library_scores(stack_, {7, 10}, Backend::Reference).values, 1e-6);
}

TEST_F(LazyDriver, OddWindowsHaveNoSeams) {
    const Bands expected = library_scores(stack_, {7, 10});
    const GDALDatasetUniquePtr dataset = open_lazy(name());
    ASSERT_NE(dataset, nullptr);
    std::mt19937 random(3);
    for (int i = 0; i < 40; ++i) {
        const int col = static_cast<int>(random() % kCols);
        const int row = static_cast<int>(random() % kRows);
        const int n_cols = 1 + static_cast<int>(random() % static_cast<unsigned>(kCols - col));
        const int n_rows = 1 + static_cast<int>(random() % static_cast<unsigned>(kRows - row));
        const int band = 1 + static_cast<int>(random() % kDates);
        expect_close(read_window(dataset->GetRasterBand(band), col, row, n_cols, n_rows),
                     window_of(expected, band - 1, col, row, n_cols, n_rows), 0);
        if (i % 10 == 9) dataset->FlushCache(false);
    }
}

TEST_F(LazyDriver, BlocksReadOneByOneAreTheSame) {
    const Bands expected = library_scores(stack_, {7, 10});
    const GDALDatasetUniquePtr dataset = open_lazy(name());
    ASSERT_NE(dataset, nullptr);
    GDALRasterBand* band = dataset->GetRasterBand(4);
    int width = 0;
    int height = 0;
    band->GetBlockSize(&width, &height);
    std::vector<float> block(static_cast<std::size_t>(width * height));
    for (int row = 0; row * height < kRows; ++row) {
        for (int col = 0; col * width < kCols; ++col) {
            ASSERT_EQ(band->ReadBlock(col, row, block.data()), CE_None);
            for (int i = 0; i < std::min(height, kRows - row * height); ++i) {
                const auto first = block.begin() + i * width;
                const int n = std::min(width, kCols - col * width);
                expect_close({first, first + n}, window_of(expected, 3, col * width, row * height + i, n, 1),
                             0);
            }
        }
    }
}

TEST_F(LazyDriver, ACacheTooSmallForAllBandsChangesNothing) {
    const GIntBig before = GDALGetCacheMax64();
    GDALSetCacheMax64(100000);
    const Bands expected = library_scores(stack_, {7, 10});
    expect_close(read_bands(name()).values, expected.values, 0);
    expect_close(read_bands(name("mem=1MB")).values, expected.values, 0);
    GDALSetCacheMax64(before);
}

TEST_F(LazyDriver, EightThreadsReadTheSame) {
    const Bands expected = library_scores(stack_, {7, 10});
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            const GDALDatasetUniquePtr dataset = open_lazy(name("num_threads=2"));
            ASSERT_NE(dataset, nullptr);
            for (int band = 1 + i % 3; band <= kDates; band += 3)
                expect_close(read_window(dataset->GetRasterBand(band), i, i, kCols - 9, kRows - 9),
                             window_of(expected, band - 1, i, i, kCols - 9, kRows - 9), 0);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(LazyDriver, ProductsAreThoseOfTheUtility) {
    const CommandResult result =
        run(utility("rastertide_lof") + " -q -o " + testing_support::quoted(folder_.file("out")) + " " +
            testing_support::quoted(raster_));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::string summary = "summary=" + folder_.file("out/summary.json");
    for (const char* product :
         {"lof.vrt", "anomaly.vrt", "anomaly_count.tif", "lof_max.tif", "lof_max_date.tif"}) {
        const std::string file = folder_.file(std::string("out/") + product);
        const std::string lazy = name(summary + "&product=" + std::filesystem::path(product).stem().string());
        SCOPED_TRACE(lazy);
        expect_close(read_bands(lazy).values, read_bands(file).values, 0);
        const GDALDatasetUniquePtr written = open_lazy(file);
        const GDALDatasetUniquePtr computed = open_lazy(lazy);
        ASSERT_EQ(computed->GetRasterCount(), written->GetRasterCount());
        for (const char* item :
             {"RASTERTIDE_METHOD", "RASTERTIDE_PATCH", "RASTERTIDE_NEIGHBORS", "RASTERTIDE_SCALE",
              "RASTERTIDE_THRESHOLD_RULE", "RASTERTIDE_THRESHOLD", "AREA_OR_POINT"})
            EXPECT_STREQ(computed->GetMetadataItem(item), written->GetMetadataItem(item)) << item;
        double found[6];
        double expected[6];
        ASSERT_EQ(computed->GetGeoTransform(found), CE_None);
        ASSERT_EQ(written->GetGeoTransform(expected), CE_None);
        EXPECT_TRUE(std::equal(found, found + 6, expected));
        EXPECT_TRUE(computed->GetSpatialRef()->IsSame(written->GetSpatialRef()));
        for (int i = 1; i <= written->GetRasterCount(); ++i) {
            GDALRasterBand* lazy_band = computed->GetRasterBand(i);
            GDALRasterBand* band = written->GetRasterBand(i);
            EXPECT_STREQ(lazy_band->GetDescription(), band->GetDescription());
            EXPECT_EQ(lazy_band->GetRasterDataType(), band->GetRasterDataType());
            const double nodata = band->GetNoDataValue();
            EXPECT_TRUE(lazy_band->GetNoDataValue() == nodata || std::isnan(nodata));
            EXPECT_EQ(lazy_band->GetColorTable() != nullptr, band->GetColorTable() != nullptr);
            EXPECT_EQ(CSLCount(lazy_band->GetCategoryNames()), CSLCount(band->GetCategoryNames()));
        }
    }
}

TEST_F(LazyDriver, LabelsAreThoseOfTheModel) {
    KMeansModel model;
    model.centers = {5, 1, 3, {}};
    for (int k = 0; k < 3; ++k) model.centers.values.insert(model.centers.values.end(), 25, 0.5 + 0.4 * k);
    const std::string file = folder_.file("centers.json");
    write_text_file(file, kmeans_model_json(model));
    std::vector<std::uint16_t> labels(stack_.values.size());
    assign_patches({stack_.values.data(), kDates, 1, kRows, kCols, 2, 2}, model.centers,
                   FixedPoint::for_range(0, 20), {labels.data() + 2 * kCols + 2, kRows * kCols, kCols},
                   nullptr);
    const Bands found = read_bands(name("product=labels&model=" + file));
    EXPECT_EQ(found.values, std::vector<float>(labels.begin(), labels.end()));
    const GDALDatasetUniquePtr dataset = open_lazy(name("product=labels&model=" + file));
    EXPECT_EQ(dataset->GetRasterBand(1)->GetRasterDataType(), GDT_Byte);
    EXPECT_STREQ(dataset->GetRasterBand(1)->GetCategoryNames()[3], "cluster 3");
    EXPECT_EQ(dataset->GetRasterBand(1)->GetColorInterpretation(), GCI_PaletteIndex);
    EXPECT_NE(open_error(name("product=labels")).find("labels need model=FILE"), std::string::npos);
    EXPECT_NE(
        open_error(name("product=labels&scale=db&model=" + file)).find("-scale db: the model's is linear"),
        std::string::npos);
    model.centers = {1, 2, 1, {1, 1}};
    write_text_file(file, kmeans_model_json(model));
    EXPECT_NE(open_error(name("product=labels&model=" + file))
                  .find("the model's centres have 2 bands, the stack has 1 a date"),
              std::string::npos);
}

TEST_F(LazyDriver, LabelsOfFeaturesOverTimeAreOneBand) {
    KMeansModel model;
    model.time_features = true;
    model.centers = {1, kDates, 2, std::vector<double>(kDates, 0.7)};
    model.centers.values.insert(model.centers.values.end(), kDates, 1.3);
    const std::string file = folder_.file("centers.json");
    write_text_file(file, kmeans_model_json(model));
    std::vector<std::uint16_t> labels(kRows * kCols);
    assign_patches({stack_.values.data(), 1, kDates, kRows, kCols, 0, 0}, model.centers,
                   FixedPoint::for_range(0, 20), {labels.data(), kRows * kCols, kCols}, nullptr);
    EXPECT_EQ(read_bands(name("product=labels&model=" + file)).values,
              std::vector<float>(labels.begin(), labels.end()));
}

TEST_F(LazyDriver, ThresholdsComeFromAValueASummaryOrASample) {
    stack_ = make_stack(kDates, 43, 58);
    write_bands(raster_, stack_);
    const Bands scores = library_scores(stack_, {7, 10});
    const auto marked_above = [&](double threshold) {
        std::vector<float> marks;
        for (const float score : scores.values)
            marks.push_back(std::isnan(score) ? kMaskNodata : static_cast<float>(score > threshold));
        return marks;
    };
    EXPECT_EQ(read_bands(name("product=anomaly&threshold=value:1.25")).values, marked_above(1.25));
    // A sample of every location is no sample.
    double n = 0;
    double sum = 0;
    double squares = 0;
    for (const float score : scores.values) {
        if (std::isnan(score)) continue;
        n += 1;
        sum += score;
        squares += double{score} * score;
    }
    const double mean = sum / n;
    EXPECT_EQ(read_bands(name("product=anomaly&threshold=sigma:1.5&sample=100000")).values,
              marked_above(mean + 1.5 * std::sqrt(squares / n - mean * mean)));
    EXPECT_NE(open_error(name("product=anomaly&threshold=high")).find("threshold"), std::string::npos);
    EXPECT_NE(
        open_error(name("threshold=value:1&summary=x")).find("-threshold and -summary: expected one of them"),
        std::string::npos);
    const std::string summary = folder_.file("summary.json");
    write_text_file(
        summary,
        R"({"options": {"patch": 5, "neighbors": 10, "scale": "linear", "threshold": "sigma:2"}, "threshold": 1.25})");
    EXPECT_NE(
        open_error(name("product=anomaly&summary=" + summary)).find("is of a run with patch 5, expected 7"),
        std::string::npos);
    EXPECT_EQ(read_bands(name("product=anomaly&patch=5&summary=" + summary)).values,
              read_bands(name("product=anomaly&patch=5&threshold=value:1.25")).values);
    EXPECT_NE(open_error(name("patch=7&patch=5")).find("'-patch' is given more than once"),
              std::string::npos);
}

TEST_F(LazyDriver, FilesSayWhatStringsDo) {
    const Bands expected = library_scores(stack_, {5, 6});
    const std::string file = folder_.file("view.rastertide");
    write_text_file(
        file,
        R"({"software": "Rastertide", "inputs": ["stack.tif"], "options": {"patch": 5, "neighbors": "6"}})");
    expect_close(read_bands(file).values, expected.values, 0);
    expect_close(read_bands("RASTERTIDE:" + file).values, expected.values, 0);
    EXPECT_EQ(read_bands("RASTERTIDE:" + file + "?product=lof_max_date").n_bands, 1);
    const GDALDatasetUniquePtr dataset =
        open_lazy(file, {"PATCH=7", "NEIGHBORS=10", "START_DATE=2000-01-01"});
    EXPECT_EQ(dataset, nullptr) << "the stack has no dates";
    const GDALDatasetUniquePtr other = open_lazy(file, {"PATCH=7", "NEIGHBORS=10"});
    ASSERT_NE(other, nullptr);
    expect_close(read_window(other->GetRasterBand(2), 0, 0, kCols, kRows),
                 window_of(library_scores(stack_, {7, 10}), 1, 0, 0, kCols, kRows), 0);
    const CPLStringList files(other->GetFileList());
    EXPECT_EQ(files.Count(), 2);
    EXPECT_GE(files.FindString(file.c_str()), 0);
    EXPECT_GE(files.FindString(raster_.c_str()), 0);
}

TEST_F(LazyDriver, TheUtilityWritesSuchAFile) {
    const std::string lof = utility("rastertide_lof") + " -lazy -patch 5 -neighbors 6 -o " +
                            testing_support::quoted(folder_.file("lazy"));
    const CommandResult result = run(lof + " " + testing_support::quoted(raster_));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::string file = folder_.file("lazy/lof_lazy.rastertide");
    expect_close(read_bands(file).values, library_scores(stack_, {5, 6}).values, 0);
    const GDALDatasetUniquePtr dataset = open_lazy(file);
    const CSLConstList subdatasets = dataset->GetMetadata("SUBDATASETS");
    EXPECT_EQ(read_bands(CSLFetchNameValue(subdatasets, "SUBDATASET_1_NAME")).values,
              read_bands("RASTERTIDE:" + file + "?product=anomaly").values);
    const CommandResult again = run(lof + " " + testing_support::quoted(raster_));
    EXPECT_EQ(again.exit_code, 1);
    EXPECT_NE(again.output.find("is there already; -overwrite replaces it"), std::string::npos)
        << again.output;
    EXPECT_EQ(run(lof + " -overwrite " + testing_support::quoted(raster_)).exit_code, 0);
    EXPECT_EQ(run(lof + " -overwrite -of COG " + testing_support::quoted(raster_)).exit_code, 2);
    EXPECT_EQ(run(lof + " -overwrite -b 1 -b 2 " + testing_support::quoted(raster_)).exit_code, 1)
        << "two dates are fewer than neighbours";
}

TEST_F(LazyDriver, SampledViewsShowTheNearestLocations) {
    const Bands expected = library_scores(stack_, {7, 10});
    const GDALDatasetUniquePtr dataset = open_lazy(name("budget=60"));
    ASSERT_NE(dataset, nullptr);
    constexpr int kViewCols = 31;
    constexpr int kViewRows = 20;
    const auto read = [&](GDALDataset& source, int band) {
        std::vector<float> view(kViewCols * kViewRows);
        EXPECT_EQ(source.GetRasterBand(band)->RasterIO(GF_Read, 0, 0, kCols, kRows, view.data(), kViewCols,
                                                       kViewRows, GDT_Float32, 0, 0, nullptr),
                  CE_None);
        return view;
    };
    for (const int band : {1, 9}) {
        std::vector<float> nearest;
        for (int row = 0; row < kViewRows; ++row) {
            for (int col = 0; col < kViewCols; ++col)
                nearest.push_back(expected.at(band - 1, static_cast<int>((row + 0.5) * kRows / kViewRows),
                                              static_cast<int>((col + 0.5) * kCols / kViewCols)));
        }
        expect_close(read(*dataset, band), nearest, 1e-6);
    }
    // With hardly any time each pixel still shows a score of the stack, or nodata.
    const GDALDatasetUniquePtr hasty = open_lazy(name("budget=1e-6"));
    const std::vector<float> coarse = read(*hasty, 1);
    std::size_t n_scores = 0;
    for (const float score : coarse) n_scores += std::isnan(score) ? 0 : 1;
    EXPECT_GT(n_scores, 0U);
    for (int i = 0; i < 2000; ++i) read(*hasty, 1);  // each goes on where the last ended
    expect_close(read(*hasty, 1), read(*dataset, 1), 0);
}

TEST_F(LazyDriver, OverviewsAreSampledToo) {
    stack_ = make_stack(12, 300, 400);
    write_bands(raster_, stack_);
    const GDALDatasetUniquePtr dataset = open_lazy(name("budget=60"));
    ASSERT_NE(dataset, nullptr);
    GDALRasterBand* band = dataset->GetRasterBand(2);
    ASSERT_EQ(band->GetOverviewCount(), 1);
    GDALRasterBand* overview = band->GetOverview(0);
    EXPECT_EQ(overview->GetXSize(), 200);
    EXPECT_EQ(overview->GetYSize(), 150);
    // A cell of 2 x 2 pixels is that at its lower right.
    const Bands around{12, 23, 43, window_of_all(stack_, 97, 191, 43, 23)};
    const Bands expected = library_scores(around, {7, 10});
    const std::vector<float> found = read_window(overview, 50, 97, 17, 6);
    std::vector<float> nearest;
    for (int row = 0; row < 6; ++row) {
        for (int col = 0; col < 17; ++col) nearest.push_back(expected.at(1, 4 + 2 * row, 4 + 2 * col));
    }
    expect_close(found, nearest, 1e-6);
    EXPECT_TRUE(std::isnan(read_window(overview, 0, 0, 1, 1)[0]));
}

/// All bands of a view are of one moment, and take the budget once.
TEST_F(LazyDriver, BandsThatAreReadTogetherAreSampledTogether) {
    const GDALDatasetUniquePtr dataset = open_lazy(name("budget=1e-6"));
    constexpr int kViewCols = 31;
    constexpr int kViewRows = 20;
    std::vector<float> view(std::size_t{kViewCols} * kViewRows * kDates);
    ASSERT_EQ(dataset->RasterIO(GF_Read, 0, 0, kCols, kRows, view.data(), kViewCols, kViewRows, GDT_Float32,
                                kDates, nullptr, 0, 0, 0, nullptr),
              CE_None);
    const Bands expected = library_scores(stack_, {7, 10});
    std::set<std::size_t> known;  // places whose scores are all those of the nearest location
    for (int row = 0; row < kViewRows; ++row) {
        for (int col = 0; col < kViewCols; ++col) {
            int n_right = 0;
            int n_scores = 0;
            for (int band = 0; band < kDates; ++band) {
                const float score = expected.at(band, static_cast<int>((row + 0.5) * kRows / kViewRows),
                                                static_cast<int>((col + 0.5) * kCols / kViewCols));
                const float found =
                    view[static_cast<std::size_t>((band * kViewRows + row) * kViewCols + col)];
                const bool is_right = std::isnan(score) ? std::isnan(found) : std::fabs(found - score) < 1e-5;
                n_right += is_right ? 1 : 0;
                n_scores += std::isnan(score) ? 0 : 1;
            }
            if (n_scores < kDates / 2) continue;  // the rim
            if (n_right == kDates)
                known.insert(static_cast<std::size_t>(row * kViewCols + col));
            else
                EXPECT_LT(n_right, kDates / 2) << row << " " << col;
        }
    }
    EXPECT_GT(known.size(), 0U);
    EXPECT_LT(known.size(), 100U);
}

TEST_F(LazyDriver, DatasetsAreReadAsTheirBandsAre) {
    const Bands expected = library_scores(stack_, {7, 10});
    const GDALDatasetUniquePtr dataset = open_lazy(name());
    int bands[] = {9, 2, 2};
    // Pixels with room between them, as doubles.
    std::vector<double> values(std::size_t{50} * 30 * 4, -1);
    ASSERT_EQ(dataset->RasterIO(GF_Read, 7, 9, 50, 30, values.data(), 50, 30, GDT_Float64, 3, bands,
                                4 * sizeof(double), 200 * sizeof(double), sizeof(double), nullptr),
              CE_None);
    for (int row = 0; row < 30; ++row) {
        for (int col = 0; col < 50; ++col) {
            for (int i = 0; i < 4; ++i) {
                const double found = values[static_cast<std::size_t>((row * 50 + col) * 4 + i)];
                const float score = i == 3 ? -1 : expected.at(bands[i] - 1, 9 + row, 7 + col);
                ASSERT_TRUE(found == double{score} || (std::isnan(found) && std::isnan(score)))
                    << row << " " << col << " " << i;
            }
        }
    }
}

TEST_F(LazyDriver, BetweenFullAndHalfResolutionPixelsAreTheNearest) {
    stack_ = make_stack(12, 300, 400);  // with an overview, which is not to be taken
    write_bands(raster_, stack_);
    const Bands expected = library_scores(stack_, {7, 10});
    const GDALDatasetUniquePtr dataset = open_lazy(name("budget=1e-6"));
    std::vector<float> view(std::size_t{220} * 160);
    ASSERT_EQ(dataset->GetRasterBand(3)->RasterIO(GF_Read, 0, 0, 400, 300, view.data(), 220, 160, GDT_Float32,
                                                  0, 0, nullptr),
              CE_None);
    std::size_t n_wrong = 0;
    for (int row = 0; row < 160; ++row) {
        for (int col = 0; col < 220; ++col) {
            const float score = expected.at(2, static_cast<int>((row + 0.5) * 300 / 160),
                                            static_cast<int>((col + 0.5) * 400 / 220));
            const float found = view[static_cast<std::size_t>(row * 220 + col)];
            n_wrong += found == score || (std::isnan(found) && std::isnan(score)) ? 0 : 1;
        }
    }
    EXPECT_LT(n_wrong, view.size() / 50) << "GDAL rounds some positions otherwise";
}

TEST_F(LazyDriver, ABudgetOfZeroTakesTheTimeItNeeds) {
    const auto view_of = [&](const std::string& query) {
        const GDALDatasetUniquePtr dataset = open_lazy(name(query));
        std::vector<float> view(31 * 20);
        EXPECT_EQ(dataset->GetRasterBand(1)->RasterIO(GF_Read, 0, 0, kCols, kRows, view.data(), 31, 20,
                                                      GDT_Float32, 0, 0, nullptr),
                  CE_None);
        return view;
    };
    expect_close(view_of("budget=0"), view_of("budget=60"), 0);
}

TEST_F(LazyDriver, AnIncompleteViewIsSaidOnce) {
    const GDALDatasetUniquePtr dataset = open_lazy(name("budget=1e-6"));
    std::vector<float> view(31 * 20);
    const auto read = [&] {
        return errors_of([&] {
            EXPECT_EQ(dataset->GetRasterBand(1)->RasterIO(GF_Read, 0, 0, kCols, kRows, view.data(), 31, 20,
                                                          GDT_Float32, 0, 0, nullptr),
                      CE_None);
        });
    };
    EXPECT_NE(read().find("of its 620 locations"), std::string::npos);
    EXPECT_EQ(read(), "");
}

TEST_F(LazyDriver, AFlushedDatasetReadsItsSourcesAgain) {
    const GDALDatasetUniquePtr dataset = open_lazy(name("num_threads=1"));
    read_window(dataset->GetRasterBand(1), 20, 20, 16, 16);
    stack_ = make_stack(kDates, kRows, kCols, 0, 77);
    write_bands(raster_, stack_);
    dataset->FlushCache(false);
    expect_close(read_window(dataset->GetRasterBand(1), 20, 20, 16, 16),
                 window_of(library_scores(stack_, {7, 10}), 0, 20, 20, 16, 16), 0);
}

TEST_F(LazyDriver, NamesMayHoldAnyCharacter) {
    const std::string odd = folder_.file("a+b c,d%41&e?f");
    std::filesystem::create_directory(odd);
    std::filesystem::copy(raster_, odd + "/x.tif");
    std::string escaped;
    for (const char c : odd)
        escaped += c == '%' ? "%25" : c == '&' ? "%26" : c == '?' ? "%3F" : std::string(1, c);
    const std::string lazy = "RASTERTIDE:" + escaped + "/x.tif?mask=" + escaped + "/mask.tif&neighbors=5";
    write_bands(odd + "/mask.tif", {1, kRows, kCols, std::vector<float>(kRows * kCols, 1)});
    const Bands expected = library_scores(stack_, {7, 5});
    expect_close(read_bands(lazy).values, expected.values, 0);
    const GDALDatasetUniquePtr dataset = open_lazy(lazy, {"PATCH=5"});
    const std::string subdataset =
        CSLFetchNameValue(dataset->GetMetadata("SUBDATASETS"), "SUBDATASET_1_NAME");
    EXPECT_STREQ(open_lazy(subdataset)->GetMetadataItem("RASTERTIDE_PATCH"), "5") << subdataset;
    for (const char* text : {"%", "%4", "%zz", "%00"})
        EXPECT_NE(open_error("RASTERTIDE:" + raster_ + text).find("is written %25"), std::string::npos)
            << text;
}

TEST_F(LazyDriver, ReadingsCanBeCancelled) {
    const GDALDatasetUniquePtr dataset = open_lazy(name("mem=1MB"));
    GDALRasterIOExtraArg extra;
    INIT_RASTERIO_EXTRA_ARG(extra);
    extra.pfnProgress = [](double, const char*, void*) { return FALSE; };
    std::vector<float> values(kRows * kCols);
    const std::string text = errors_of([&] {
        EXPECT_EQ(dataset->GetRasterBand(1)->RasterIO(GF_Read, 0, 0, kCols, kRows, values.data(), kCols,
                                                      kRows, GDT_Float32, 0, 0, &extra),
                  CE_Failure);
    });
    EXPECT_EQ(text, "Rastertide: the reading was cancelled");
}

TEST_F(LazyDriver, OptionsOfStacksAreThoseOfTheUtilities) {
    const TempDir scenes;
    for (int date = 0; date < kDates; ++date) {
        Bands scene{1, kRows, kCols, window_of(stack_, date, 0, 0, kCols, kRows)};
        write_bands(scenes.file("s_2020" + std::string(date < 9 ? "0" : "") +
                                std::to_string(date + 1 > 12 ? date - 1 : date + 1) +
                                (date > 11 ? "15" : "01") + ".tif"),
                    scene);
    }
    const std::string folder = "RASTERTIDE:" + scenes.path();
    const GDALDatasetUniquePtr dataset = open_lazy(folder + "?neighbors=5&start_date=2020-03-01&date_step=2");
    ASSERT_NE(dataset, nullptr);
    EXPECT_STREQ(dataset->GetRasterBand(1)->GetMetadataItem("DATE"), "2020-03-01");
    EXPECT_EQ(open_lazy(folder + "?te=480100,5989500,480500,5989900")->GetRasterXSize(), 40);
    EXPECT_EQ(open_lazy(folder, {"PROJWIN=480100,5989900,480500,5989500"})->GetRasterYSize(), 40);
    EXPECT_EQ(open_lazy(folder + "?tap=yes&tr=20,20")->GetRasterXSize(), (kCols + 1) / 2);
}

TEST_F(LazyDriver, ErrorsSayWhatIsWrong) {
    EXPECT_NE(open_error("RASTERTIDE:" + folder_.file("none.tif")).find("none.tif"), std::string::npos);
    EXPECT_EQ(open_error("RASTERTIDE:"),
              "Rastertide: no input: name rasters, a folder, or -input_file_list FILE");
    EXPECT_NE(open_error(name("neighbours=3")).find("did you mean '-neighbors'?"), std::string::npos);
    EXPECT_NE(open_error(name("patch=4")).find("patch"), std::string::npos);
    EXPECT_NE(open_error(name("patch")).find("expected option=value"), std::string::npos);
    EXPECT_NE(open_error(name("te=1,2,3")).find("option '-te' has 3 values, expected xmin ymin xmax ymax"),
              std::string::npos);
    EXPECT_NE(open_error(name("product=lif")).find("expected one of lof, anomaly"), std::string::npos);
    EXPECT_NE(open_error(name("patch=31&te=480000,5989700,480300,5990000"))
                  .find("expected a patch of 31 x 31 at least"),
              std::string::npos);
    EXPECT_NE(open_error(name("num_threads=0")).find("expected 1 or more, or ALL_CPUS"), std::string::npos);
    EXPECT_NE(open_error(name("tap=maybe")).find("expected yes or no"), std::string::npos);
    const std::string file = folder_.file("bad.rastertide");
    const std::string deep = R"({"software": )" + std::string(100000, '[') + std::string(100000, ']') + "}";
    for (const char* text :
         {"{", "{}", R"({"software": "Other"})", R"({"software": "Rastertide", "inputs": [1, {}]})",
          R"({"software": "Rastertide", "inputs": ["stack.tif"], "options": []})", deep.c_str()}) {
        write_text_file(file, text);
        EXPECT_NE(open_error(file).find("bad.rastertide"), std::string::npos) << text;
    }
    EXPECT_NE(errors_of([&] {
                  EXPECT_EQ(GDALDataset::Open(name().c_str(), GDAL_OF_UPDATE | GDAL_OF_VERBOSE_ERROR),
                            nullptr);
              }).find("is computed, not written"),
              std::string::npos);
}

/// What is said when a scene goes between the opening of their folder and the reading of a part.
class LazyDriverSources : public LazyDriver {
  protected:
    std::string error_after(const std::function<void(const std::string& scene)>& spoil) {
        const TempDir scenes;
        for (int date = 0; date < kDates; ++date)
            write_bands(scenes.file("s_202001" + std::to_string(10 + date) + ".tif"),
                        {1, kRows, kCols, window_of(stack_, date, 0, 0, kCols, kRows)}, GDT_Float32,
                        {"COMPRESS=DEFLATE", "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16"});
        const GDALDatasetUniquePtr dataset = open_lazy("RASTERTIDE:" + scenes.path());
        if (dataset == nullptr) return "not opened";
        read_window(dataset->GetRasterBand(1), 0, 0, 8, 8);
        spoil(scenes.file("s_20200114.tif"));
        dataset->FlushCache(false);  // its files are closed
        std::vector<float> values(64);
        return errors_of([&] {
            EXPECT_EQ(dataset->GetRasterBand(1)->RasterIO(GF_Read, 100, 80, 8, 8, values.data(), 8, 8,
                                                          GDT_Float32, 0, 0, nullptr),
                      CE_Failure);
        });
    }
};

TEST_F(LazyDriverSources, OneCutShortIsAnError) {
    const std::string text =
        error_after([](const std::string& scene) { std::filesystem::resize_file(scene, 1000); });
    EXPECT_NE(text.find("s_20200114.tif"), std::string::npos) << text;
}

TEST_F(LazyDriverSources, OneRemovedIsAnErrorAndNoOtherDateTakesItsPlace) {
    const std::string text = error_after([](const std::string& scene) { std::filesystem::remove(scene); });
    EXPECT_NE(text.find("found '"), std::string::npos) << text;
    EXPECT_NE(text.find("s_20200115.tif' of 2020-01-15, expected '"), std::string::npos) << text;
    EXPECT_NE(text.find("s_20200114.tif' of 2020-01-14; open it again"), std::string::npos) << text;
}

TEST_F(LazyDriverSources, OneAddedIsAnError) {
    const std::string text = error_after([](const std::string& scene) {
        std::filesystem::copy_file(scene, std::filesystem::path(scene).parent_path() / "s_20200301.tif");
    });
    EXPECT_NE(text.find("s_20200301.tif'"), std::string::npos) << text;
}

}  // namespace
}  // namespace rastertide
