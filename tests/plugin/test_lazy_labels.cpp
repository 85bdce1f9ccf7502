// SPDX-License-Identifier: Apache-2.0
// Labels that GDAL computes on reading are those of assign_patches().
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <gdal_priv.h>
#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/write/lazy_labels.hpp>
#include <rastertide/write/text_file.hpp>

#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

using testing_support::Bands;
using testing_support::read_bands;
using testing_support::TempDir;
using testing_support::write_bands;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class LazyLabelsTest : public testing::Test {
  protected:
    static void SetUpTestSuite() { GDALAllRegister(); }

    TempDir dir_;
};

/// Speckle over fields of three levels.
Bands scene(int n_bands, int n_rows, int n_cols) {
    Bands bands{n_bands, n_rows, n_cols, {}};
    std::mt19937 random(7);
    std::gamma_distribution<float> speckle(6.0F, 1.0F / 6.0F);
    for (int i = 0; i < n_bands * n_rows * n_cols; ++i) {
        const int field = (i % n_cols) / 40 + (i / n_cols) / 30;
        bands.values.push_back(static_cast<float>(1 + 2 * (field % 3)) * speckle(random));
    }
    return bands;
}

/// Centres without any symmetry: a kernel that is turned round would not give the same.
PatchCenters some_centers(int patch_size, std::int64_t n_bands, std::int64_t n_clusters) {
    PatchCenters centers{patch_size, n_bands, n_clusters, {}};
    std::mt19937 random(11);
    std::uniform_real_distribution<double> texture(0, 2);
    for (std::int64_t k = 0; k < n_clusters; ++k) {
        for (std::int64_t i = 0; i < centers.n_features(); ++i) {
            centers.values.push_back(static_cast<double>(k) + texture(random));
        }
    }
    return centers;
}

void shift_and_scale(PatchCenters& centers, double scale, double offset) {
    for (double& value : centers.values) value = value * scale + offset;
}

Grid grid_of(const Bands& bands) {
    return {bands.n_cols,
            bands.n_rows,
            {{480000, 10, 0, 5990000, 0, -10}},
            crs_from_user_input("EPSG:32632"),
            true};
}

Product label_product(std::size_t n_dates) {
    Product product;
    product.name = "labels_lazy";
    product.type = SampleType::Byte;
    for (std::size_t i = 0; i < n_dates; ++i) {
        const std::string date = "2020-01-" + std::to_string(10 + i);
        product.bands.push_back({date, {{"DATE", date}}});
    }
    product.metadata = {{"PATCH", "7"}};
    product.categories = {"no data", "cluster 1", "cluster 2"};
    product.colors = {{0, 0, 0, 0, 0}, {1, 255, 0, 0, 255}, {2, 0, 0, 255, 255}};
    return product;
}

/// Bands 1, 2, ... of a file beside the VRT are the bands of one date.
std::vector<LazyBand> bands_of(const std::string& file, int n_bands) {
    std::vector<LazyBand> bands;
    for (int i = 1; i <= n_bands; ++i) {
        LazyBand band;
        band.dataset = file;
        band.relative_to_vrt = true;
        band.band = i;
        bands.push_back(band);
    }
    return bands;
}

/// What assign_patches() says of a date whose invalid pixels are NaN, on the whole raster: 0 in the rim.
std::vector<std::uint16_t> expected_labels(const Bands& date, const PatchCenters& centers) {
    const int p = centers.patch_size;
    std::vector<std::uint16_t> labels(
        static_cast<std::size_t>(date.n_rows) * static_cast<std::size_t>(date.n_cols), 0);
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const float value : date.values) {
        if (std::isnan(value)) continue;
        low = std::min(low, static_cast<double>(value));
        high = std::max(high, static_cast<double>(value));
    }
    LabelStack stack;
    stack.data = labels.data() + (p / 2) * date.n_cols + p / 2;
    stack.date_stride = static_cast<std::int64_t>(labels.size());
    stack.row_stride = date.n_cols;
    assign_patches({date.values.data(), 1, date.n_bands, date.n_rows, date.n_cols}, centers,
                   FixedPoint::for_range(low, high), stack, nullptr);
    return labels;
}

double distance_sq(const Bands& date, const PatchCenters& centers, int row, int col, int label) {
    const int r = centers.patch_size / 2;
    const double* center = centers.center(label - 1);
    double sum = 0;
    for (int band = 0; band < date.n_bands; ++band) {
        for (int dy = -r; dy <= r; ++dy) {
            for (int dx = -r; dx <= r; ++dx) {
                sum += std::pow(static_cast<double>(date.at(band, row + dy, col + dx)) - *center++, 2);
            }
        }
    }
    return sum;
}

/// Equal, but where two centres are as near within the rounding of Float32.
void expect_labels(const Bands& found, int band, const Bands& date, const PatchCenters& centers) {
    const std::vector<std::uint16_t> expected = expected_labels(date, centers);
    std::map<int, int> counts;
    for (int row = 0; row < date.n_rows; ++row) {
        for (int col = 0; col < date.n_cols; ++col) {
            const auto i = static_cast<std::size_t>(row) * static_cast<std::size_t>(date.n_cols) +
                           static_cast<std::size_t>(col);
            const int label = static_cast<int>(found.at(band, row, col));
            ++counts[label];
            if (label == expected[i]) continue;
            ASSERT_NE(label, 0) << row << ' ' << col;
            ASSERT_NE(expected[i], 0) << row << ' ' << col;
            const double nearest = distance_sq(date, centers, row, col, expected[i]);
            ASSERT_NEAR(distance_sq(date, centers, row, col, label) / nearest, 1, 1e-4) << row << ' ' << col;
        }
    }
    EXPECT_EQ(counts.size(), static_cast<std::size_t>(centers.n_clusters) + 1);  // and 0: the rim
}

TEST_F(LazyLabelsTest, OpensWithBandsTypesAndMetadata) {
    const Bands date = scene(1, 90, 130);
    write_bands(dir_.file("a.tif"), date);
    const LazyLabels labels{some_centers(7, 1, 3),
                            PixelScale::Linear,
                            false,
                            LazyDialect::Plugin,
                            {bands_of("a.tif", 1), bands_of("a.tif", 1)}};

    write_lazy_labels(dir_.file("labels_lazy.vrt"), grid_of(date), label_product(2), labels);

    const GDALDatasetUniquePtr dataset(GDALDataset::Open(dir_.file("labels_lazy.vrt").c_str()));
    ASSERT_NE(dataset, nullptr);
    ASSERT_EQ(dataset->GetRasterCount(), 2);
    EXPECT_STREQ(dataset->GetMetadataItem("PATCH"), "7");
    EXPECT_STREQ(dataset->GetMetadataItem("AREA_OR_POINT"), "Area");
    EXPECT_STREQ(dataset->GetSpatialRef()->GetAuthorityCode(nullptr), "32632");
    GDALRasterBand* band = dataset->GetRasterBand(2);
    EXPECT_EQ(band->GetRasterDataType(), GDT_Byte);
    EXPECT_EQ(band->GetNoDataValue(), 0);
    EXPECT_STREQ(band->GetDescription(), "2020-01-11");
    EXPECT_STREQ(band->GetMetadataItem("DATE"), "2020-01-11");
    EXPECT_EQ(band->GetColorTable()->GetColorEntryCount(), 3);
    EXPECT_STREQ(band->GetCategoryNames()[2], "cluster 2");
    EXPECT_EQ(band->GetOverviewCount(), 0);  // it is smaller than a tile
}

/// A band of its own for each KernelFilteredSource of the first date.
std::string write_sources_alone(const std::string& lazy, const std::string& path) {
    CPLXMLNode* tree = CPLParseXMLFile(lazy.c_str());
    CPLXMLNode* root = CPLGetXMLNode(tree, "=VRTDataset");
    CPLXMLNode* derived = CPLGetXMLNode(root, "VRTRasterBand");
    std::string bands;
    int n_bands = 0;
    for (CPLXMLNode* node = derived->psChild; node != nullptr; node = node->psNext) {
        if (std::string(node->pszValue) != "KernelFilteredSource") continue;
        CPLXMLNode* next = node->psNext;
        node->psNext = nullptr;  // its text alone
        char* text = CPLSerializeXMLTree(node);
        bands += "<VRTRasterBand dataType=\"Float32\" band=\"" + std::to_string(++n_bands) + "\">" + text +
                 "</VRTRasterBand>";
        CPLFree(text);
        node->psNext = next;
    }
    const std::string size = std::string("rasterXSize=\"") + CPLGetXMLValue(root, "rasterXSize", "") +
                             "\" rasterYSize=\"" + CPLGetXMLValue(root, "rasterYSize", "") + "\"";
    CPLDestroyXMLNode(tree);
    write_text_file(path, "<VRTDataset " + size + ">" + bands + "</VRTDataset>");
    return path;
}

TEST_F(LazyLabelsTest, SourcesAreTheCountAndTheCorrelationsLessTheFirst) {
    Bands date = scene(1, 60, 70);
    date.values[35 * 70 + 20] = kNaN;
    write_bands(dir_.file("a.tif"), date);
    const PatchCenters centers = some_centers(5, 1, 3);
    std::vector<LazyBand> sources = bands_of("a.tif", 1);
    sources[0].nodata = kNaN;
    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1), {centers, {}, {}, {}, {sources}});

    const Bands alone = read_bands(write_sources_alone(dir_.file("l_computed.vrt"), dir_.file("alone.vrt")));

    const double level = std::accumulate(centers.values.begin(), centers.values.end(), 0.0) / (3.0 * 25);
    ASSERT_EQ(alone.n_bands, 3);
    for (int row = 0; row < 60; ++row) {
        for (int col = 0; col < 70; ++col) {
            const bool rim = row < 2 || col < 2 || row >= 58 || col >= 68;
            const bool near_hole = std::abs(row - 35) <= 2 && std::abs(col - 20) <= 2;
            EXPECT_EQ(alone.at(0, row, col), rim ? 0 : near_hole ? 24 : 25);
            if (rim || near_hole) continue;
            for (int k = 1; k < 3; ++k) {
                double sum = 0;
                const double* center = centers.center(k);
                for (int i = 0; i < 25; ++i) {
                    const double pixel = date.at(0, row + i / 5 - 2, col + i % 5 - 2);
                    sum += (pixel - level) * (center[i] - centers.center(0)[i]);
                }
                EXPECT_NEAR(alone.at(k, row, col), sum, 1e-4);
            }
        }
    }
}

TEST_F(LazyLabelsTest, LabelsAreThoseOfAssignPatches) {
    Bands date = scene(1, 120, 150);
    for (const int i : {0, 60 * 150 + 75, 60 * 150 + 79, 119 * 150 + 149}) {
        date.values[static_cast<std::size_t>(i)] = kNaN;
    }
    write_bands(dir_.file("a.tif"), date);
    const PatchCenters centers = some_centers(7, 1, 5);
    std::vector<LazyBand> declared = bands_of("a.tif", 1);
    declared[0].nodata = kNaN;

    // Without declared nodata, too: what is not finite is invalid.
    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(2),
                      {centers, {}, {}, {}, {declared, bands_of("a.tif", 1)}});

    const Bands found = read_bands(dir_.file("l.vrt"));
    expect_labels(found, 0, date, centers);
    expect_labels(found, 1, date, centers);
}

TEST_F(LazyLabelsTest, OneClusterIsEveryValidPatch) {
    Bands date = scene(1, 40, 50);
    date.values[20 * 50 + 20] = kNaN;
    write_bands(dir_.file("a.tif"), date);
    const PatchCenters centers = some_centers(5, 1, 1);

    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1),
                      {centers, {}, {}, {}, {bands_of("a.tif", 1)}});

    expect_labels(read_bands(dir_.file("l.vrt")), 0, date, centers);
}

TEST_F(LazyLabelsTest, ScaledIntegersFarFromZeroKeepTheirLabels) {
    Bands stored = scene(1, 120, 150);
    Bands date = stored;
    PatchCenters centers = some_centers(7, 1, 4);
    // The levels of Float32 are 2^-10 apart there: products of uncentred pixels would lose the labels.
    shift_and_scale(centers, 1, 10000);
    for (std::size_t i = 0; i < stored.values.size(); ++i) {
        stored.values[i] = std::round(stored.values[i] * 100);
        date.values[i] = static_cast<float>(static_cast<double>(stored.values[i]) * 0.01 + 10000);
    }
    stored.values[50 * 150 + 60] = 0;
    date.values[50 * 150 + 60] = kNaN;
    write_bands(dir_.file("a.tif"), stored, GDT_Int16);
    std::vector<LazyBand> sources = bands_of("a.tif", 1);
    sources[0].nodata = 0;
    sources[0].scale = 0.01;
    sources[0].offset = 10000;
    for (float& value : date.values) {
        if (value == 10000.0F) value = kNaN;
    }

    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1), {centers, {}, {}, {}, {sources}});

    expect_labels(read_bands(dir_.file("l.vrt")), 0, date, centers);
}

/// KernelFilteredSource takes pixels that equal the nodata of its source for nodata, after scaling.
TEST_F(LazyLabelsTest, PixelsThatEqualTheNodataValueAfterScalingAreValid) {
    Bands stored = scene(1, 60, 60);
    for (std::size_t i = 0; i < stored.values.size(); ++i) stored.values[i] = static_cast<float>(1 + i % 5);
    Bands date = stored;
    PatchCenters centers{3, 1, 2, std::vector<double>(18, 3)};  // the mean of the centres is a pixel's value
    for (int i = 0; i < 9; ++i) {
        centers.values[static_cast<std::size_t>(i)] += i % 3;
        centers.values[static_cast<std::size_t>(9 + i)] -= i % 3;
    }
    write_bands(dir_.file("a.tif"), stored, GDT_Byte);
    {
        const GDALDatasetUniquePtr file(GDALDataset::Open(dir_.file("a.tif").c_str(), GDAL_OF_UPDATE));
        file->GetRasterBand(1)->SetNoDataValue(0);
    }
    std::vector<LazyBand> sources = bands_of("a.tif", 1);
    sources[0].nodata = 0;

    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1), {centers, {}, {}, {}, {sources}});

    expect_labels(read_bands(dir_.file("l.vrt")), 0, date, centers);
}

TEST_F(LazyLabelsTest, BandsNodataAndMaskOfADateCountTogether) {
    Bands date = scene(2, 100, 110);
    const Bands stored = date;
    write_bands(dir_.file("a.tif"), stored, GDT_Float32);
    Bands mask{1, 100, 110, std::vector<float>(100 * 110, 255)};
    mask.values[40 * 110 + 40] = 0;
    mask.values[70 * 110 + 20] = 128;  // valid
    write_bands(dir_.file("a.tif.msk"), mask, GDT_Byte);
    {
        const GDALDatasetUniquePtr file(GDALDataset::Open(dir_.file("a.tif.msk").c_str(), GDAL_OF_UPDATE));
        file->SetMetadataItem("INTERNAL_MASK_FLAGS_1", "2");
        file->SetMetadataItem("INTERNAL_MASK_FLAGS_2", "2");
    }
    std::vector<LazyBand> sources = bands_of("a.tif", 2);
    for (LazyBand& band : sources) band.has_mask = true;
    sources[1].nodata = static_cast<double>(stored.at(1, 60, 80));
    date.values[40 * 110 + 40] = kNaN;
    for (float& value : date.values) {
        if (value == stored.at(1, 60, 80)) value = kNaN;
    }
    const PatchCenters centers = some_centers(5, 2, 4);

    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1), {centers, {}, {}, {}, {sources}});

    expect_labels(read_bands(dir_.file("l.vrt")), 0, date, centers);
}

TEST_F(LazyLabelsTest, GridIsAWindowOfTheSource) {
    const Bands whole = scene(1, 100, 120);
    Bands part{1, 50, 60, {}};
    for (int row = 0; row < 50; ++row) {
        for (int col = 0; col < 60; ++col) part.values.push_back(whole.at(0, row + 20, col + 33));
    }
    write_bands(dir_.file("a.tif"), whole);
    std::vector<LazyBand> sources = bands_of("a.tif", 1);
    sources[0].col = 33;
    sources[0].row = 20;
    const PatchCenters centers = some_centers(7, 1, 3);

    write_lazy_labels(dir_.file("l.vrt"), grid_of(whole).subset({33, 20, 60, 50}), label_product(1),
                      {centers, {}, {}, {}, {sources}});

    expect_labels(read_bands(dir_.file("l.vrt")), 0, part, centers);
}

TEST_F(LazyLabelsTest, WindowsAreThoseOfTheWhole) {
    const Bands date = scene(1, 90, 100);
    write_bands(dir_.file("a.tif"), date);
    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1),
                      {some_centers(7, 1, 4), {}, {}, {}, {bands_of("a.tif", 1)}});
    const Bands whole = read_bands(dir_.file("l.vrt"));
    const GDALDatasetUniquePtr dataset(GDALDataset::Open(dir_.file("l.vrt").c_str()));

    for (const Window window : {Window{0, 0, 5, 90}, {1, 2, 3, 1}, {40, 30, 1, 1}, {93, 80, 7, 10}}) {
        std::vector<float> part(static_cast<std::size_t>(window.n_pixels()));
        ASSERT_EQ(
            dataset->GetRasterBand(1)->RasterIO(
                GF_Read, static_cast<int>(window.col), static_cast<int>(window.row),
                static_cast<int>(window.n_cols), static_cast<int>(window.n_rows), part.data(),
                static_cast<int>(window.n_cols), static_cast<int>(window.n_rows), GDT_Float32, 0, 0, nullptr),
            CE_None);
        for (int i = 0; i < window.n_pixels(); ++i) {
            const auto n_cols = static_cast<int>(window.n_cols);
            EXPECT_EQ(part[static_cast<std::size_t>(i)],
                      whole.at(0, static_cast<int>(window.row) + i / n_cols,
                               static_cast<int>(window.col) + i % n_cols));
        }
    }
}

/// Pixels of a smaller or larger reading whose whole block of labels agrees are that label.
void expect_resampled(GDALRasterBand* band, const Bands& whole, int n_cols, int n_rows) {
    std::vector<float> read(static_cast<std::size_t>(n_cols * n_rows));
    ASSERT_EQ(band->RasterIO(GF_Read, 0, 0, whole.n_cols, whole.n_rows, read.data(), n_cols, n_rows,
                             GDT_Float32, 0, 0, nullptr),
              CE_None);
    const double col_step = static_cast<double>(whole.n_cols) / n_cols;
    const double row_step = static_cast<double>(whole.n_rows) / n_rows;
    int n_uniform = 0;
    for (int i = 0; i < n_cols * n_rows; ++i) {
        const auto first_row = static_cast<int>(row_step * (i / n_cols));
        const auto first_col = static_cast<int>(col_step * (i % n_cols));
        const float label = whole.at(0, first_row, first_col);
        bool uniform = true;
        for (int row = first_row; row < std::min<double>(whole.n_rows, first_row + row_step + 1); ++row) {
            for (int col = first_col; col < std::min<double>(whole.n_cols, first_col + col_step + 1); ++col) {
                uniform = uniform && whole.at(0, row, col) == label;
            }
        }
        if (!uniform) continue;
        ++n_uniform;
        ASSERT_EQ(read[static_cast<std::size_t>(i)], label) << i / n_cols << ' ' << i % n_cols;
    }
    EXPECT_GT(n_uniform, n_cols * n_rows / 20);
}

TEST_F(LazyLabelsTest, OtherResolutionsAreTheModeOfTheLabels) {
    const Bands date = scene(1, 280, 300);
    write_bands(dir_.file("a.tif"), date);
    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1),
                      {some_centers(7, 1, 4), {}, {}, {}, {bands_of("a.tif", 1)}});
    const Bands whole = read_bands(dir_.file("l.vrt"));
    const GDALDatasetUniquePtr dataset(GDALDataset::Open(dir_.file("l.vrt").c_str()));
    GDALRasterBand* band = dataset->GetRasterBand(1);

    EXPECT_EQ(band->GetOverviewCount(), 1);
    for (const auto& [n_cols, n_rows] : {std::pair{150, 140}, {200, 187}, {299, 280}, {600, 560}, {75, 70}}) {
        SCOPED_TRACE(n_cols);
        expect_resampled(band, whole, n_cols, n_rows);
    }
}

TEST_F(LazyLabelsTest, CopiesByGdalHaveTheSamePixels) {
    const Bands date = scene(1, 60, 70);
    write_bands(dir_.file("a.tif"), date);
    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1),
                      {some_centers(5, 1, 3), {}, {}, {}, {bands_of("a.tif", 1)}});
    GDALDriver* driver = GetGDALDriverManager()->GetDriverByName("VRT");
    const std::string computed = dir_.file("l_computed.vrt");
    const std::string copy = dir_.file("copy.vrt");
    {
        const GDALDatasetUniquePtr original(GDALDataset::Open(computed.c_str()));
        GDALDatasetUniquePtr(driver->CreateCopy(copy.c_str(), original.get(), 0, nullptr, nullptr, nullptr))
            .reset();
    }
    EXPECT_EQ(read_bands(copy).values, read_bands(computed).values);
}

TEST_F(LazyLabelsTest, PartsAreAllItsFiles) {
    const Bands date = scene(1, 60, 70);
    write_bands(dir_.file("a.tif"), date);
    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1),
                      {some_centers(5, 1, 2), {}, {}, {}, {bands_of("a.tif", 1)}});

    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) files.insert(entry.path());

    std::set<std::string> expected = {dir_.file("a.tif"), dir_.file("l.vrt")};
    for (const std::string& part : lazy_label_parts(dir_.file("l.vrt"))) expected.insert(part);
    EXPECT_EQ(files, expected);
}

TEST_F(LazyLabelsTest, ExpressionGivesTheSameLabelsWhereGdalHasIt) {
    const Bands date = scene(2, 60, 70);
    write_bands(dir_.file("a.tif"), date);
    LazyLabels labels{some_centers(5, 2, 3), {}, {}, LazyDialect::Expression, {bands_of("a.tif", 2)}};

    write_lazy_labels(dir_.file("l.vrt"), grid_of(date), label_product(1), labels);

    const std::string text = read_text_file(dir_.file("l_computed.vrt"));
    EXPECT_EQ(text.find("rastertide_kmeans_label"), std::string::npos);
    EXPECT_NE(text.find("expression=\"B1==25?((B1=max(-("), std::string::npos) << text;
    if (std::atoi(GDALVersionInfo("VERSION_NUM")) < 3110000) {
        GTEST_SKIP() << "GDAL " << GDALVersionInfo("RELEASE_NAME") << " has no pixel function 'expression'";
    }
    expect_labels(read_bands(dir_.file("l.vrt")), 0, date, labels.centers);
}

TEST_F(LazyLabelsTest, RefusesWhatIsNoCorrelationOfTheImage) {
    const Bands date = scene(1, 60, 70);
    const LazyLabels good{some_centers(5, 1, 3), {}, {}, {}, {bands_of("a.tif", 1)}};
    const auto write = [&](const LazyLabels& labels, const Grid& grid, const Product& product) {
        write_lazy_labels(dir_.file("l.vrt"), grid, product, labels);
    };

    LazyLabels bad = good;
    bad.scale = PixelScale::Db;
    EXPECT_THROW(write(bad, grid_of(date), label_product(1)), InvalidArgument);
    bad = good;
    bad.time_features = true;
    EXPECT_THROW(write(bad, grid_of(date), label_product(1)), InvalidArgument);
    bad = good;
    bad.dates[0] = bands_of("a.tif", 2);
    EXPECT_THROW(write(bad, grid_of(date), label_product(1)), InvalidArgument);
    EXPECT_THROW(write(good, grid_of(date), label_product(2)), InvalidArgument);
    EXPECT_THROW(write(good, grid_of(date).subset({0, 0, 4, 60}), label_product(1)), InvalidArgument);
    Product floats = label_product(1);
    floats.type = SampleType::Float32;
    EXPECT_THROW(write(good, grid_of(date), floats), InvalidArgument);
    EXPECT_NO_THROW(write(good, grid_of(date), label_product(1)));
}

}  // namespace
}  // namespace rastertide
