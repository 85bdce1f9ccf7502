// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gdal.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <rastertide/core/error.hpp>
#include <rastertide/read/crs.hpp>
#include <rastertide/write/stack_writer.hpp>
#include <rastertide/write/text_file.hpp>

#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::TempDir;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kDay = 86400;

struct Closer {
    void operator()(GDALDatasetH dataset) const { GDALClose(dataset); }
};
using Dataset = std::unique_ptr<void, Closer>;

Dataset open(const std::string& name) {
    GDALAllRegister();
    return Dataset(GDALOpen(name.c_str(), GA_ReadOnly));
}

/// Three dates of 40 x 37 pixels: partial blocks at the right and the lower edge.
StackLayout small_layout() {
    StackLayout layout;
    layout.grid.n_cols = 40;
    layout.grid.n_rows = 37;
    layout.grid.geotransform.c = {480000, 10, 0, 5990000, 0, -10};
    layout.grid.has_geotransform = true;
    layout.grid.crs_wkt = crs_from_user_input("EPSG:32632");
    layout.dates = {{17899 * kDay, false}, {17905 * kDay, false}, {17911 * kDay + 20097, true}};
    layout.units = "1";
    layout.chunk_n_cols = 16;
    layout.chunk_n_rows = 16;
    return layout;
}

float value_at(std::int64_t date, std::int64_t row, std::int64_t col) {
    return date == 1 && row == 5 && col > 30 ? kNaN : static_cast<float>(date * 10000 + row * 100 + col);
}

template <class Value, class ValueAt>
void fill(BasicStackWriter<Value>& writer, const StackLayout& layout, std::int64_t size, ValueAt at) {
    for (std::int64_t row = 0; row < layout.grid.n_rows; row += size) {
        for (std::int64_t col = 0; col < layout.grid.n_cols; col += size) {
            const Window window = intersect({col, row, size, size}, layout.grid.extent());
            std::vector<Value> values;
            for (std::int64_t date = 0; date < static_cast<std::int64_t>(layout.dates.size()); ++date) {
                for (std::int64_t i = 0; i < window.n_pixels(); ++i) {
                    values.push_back(
                        static_cast<Value>(at(date, row + i / window.n_cols, col + i % window.n_cols)));
                }
            }
            writer.write(window, values.data());
        }
    }
}

void expect_grid(GDALDatasetH dataset, const Grid& grid) {
    std::array<double, 6> geotransform{};
    EXPECT_EQ(GDALGetGeoTransform(dataset, geotransform.data()), CE_None);
    EXPECT_EQ(geotransform, grid.geotransform.c);
    EXPECT_TRUE(is_same_crs(GDALGetProjectionRef(dataset), grid.crs_wkt)) << GDALGetProjectionRef(dataset);
}

void expect_values(GDALDatasetH dataset, int i_band, std::int64_t date) {
    std::vector<float> values(40 * 37);
    GDALRasterBandH band = GDALGetRasterBand(dataset, i_band);
    ASSERT_EQ(GDALRasterIO(band, GF_Read, 0, 0, 40, 37, values.data(), 40, 37, GDT_Float32, 0, 0), CE_None);
    for (std::int64_t i = 0; i < 40 * 37; ++i) {
        const float expected = value_at(date, i / 40, i % 40);
        const float found = values[static_cast<std::size_t>(i)];
        ASSERT_TRUE(found == expected || (std::isnan(found) && std::isnan(expected)))
            << "date " << date << ", row " << i / 40 << ", col " << i % 40 << ": " << found << ", expected "
            << expected;
    }
}

std::string item(GDALMajorObjectH object, const char* name) {
    const char* text = GDALGetMetadataItem(object, name, nullptr);
    return text != nullptr ? text : "(none)";
}

bool has_hdf5() {
    const TempDir folder;
    try {
        make_hdf5_stack(folder.file("probe.h5"), small_layout());
        return true;
    } catch (const BackendUnavailable&) {
        return false;
    }
}

/// While it lives no file of this process grows beyond `bytes`: what a full disk does to a writer, without
/// one.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &old_);
        rlimit limit = old_;
        limit.rlim_cur = bytes;
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, old_handler_);
    }

  private:
    rlimit old_{};
    void (*old_handler_)(int);
};

template <class Call>
std::string io_error_of(Call call) {
    try {
        call();
    } catch (const IoError& error) {
        return error.what();
    }
    return "(no IoError)";
}

TEST(GeotiffStack, ReadsBackWithGridDatesAndNodata) {
    const TempDir folder;
    const StackLayout layout = small_layout();

    const auto writer = make_geotiff_stack(folder.file("stack/"), "s", layout);
    fill(*writer, layout, 16, value_at);
    writer->close();

    const std::vector<std::string> names = {"s_20190103.tif", "s_20190109.tif", "s_20190115.tif"};
    const std::vector<std::string> dates = {"2019-01-03", "2019-01-09", "2019-01-15T05:34:57Z"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const Dataset dataset = open(folder.file("stack/" + names[i]));
        ASSERT_NE(dataset, nullptr) << names[i];
        expect_grid(dataset.get(), layout.grid);
        expect_values(dataset.get(), 1, static_cast<std::int64_t>(i));
        GDALRasterBandH band = GDALGetRasterBand(dataset.get(), 1);
        EXPECT_EQ(item(band, "DATE"), dates[i]);
        EXPECT_TRUE(std::isnan(GDALGetRasterNoDataValue(band, nullptr)));
        EXPECT_STREQ(GDALGetDescription(band), "data");
        int block_n_cols = 0;
        int block_n_rows = 0;
        GDALGetBlockSize(band, &block_n_cols, &block_n_rows);
        EXPECT_EQ(block_n_cols, 16);
        EXPECT_EQ(block_n_rows, 16);
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(GeotiffStack, WindowsNeedNotMatchBlocks) {
    const TempDir folder;
    StackLayout layout = small_layout();
    layout.creation_options = {"COMPRESS=DEFLATE"};

    const auto writer = make_geotiff_stack(folder.file("stack"), "s", layout);
    fill(*writer, layout, 11, value_at);
    writer->close();

    const Dataset dataset = open(folder.file("stack/s_20190109.tif"));
    expect_values(dataset.get(), 1, 1);
    EXPECT_STREQ(GDALGetMetadataItem(dataset.get(), "COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
}

TEST(GeotiffStack, WritesMoreDatesThanFilesMayBeOpen) {
    const TempDir folder;
    StackLayout layout = small_layout();
    layout.grid.n_cols = 4;
    layout.grid.n_rows = 2;
    layout.dates.clear();
    for (std::int64_t i = 0; i < 600; ++i) layout.dates.push_back({(17899 + i) * kDay, false});

    const auto writer = make_geotiff_stack(folder.file("stack"), "s", layout);
    fill(*writer, layout, 2, value_at);
    writer->close();

    const Dataset dataset = open(folder.file("stack/s_20200824.tif"));  // the 600th day
    ASSERT_NE(dataset, nullptr);
    std::vector<float> row(4);
    ASSERT_EQ(GDALRasterIO(GDALGetRasterBand(dataset.get(), 1), GF_Read, 0, 1, 4, 1, row.data(), 4, 1,
                           GDT_Float32, 0, 0),
              CE_None);
    EXPECT_EQ(row, (std::vector<float>{5990100, 5990101, 5990102, 5990103}));
}

TEST(GeotiffStack, UnclosedWriterLeavesNothing) {
    const TempDir folder;
    {
        const auto writer = make_geotiff_stack(folder.file("stack"), "s", small_layout());
        fill(*writer, small_layout(), 16, value_at);
    }
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(GeotiffStack, FilledFolderIsAnErrorWithoutOverwrite) {
    const TempDir folder;
    StackLayout layout = small_layout();
    fs::create_directory(folder.file("stack"));
    write_text_file(folder.file("stack/s_20180101.tif"), "of an earlier stack");

    EXPECT_THROW(make_geotiff_stack(folder.file("stack"), "s", layout), IoError);

    layout.overwrite = true;
    const auto writer = make_geotiff_stack(folder.file("stack"), "s", layout);
    fill(*writer, layout, 16, value_at);
    EXPECT_TRUE(fs::exists(folder.file("stack/s_20180101.tif")));
    writer->close();
    EXPECT_FALSE(fs::exists(folder.file("stack/s_20180101.tif")));
    EXPECT_TRUE(fs::exists(folder.file("stack/s_20190103.tif")));
}

TEST(GeotiffStack, OverwriteNeverRemovesFilesOfOthers) {
    const TempDir folder;
    StackLayout layout = small_layout();
    layout.overwrite = true;
    fs::create_directory(folder.file("stack"));
    write_text_file(folder.file("stack/notes.txt"), "mine");

    EXPECT_THROW(make_geotiff_stack(folder.file("stack"), "s", layout), IoError);

    EXPECT_EQ(read_text_file(folder.file("stack/notes.txt")), "mine");
}

TEST(GeotiffStack, TwoScenesOfADayAreAnError) {
    const TempDir folder;
    StackLayout layout = small_layout();
    layout.dates[1] = layout.dates[0];

    EXPECT_THROW(make_geotiff_stack(folder.file("stack"), "s", layout), InvalidArgument);
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(GeotiffStack, FullDiskIsAnIoErrorThatNamesTheFile) {
    const TempDir folder;
    const std::string message = io_error_of([&] {
        const FileSizeLimit limit(2000);
        const auto writer = make_geotiff_stack(folder.file("stack"), "s", small_layout());
        fill(*writer, small_layout(), 16, value_at);
        writer->close();
    });

    EXPECT_NE(message.find("s_20190103.tif"), std::string::npos) << message;
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(GeotiffStack, WindowOutsideTheRasterIsAnError) {
    const TempDir folder;
    const auto writer = make_geotiff_stack(folder.file("stack"), "s", small_layout());
    const std::vector<float> values(3 * 4);

    EXPECT_THROW(writer->write({39, 0, 2, 2}, values.data()), InvalidArgument);
}

TEST(Hdf5Stack, ReadsBackThroughTheNetcdfDriver) {
    if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";
    const TempDir folder;
    const StackLayout layout = small_layout();

    const auto writer = make_hdf5_stack(folder.file("stack.h5"), layout);
    fill(*writer, layout, 16, value_at);
    writer->close();

    GDALAllRegister();
    if (GDALGetDriverByName("netCDF") == nullptr) GTEST_SKIP() << "this GDAL has no netCDF driver";
    const Dataset dataset = open("NETCDF:\"" + folder.file("stack.h5") + "\":data");
    ASSERT_NE(dataset, nullptr);
    ASSERT_EQ(GDALGetRasterCount(dataset.get()), 3);
    expect_grid(dataset.get(), layout.grid);
    for (int i = 0; i < 3; ++i) expect_values(dataset.get(), i + 1, i);
    EXPECT_TRUE(std::isnan(GDALGetRasterNoDataValue(GDALGetRasterBand(dataset.get(), 1), nullptr)));
    EXPECT_EQ(item(GDALGetRasterBand(dataset.get(), 2), "NETCDF_DIM_time"), "17905");
    EXPECT_EQ(item(dataset.get(), "time#units"), "days since 1970-01-01 00:00:00");
    EXPECT_EQ(item(dataset.get(), "crs#grid_mapping_name"), "transverse_mercator");
    EXPECT_EQ(item(dataset.get(), "crs#longitude_of_central_meridian"), "9");
    EXPECT_EQ(item(dataset.get(), "x#standard_name"), "projection_x_coordinate");
}

TEST(Hdf5Stack, UnclosedWriterLeavesNothing) {
    if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";
    const TempDir folder;
    {
        const auto writer = make_hdf5_stack(folder.file("stack.h5"), small_layout());
        fill(*writer, small_layout(), 16, value_at);
    }
    EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Hdf5Stack, ExistingFileIsAnErrorAndStaysUntilAnOverwriteIsClosed) {
    if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";
    const TempDir folder;
    StackLayout layout = small_layout();
    write_text_file(folder.file("stack.h5"), "old");

    EXPECT_THROW(make_hdf5_stack(folder.file("stack.h5"), layout), IoError);

    layout.overwrite = true;
    const auto writer = make_hdf5_stack(folder.file("stack.h5"), layout);
    fill(*writer, layout, 16, value_at);
    EXPECT_EQ(read_text_file(folder.file("stack.h5")), "old");
    writer->close();
    EXPECT_GT(fs::file_size(folder.file("stack.h5")), 3U * 40 * 37 * 4);
}

TEST(Hdf5Stack, FullDiskIsAnIoErrorThatNamesTheFile) {
    if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";
    const TempDir folder;
    // From the first bytes to the last: the error may come at any call.
    for (const rlim_t limit_bytes : {rlim_t{10}, rlim_t{5000}, rlim_t{15000}, rlim_t{25000}}) {
        const std::string message = io_error_of([&] {
            const FileSizeLimit limit(limit_bytes);
            const auto writer = make_hdf5_stack(folder.file("stack.h5"), small_layout());
            fill(*writer, small_layout(), 16, value_at);
            writer->close();
        });

        EXPECT_NE(message.find("stack.h5': cannot write the stack: File too large"), std::string::npos)
            << message;
        EXPECT_TRUE(fs::is_empty(folder.path()));
    }
}

TEST(Hdf5Stack, MissingFolderIsAnIoError) {
    if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";
    const TempDir folder;

    EXPECT_THROW(make_hdf5_stack(folder.file("none/stack.h5"), small_layout()), IoError);
}

TEST(Hdf5Stack, RotatedGridIsAnError) {
    const TempDir folder;
    StackLayout layout = small_layout();
    layout.grid.geotransform.c[2] = 1;
    if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";

    EXPECT_THROW(make_hdf5_stack(folder.file("stack.h5"), layout), InvalidArgument);
}

TEST(LabelStack, IsOneFileWithABandADate) {
    const TempDir folder;
    const StackLayout layout = small_layout();
    const auto label = [](std::int64_t date, std::int64_t row, std::int64_t col) {
        return col == 0 ? 255 : (date + row + col) % 4;
    };

    const auto writer = make_label_stack(folder.file("truth.tif"), layout, 255);
    fill(*writer, layout, 16, label);
    writer->close();

    const Dataset dataset = open(folder.file("truth.tif"));
    ASSERT_NE(dataset, nullptr);
    ASSERT_EQ(GDALGetRasterCount(dataset.get()), 3);
    expect_grid(dataset.get(), layout.grid);
    EXPECT_STREQ(GDALGetMetadataItem(dataset.get(), "COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
    for (int i_band = 1; i_band <= 3; ++i_band) {
        GDALRasterBandH band = GDALGetRasterBand(dataset.get(), i_band);
        std::vector<std::uint8_t> labels(40 * 37);
        ASSERT_EQ(GDALRasterIO(band, GF_Read, 0, 0, 40, 37, labels.data(), 40, 37, GDT_Byte, 0, 0), CE_None);
        for (std::int64_t i = 0; i < 40 * 37; ++i) {
            ASSERT_EQ(labels[static_cast<std::size_t>(i)], label(i_band - 1, i / 40, i % 40));
        }
        EXPECT_EQ(GDALGetRasterDataType(band), GDT_Byte);
        EXPECT_EQ(GDALGetRasterNoDataValue(band, nullptr), 255);
    }
    EXPECT_EQ(item(GDALGetRasterBand(dataset.get(), 2), "DATE"), "2019-01-09");
}

TEST(TextFile, ReadsBackEveryByte) {
    const TempDir folder;
    const std::string text("one\r\ntwo\0three\n", 15);

    write_text_file(folder.file("a.txt"), "old and longer than the new text");
    write_text_file(folder.file("a.txt"), text);

    EXPECT_EQ(read_text_file(folder.file("a.txt")), text);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(TextFile, ErrorsNameThePath) {
    const TempDir folder;
    const std::string missing = folder.file("none/a.txt");

    EXPECT_EQ(io_error_of([&] { read_text_file(missing); }),
              "'" + missing + "': cannot read the file: No such file or directory");
    EXPECT_EQ(io_error_of([&] { write_text_file(missing, "text"); }),
              "'" + missing + "': cannot make the file: No such file or directory");
}

TEST(TextFile, FullDiskLeavesTheOldFile) {
    const TempDir folder;
    write_text_file(folder.file("a.txt"), "old");

    const std::string message = io_error_of([&] {
        const FileSizeLimit limit(100);
        write_text_file(folder.file("a.txt"), std::string(100000, 'x'));
    });

    EXPECT_NE(message.find("a.txt': cannot write the file"), std::string::npos) << message;
    EXPECT_EQ(read_text_file(folder.file("a.txt")), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace rastertide
