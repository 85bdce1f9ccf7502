// SPDX-License-Identifier: Apache-2.0
// GDAL's own programs with the plugin: what users type.
#include <filesystem>

#include <rastertide/write/text_file.hpp>

#include "plugin/plugin_stack.hpp"
#include "support/command.hpp"

namespace rastertide {
namespace {

using namespace testing_support;

class GdalTools : public testing::Test {
  protected:
    static constexpr int kDates = 14;
    static constexpr int kRows = 67;
    static constexpr int kCols = 90;

    void SetUp() override { write_bands(raster_, stack_); }
    /// @param plugins  folder of plugins; empty: the built one
    static CommandResult tool(const std::string& words, const std::string& plugins = PLUGIN_FOLDER) {
        return run("env GDAL_DRIVER_PATH=" + testing_support::quoted(plugins) + " " + words);
    }
    std::string lazy(const std::string& query = "") const {
        return testing_support::quoted("RASTERTIDE:" + raster_ + (query.empty() ? "" : "?" + query));
    }
    std::string file(const std::string& name) const { return folder_.file(name); }

    TempDir folder_;
    std::string raster_ = folder_.file("stack.tif");
    Bands stack_ = make_stack(kDates, kRows, kCols);
    Bands scores_ = library_scores(stack_, {7, 10});
};

TEST_F(GdalTools, GdalinfoShowsTheDriverAndAProduct) {
    const CommandResult formats = tool("gdalinfo --formats");
    EXPECT_EQ(formats.exit_code, 0);
    EXPECT_NE(formats.output.find("RASTERTIDE -raster- (ro"), std::string::npos) << formats.output;
    EXPECT_EQ(formats.output.find("ERROR 1"), std::string::npos);
    const CommandResult format = tool("gdalinfo --format RASTERTIDE");
    EXPECT_EQ(format.output.find("ERROR 1"), std::string::npos) << format.output;
    for (const char* word : {"Connection prefix: RASTERTIDE:", "NEIGHBORS", "PROJWIN"})
        EXPECT_NE(format.output.find(word), std::string::npos) << word << "\n" << format.output;
    const CommandResult info = tool("gdalinfo -stats " + lazy("product=lof_max"));
    EXPECT_EQ(info.exit_code, 0);
    for (const char* word :
         {"RASTERTIDE_NEIGHBORS=10", "Description = highest LOF", "NoData Value=nan", "STATISTICS_MAXIMUM"})
        EXPECT_NE(info.output.find(word), std::string::npos) << word << "\n" << info.output;
}

TEST_F(GdalTools, APluginForAnotherGdalSaysSoAndStaysOut) {
    const CommandResult formats =
        tool("LD_PRELOAD=" + testing_support::quoted(OTHER_GDAL_VERSION) + " gdalinfo --formats");
    EXPECT_EQ(formats.exit_code, 0);
    EXPECT_NE(
        formats.output.find("gdal_Rastertide: was built for GDAL " + std::to_string(GDAL_VERSION_MAJOR) +
                            "." + std::to_string(GDAL_VERSION_MINOR) + ", found GDAL 9.87; build Rastertide"),
        std::string::npos)
        << formats.output;
    EXPECT_EQ(formats.output.find("RASTERTIDE -raster-"), std::string::npos) << formats.output;
    EXPECT_NE(formats.output.find("GTiff -raster"), std::string::npos);
}

TEST_F(GdalTools, TranslateCopiesTheScores) {
    for (const char* options : {"", "-co INTERLEAVE=PIXEL", "-co INTERLEAVE=BAND -co TILED=YES", "-of COG"}) {
        const CommandResult result = tool(std::string("gdal_translate -q ") + options + " " + lazy() + " " +
                                          testing_support::quoted(file("lof.tif")));
        ASSERT_EQ(result.exit_code, 0) << result.output;
        expect_close(read_bands(file("lof.tif")).values, scores_.values, 0);
    }
}

TEST_F(GdalTools, TranslateCutsAWindow) {
    const CommandResult result = tool("gdal_translate -q -b 4 -srcwin 13 21 33 17 " + lazy() + " " +
                                      testing_support::quoted(file("window.tif")));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    expect_close(read_bands(file("window.tif")).values, window_of(scores_, 3, 13, 21, 33, 17), 0);
}

TEST_F(GdalTools, WarpTakesThePixelsOfItsOwnGrid) {
    for (const char* threads : {"1", "8"}) {
        const CommandResult result =
            tool(std::string("gdalwarp -q -overwrite -et 0 -multi -wo NUM_THREADS=") + threads +
                 " -te 480130 5989540 480730 5989840 " + lazy() + " " +
                 testing_support::quoted(file("warped.tif")));
        ASSERT_EQ(result.exit_code, 0) << result.output;
        const Bands warped = read_bands(file("warped.tif"));
        for (int band = 0; band < kDates; ++band)
            expect_close(window_of(warped, band, 0, 0, 60, 30), window_of(scores_, band, 13, 16, 60, 30), 0);
    }
}

TEST_F(GdalTools, BuildvrtAndLocationinfoGoThroughTheDriver) {
    const std::string vrt = testing_support::quoted(file("mosaic.vrt"));
    ASSERT_EQ(tool("gdalbuildvrt -q " + vrt + " " + lazy("product=lof_max_date")).exit_code, 0);
    const CommandResult value = tool("gdallocationinfo -valonly " + vrt + " 40 30");
    EXPECT_EQ(value.exit_code, 0);
    int highest = 0;
    for (int date = 1; date < kDates; ++date)
        highest = scores_.at(date, 30, 40) > scores_.at(highest, 30, 40) ? date : highest;
    EXPECT_EQ(value.output, std::to_string(highest + 1) + "\n");
}

TEST_F(GdalTools, PixelFunctionsWorkInTheTools) {
    std::string vrt =
        "<VRTDataset rasterXSize='90' rasterYSize='67'><VRTRasterBand band='1' dataType='Float32' "
        "subClass='VRTDerivedRasterBand'>"
        "<PixelFunctionType>rastertide_lof</PixelFunctionType><PixelFunctionArguments statistic='max' "
        "neighbors='9'/>"
        "<SourceTransferType>Float64</SourceTransferType>";
    for (int band = 1; band <= kDates; ++band)
        vrt += "<SimpleSource><SourceFilename relativeToVRT='1'>stack.tif</SourceFilename><SourceBand>" +
               std::to_string(band) + "</SourceBand></SimpleSource>";
    write_text_file(file("derived.vrt"), vrt + "</VRTRasterBand></VRTDataset>");
    const CommandResult result = tool("gdal_translate -q " + testing_support::quoted(file("derived.vrt")) +
                                      " " + testing_support::quoted(file("max.tif")));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const Bands expected = library_scores(stack_, {1, 9}, Backend::Reference);
    std::vector<float> highest = window_of(expected, 0, 0, 0, kCols, kRows);
    for (int date = 1; date < kDates; ++date) {
        const std::vector<float> scores = window_of(expected, date, 0, 0, kCols, kRows);
        for (std::size_t i = 0; i < scores.size(); ++i) highest[i] = std::fmax(highest[i], scores[i]);
    }
    expect_close(read_bands(file("max.tif")).values, highest, 1e-6);
}

/// GDAL deletes what a dataset says are its files: here these are the user's scenes.
TEST_F(GdalTools, WhatReplacesAViewLeavesTheStackAlone) {
    const std::string view = file("view.rastertide");
    const auto write_view = [&] {
        write_text_file(
            view, R"({"software": "Rastertide", "inputs": ["stack.tif"], "options": {"neighbors": 5}})");
    };
    const std::string quoted_view = testing_support::quoted(view);
    const std::string other = testing_support::quoted(file("other.tif"));
    write_bands(file("other.tif"), {1, 5, 5, std::vector<float>(25, 1)});
    for (const std::string& command :
         {"gdalmanage delete " + quoted_view, "gdal_translate -q -of GTiff " + other + " " + quoted_view,
          "gdalwarp -q -overwrite -of GTiff " + other + " " + quoted_view, "gdalmanage delete " + lazy(),
          "gdalmanage rename " + quoted_view + " " + testing_support::quoted(file("moved.rastertide")),
          "gdalmanage copy " + quoted_view + " " + testing_support::quoted(file("copied.rastertide"))}) {
        write_view();
        tool(command);
        EXPECT_EQ(read_bands(raster_).values.size(), stack_.values.size()) << command;
    }
    EXPECT_EQ(read_bands(file("moved.rastertide")).n_bands, kDates);
    EXPECT_EQ(read_bands(file("copied.rastertide")).n_bands, kDates);
}

TEST_F(GdalTools, ErrorsEndTheToolWithAText) {
    const auto fails = [&](const std::string& words, const std::string& text,
                           const std::string& plugins = PLUGIN_FOLDER) {
        const CommandResult result = tool(words, plugins);
        EXPECT_EQ(result.exit_code, 1) << words;
        EXPECT_NE(result.output.find(text), std::string::npos) << words << "\n" << result.output;
    };
    const std::string out = " " + testing_support::quoted(file("out.tif"));
    fails("gdal_translate -q " + lazy("patch=6") + out, "patch");
    fails("gdal_translate -q 'RASTERTIDE:" + file("nowhere.tif") + "'" + out, "nowhere.tif");
    const TempDir empty;  // no plugin
    fails("gdalinfo " + lazy(), "RASTERTIDE:", empty.path());
    write_text_file(
        file("derived.vrt"),
        "<VRTDataset rasterXSize='90' rasterYSize='67'><VRTRasterBand band='1' dataType='Float32' "
        "subClass='VRTDerivedRasterBand'>"
        "<PixelFunctionType>rastertide_lof</PixelFunctionType><PixelFunctionArguments statistic='mode' "
        "neighbors='1'/>"
        "<SimpleSource><SourceFilename "
        "relativeToVRT='1'>stack.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
        "<SimpleSource><SourceFilename "
        "relativeToVRT='1'>stack.tif</SourceFilename><SourceBand>2</SourceBand></SimpleSource>"
        "</VRTRasterBand></VRTDataset>");
    const std::string derived = testing_support::quoted(file("derived.vrt"));
    fails("gdal_translate -q " + derived + out, "rastertide_lof: argument 'statistic' is 'mode'");
    fails("gdal_translate -q " + derived + out, "rastertide_lof", empty.path());
    std::filesystem::resize_file(raster_, std::filesystem::file_size(raster_) / 2);
    fails("gdal_translate -q " + lazy() + out, "stack.tif");
}

TEST_F(GdalTools, RasterLofAndKmeansAreCommandsOfNewerGdals) {
    if (GDALCheckVersion(3, 11, nullptr) == FALSE)
        GTEST_SKIP() << "GDAL " << GDALVersionInfo("RELEASE_NAME") << " has no gdal command: 3.11 does";
    const std::string raster = testing_support::quoted(raster_);
    const std::string out = " " + testing_support::quoted(file("out.tif"));
    const CommandResult scores = tool("gdal raster lof --quiet " + raster + out);
    ASSERT_EQ(scores.exit_code, 0) << scores.output;
    expect_close(read_bands(file("out.tif")).values, scores_.values, 0);
    EXPECT_EQ(tool("gdal raster lof --quiet " + raster + out).exit_code, 1) << "the file is there";
    const CommandResult max =
        tool("gdal raster lof --quiet --overwrite --product lof_max --neighbors 5 --co COMPRESS=DEFLATE " +
             raster + out);
    ASSERT_EQ(max.exit_code, 0) << max.output;
    EXPECT_EQ(read_bands(file("out.tif")).values,
              read_bands("RASTERTIDE:" + raster_ + "?product=lof_max&neighbors=5").values);
    const CommandResult wrong = tool("gdal raster lof --quiet --overwrite --patch 4 " + raster + out);
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_NE(wrong.output.find("patch"), std::string::npos) << wrong.output;
    ASSERT_EQ(run(utility("rastertide_kmeans") + " -q -k 3 -max_iter 3 -o " +
                  testing_support::quoted(file("clusters")) + " " + raster)
                  .exit_code,
              0);
    const CommandResult labels =
        tool("gdal raster kmeans --quiet --overwrite --model " +
             testing_support::quoted(file("clusters/centers.json")) + " " + raster + out);
    ASSERT_EQ(labels.exit_code, 0) << labels.output;
    EXPECT_EQ(read_bands(file("out.tif")).values, read_bands(file("clusters/labels.vrt")).values);
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(GdalTools, LazyFilesNameRelativeInputsWhereverTheyAreReadFrom) {
    const std::string in_folder = "cd " + testing_support::quoted(folder_.path()) + " && ";
    ASSERT_EQ(
        run(in_folder + utility("rastertide_simulate") + " -q -n_dates 12 -outsize 40 40 -o s.h5").exit_code,
        0);
    for (const std::string input : {"s.h5", "HDF5:\"s.h5\"://data", "HDF5:s.h5://data"}) {
        const CommandResult lof = run(in_folder + utility("rastertide_lof") +
                                      " -q -overwrite -lazy -o lazy " + testing_support::quoted(input));
        ASSERT_EQ(lof.exit_code, 0) << lof.output;
        const CommandResult info =
            tool("gdalinfo " + testing_support::quoted(file("lazy/lof_lazy.rastertide")));
        EXPECT_EQ(info.exit_code, 0) << info.output;
        EXPECT_NE(info.output.find("Size is 40, 40"), std::string::npos) << info.output;
    }
}
#endif

TEST_F(GdalTools, LazyLabelsAreThoseOfTheRun) {
    const CommandResult result =
        run(utility("rastertide_kmeans") + " -q -k 4 -max_iter 5 -lazy -o " +
            testing_support::quoted(file("out")) + " " + testing_support::quoted(raster_));
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const Bands labels = read_bands(file("out/labels.vrt"));
    for (const std::string& source : {testing_support::quoted(file("out/labels_lazy.vrt")),
                                      lazy("product=labels&model=" + file("out/centers.json"))}) {
        const CommandResult copied =
            tool("gdal_translate -q " + source + " " + testing_support::quoted(file("labels.tif")));
        ASSERT_EQ(copied.exit_code, 0) << copied.output;
        EXPECT_EQ(read_bands(file("labels.tif")).values, labels.values) << source;
    }
}

}  // namespace
}  // namespace rastertide
