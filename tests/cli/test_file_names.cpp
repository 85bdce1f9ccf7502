// SPDX-License-Identifier: Apache-2.0
// Names that shells, XML, JSON or paths could trip over: runs work with them, and write nothing outside
// OUTDIR.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <cpl_minixml.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#ifdef RASTERTIDE_TEST_HDF5
#include "support/cf_file.hpp"
#endif
#include "support/command.hpp"
#include "support/rasters.hpp"
#include "support/run_folder.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::CommandResult;
using testing_support::json_of;
using testing_support::quoted;
using testing_support::read_bands;
using testing_support::run;
using testing_support::TempDir;
using testing_support::text_of;
using testing_support::utility;
using testing_support::write_bands;

constexpr int kDates = 8, kRows = 12, kCols = 16;

/// What lies at each path below a folder: kind, time, and text or target. But for one folder.
std::map<std::string, std::string> listing(const std::string& folder, const std::string& left_out) {
    std::map<std::string, std::string> found;
    for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::end(entry); ++entry) {
        const std::string path = entry->path().string();
        if (path == left_out) {
            entry.disable_recursion_pending();
            continue;
        }
        if (entry->is_symlink()) {
            found[path] = "-> " + fs::read_symlink(path).string();
        } else if (entry->is_regular_file()) {
            const auto time = fs::last_write_time(path).time_since_epoch().count();
            found[path] = std::to_string(time) + ": " + text_of(path);
        } else {
            found[path] = "folder";
        }
    }
    return found;
}

class FileNames : public testing::Test {
  protected:
    static Bands scene(int date, int n_bands = 1) {
        Bands bands{n_bands, kRows, kCols, {}};
        for (int i = 0; i < n_bands * kRows * kCols; ++i)
            bands.values.push_back(static_cast<float>((i * 37 + date * date * 11) % 101));
        return bands;
    }

    /// A folder with a scene a date; names begin with `stem`.
    void make_stack(const std::string& folder, const std::string& stem, int n_bands = 1) const {
        fs::create_directories(folder);
        for (int date = 0; date < kDates; ++date)
            write_bands(folder + "/" + stem + "_2020-01-0" + std::to_string(date + 1) + ".tif",
                        scene(date, n_bands));
    }

    static std::string lof() { return utility("rastertide_lof") + " -q -patch 3 -neighbors 5 "; }
    static std::string kmeans() { return utility("rastertide_kmeans") + " -q -patch 3 "; }
    std::string outdir() const { return dir_.file("out"); }
    std::string to_outdir() const { return "-o " + quoted(outdir()) + " "; }

    static void expect_done(const std::string& command) {
        const CommandResult result = run(command);
        EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.output;
    }

    /// Runs a command that may fail in good order; nothing outside OUTDIR is made, changed or removed.
    void expect_nothing_outside(const std::string& command) const {
        const auto before = listing(dir_.path(), outdir());
        const CommandResult result = run(command);
        EXPECT_LE(result.exit_code, 2) << command << "\n" << result.output;
        EXPECT_EQ(listing(dir_.path(), outdir()), before) << command << "\n" << result.output;
    }
    void expect_done_inside(const std::string& command) const {
        expect_nothing_outside(command);
        EXPECT_TRUE(fs::exists(outdir() + "/summary.json")) << command;
    }

    /// Every file of a run opens as what it is; of lazy labels GDAL reads the pixels alone, without the
    /// plugin.
    static void expect_files_open(const std::string& folder) {
        std::size_t n_opened = 0;
        for (const auto& entry : fs::directory_iterator(folder)) {
            const std::string path = entry.path().string();
            const std::string kind = entry.path().extension().string();
            n_opened +=
                kind == ".json" || kind == ".tif" || kind == ".qml" || kind == ".svg" || kind == ".vrt";
            if (kind == ".json") {
                EXPECT_FALSE(json_of(path).is_discarded()) << path;
            } else if (kind == ".vrt" || kind == ".tif") {
                const GDALDatasetUniquePtr raster(GDALDataset::Open(path.c_str()));
                EXPECT_NE(raster, nullptr) << path;
                if (!entry.path().filename().string().starts_with("labels_lazy")) {
                    EXPECT_FALSE(read_bands(path).values.empty()) << path;
                }
            } else if (kind == ".qml" || kind == ".svg") {
                CPLXMLNode* tree = CPLParseXMLString(text_of(path).c_str());
                EXPECT_NE(tree, nullptr) << path;
                CPLDestroyXMLNode(tree);
            }
        }
        EXPECT_GT(n_opened, 4U) << folder;
    }

    TempDir dir_;
};

class OddNames : public FileNames, public testing::WithParamInterface<const char*> {
  protected:
    std::string name() const { return GetParam(); }
    std::string folder() const { return dir_.file(name()); }

    /// Of the same scenes under plain names.
    Bands expected(const std::string& command, const std::string& product) const {
        const std::string out = dir_.file("plain_out");
        expect_done(command + " -o " + quoted(out) + " " + quoted(dir_.file("plain")));
        Bands bands = read_bands(out + "/" + product);
        fs::remove_all(out);
        return bands;
    }

    void SetUp() override {
        make_stack(dir_.file("plain"), "a");
        make_stack(folder(), name());
    }
};

TEST_P(OddNames, OfScenesMasksDatesAndOutputs) {
    const std::string mask = dir_.file(name() + ".tif");
    write_bands(mask, {1, kRows, kCols, std::vector<float>(kRows * kCols, 1)}, GDT_Byte);
    const std::string dates = dir_.file(name() + ".txt");
    for (int date = 0; date < kDates; ++date)
        std::ofstream(dates, std::ios::app) << "2020-01-0" << date + 1 << "\n";
    const std::string out = dir_.file("out " + name());
    const Bands lof_plain = expected(lof(), "anomaly.vrt");

    expect_done(lof() + "-mask " + quoted(mask) + " -dates " + quoted(dates) + " -of GTiff -o " +
                quoted(out) + " " + quoted(folder()));

    expect_files_open(out);
    EXPECT_EQ(read_bands(out + "/anomaly.vrt").values, lof_plain.values);
    EXPECT_EQ(read_bands(out + "/anomaly.tif").values, lof_plain.values);
    const nlohmann::json record = json_of(out + "/run.json");
    EXPECT_EQ(record.at("scenes")[3].at("mask"), mask);
    EXPECT_EQ(record.at("scenes")[3].at("name"), folder() + "/" + name() + "_2020-01-04.tif");
    expect_done(lof() + "-mask " + quoted(mask) + " -dates " + quoted(dates) + " -of GTiff -resume -o " +
                quoted(out) + " " + quoted(folder()));
}

TEST_P(OddNames, AreDatedByThemselves) {
    const CommandResult info = run(utility("rastertide_info") + " -json " + quoted(folder()));
    ASSERT_EQ(info.exit_code, 0) << info.output;
    EXPECT_EQ(nlohmann::json::parse(info.output).at("scenes")[3].at("date"), "2020-01-04");
}

TEST_P(OddNames, OfModelsAndStarts) {
    const std::string out = dir_.file("out " + name());
    const Bands plain = expected(kmeans() + "-k 3", "labels.vrt");
    expect_done(kmeans() + "-k 3 -lazy -o " + quoted(out) + " " + quoted(folder()));
    expect_files_open(out);
    EXPECT_EQ(read_bands(out + "/labels.vrt").values, plain.values);
    EXPECT_EQ(read_bands(out + "/labels_lazy_pixels.vrt").n_cols, kCols);

    const std::string model = dir_.file(name() + ".json");
    fs::copy(out + "/centers.json", model);
    expect_done(kmeans() + "-model " + quoted(model) + " -overwrite -o " + quoted(out) + " " +
                quoted(folder()));
    EXPECT_EQ(read_bands(out + "/labels.vrt").values, plain.values);
    expect_done(kmeans() + "-k 3 -init " + quoted(model) + " -overwrite -o " + quoted(out) + " " +
                quoted(folder()));
}

TEST_P(OddNames, InErrorsAreOneLine) {
    const CommandResult result = run(lof() + to_outdir() + quoted(dir_.file("absent " + name())));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
}

INSTANTIATE_TEST_SUITE_P(All, OddNames,
                         testing::Values("it's a \"b\" <c> & d",
                                         "\xc3\xa4\xc3\xb6\xc3\xbc 100%20 %s #1?a=b;c", "-dash",
                                         "line\nend\\ $HOME `id` {x}[y]*,z:"));

TEST_F(FileNames, ThatBeginWithADashAreInputsAfterTwoDashes) {
    make_stack(dir_.file("-stack"), "-a");
    expect_done("cd " + quoted(dir_.path()) + " && " + lof() + "-o -out -- -stack");
    expect_files_open(dir_.file("-out"));
}

TEST_F(FileNames, OfBandsAreTextsOnly) {
    const std::string stack = dir_.file("stack");
    make_stack(stack, "a", 2);
    for (const auto& entry : fs::directory_iterator(stack)) {
        const GDALDatasetUniquePtr file(GDALDataset::Open(entry.path().c_str(), GDAL_OF_UPDATE));
        file->GetRasterBand(1)->SetDescription("../../evil");
        file->GetRasterBand(2)->SetDescription("/tmp/<evil> & \"'\n");
    }

    expect_done_inside(kmeans() + "-k 2 -b 1 -b 2 " + to_outdir() + quoted(stack));

    expect_files_open(outdir());
    const nlohmann::json model = json_of(outdir() + "/centers.json");
    EXPECT_EQ(model.at("band_names"), nlohmann::json({"../../evil", "/tmp/<evil> & \"'\n"}));
    const GDALDatasetUniquePtr centers(GDALDataset::Open((outdir() + "/centers.tif").c_str()));
    EXPECT_STREQ(centers->GetRasterBand(1)->GetDescription(), "cluster 1, ../../evil");
}

TEST_F(FileNames, InVrtsLeadToReadingOnly) {
    make_stack(dir_.file("stack"), "a");
    fs::create_directories(dir_.file("vrt/deep"));
    std::string bands;
    for (int date = 1; date <= kDates; ++date) {
        bands += "<VRTRasterBand dataType=\"Float32\" band=\"" + std::to_string(date) +
                 "\"><Description>../../../evil_2020-01-0" + std::to_string(date) +
                 "</Description><SimpleSource><SourceFilename relativeToVRT=\"1\">../../stack/a_2020-01-0" +
                 std::to_string(date) +
                 ".tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>";
    }
    std::ofstream(dir_.file("vrt/deep/a.vrt"))
        << "<VRTDataset rasterXSize=\"16\" rasterYSize=\"12\">" << bands << "</VRTDataset>";
    for (const std::string& command : {lof(), kmeans() + "-k 2 "}) {
        fs::remove_all(outdir());
        expect_done_inside(command + to_outdir() + quoted(dir_.file("vrt/deep/a.vrt")));
        expect_files_open(outdir());
    }
}

#ifdef RASTERTIDE_TEST_HDF5
TEST_F(FileNames, OfDatasetsWithDotsAreTextsOnly) {
    const std::string path = dir_.file("a.h5");
    Bands all{kDates, kRows, kCols, {}};
    for (int date = 0; date < kDates; ++date) {
        const Bands one = scene(date);
        all.values.insert(all.values.end(), one.values.begin(), one.values.end());
    }
    {
        const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        for (const char* group : {"..", "../.."})
            H5Gclose(H5Gcreate2(file, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        for (const char* name : {"../../evil", "../../<b>&\"'"})
            testing_support::write_hdf5_dataset<3>(file, name, {kDates, kRows, kCols}, all.values,
                                                   H5T_NATIVE_FLOAT);
        H5Fclose(file);
    }
    const std::string both = "-dataset ../../evil -dataset " + quoted("../../<b>&\"'") + " ";
    for (const std::string& command :
         {lof() + "-dataset ../../evil ", lof() + both, kmeans() + "-k 2 " + both}) {
        fs::remove_all(outdir());
        expect_done_inside(command + to_outdir() + quoted(path));
        expect_files_open(outdir());
    }
}

TEST_F(FileNames, WithQuotesOfHdf5FilesAreRead) {
    const std::string path = dir_.file("a \"b\".h5");
    Bands all{kDates, kRows, kCols, {}};
    for (int i = 0; i < kDates * kRows * kCols; ++i) all.values.push_back(static_cast<float>((i * 37) % 101));
    testing_support::write_hdf5_stack(path, all, H5T_NATIVE_FLOAT);
    expect_done(lof() + to_outdir() + quoted(path));
    const CommandResult lazy =
        run(kmeans() + "-k 2 -lazy -o " + quoted(dir_.file("lazy")) + " " + quoted(path));
    EXPECT_EQ(lazy.exit_code, 1);
    EXPECT_NE(lazy.output.find("GDAL alone does not read"), std::string::npos) << lazy.output;
}
#endif

TEST_F(FileNames, InAModelAreTextsOnly) {
    make_stack(dir_.file("stack"), "a");
    std::ofstream(dir_.file("m.json"))
        << R"({"patch": 1, "bands": 1, "k": 2, "software": "../../x", "path": "/tmp/x",)"
        << R"("band_names": ["../../<x>&\"'\n\u0000y"], "centers": [[0], [50]]})";
    expect_done_inside(utility("rastertide_kmeans") + " -q -model " + quoted(dir_.file("m.json")) + " " +
                       to_outdir() + quoted(dir_.file("stack")));
    expect_files_open(outdir());
}

/// OUTDIR holds a run whose run.json anybody may have written.
class OverwriteOf : public FileNames {
  protected:
    void SetUp() override {
        make_stack(dir_.file("stack"), "a");
        expect_done(command(""));
        for (const char* name :
             {"x.tif", "x.vrt", "x.aux.xml", "lof.vrt", "victim/t_0000_0000.tif", "tiles/lof/t_0000_0000.tif",
              "tiles/x/t_0000_0000.tif", "victim/a.tmp1.tif"}) {
            fs::create_directories(fs::path(dir_.file(name)).parent_path());
            std::ofstream(dir_.file(name)) << "mine";
        }
    }
    std::string command(const std::string& more) const {
        return lof() + "-tile 16 12 " + more + " " + to_outdir() + quoted(dir_.file("stack"));
    }
};

TEST_F(OverwriteOf, ARecordWithDotsRemovesNothingOutside) {
    const std::string record = outdir() + "/run.json";
    const nlohmann::json good = json_of(record);
    for (const std::string name : {"../x", "../../x", "/tmp/x", "../victim", ".."}) {
        nlohmann::json bad = good;
        bad["products"] = {name, "../../" + name};
        bad["files"] = {name + ".tif", "../lof.vrt"};
        bad["of"] = bad["options"]["of"] = name;
        bad["options"]["outdir"] = "..";
        bad["scenes"][0]["name"] = name;
        std::ofstream(record) << bad.dump();
        expect_nothing_outside(command("-resume"));
        expect_nothing_outside(command("-overwrite"));
    }
    std::ofstream(record) << good.dump();
    expect_done_inside(command("-overwrite"));
}

TEST_F(OverwriteOf, LinksAreRemovedNotFollowed) {
    fs::remove_all(outdir() + "/tiles/lof");
    fs::create_directory_symlink(dir_.file("victim"), outdir() + "/tiles/lof");
    fs::remove(outdir() + "/lof.vrt");
    fs::create_symlink(dir_.file("x.vrt"), outdir() + "/lof.vrt");
    fs::remove(outdir() + "/per_date.csv");
    fs::create_symlink(dir_.file("x.tif"), outdir() + "/per_date.csv");
    expect_done_inside(command("-overwrite"));
    fs::remove_all(outdir() + "/tiles");
    fs::create_directory_symlink(dir_.file("tiles"), outdir() + "/tiles");
    expect_done_inside(command("-overwrite"));
    expect_files_open(outdir());
}

}  // namespace
}  // namespace rastertide
