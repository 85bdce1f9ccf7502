// SPDX-License-Identifier: Apache-2.0
// Every bad input: its exit code and its message, one line that says what, where, found, expected.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/command.hpp"
#include "support/rasters.hpp"
#include "support/temp_dir.hpp"

namespace rastertide {
namespace {

namespace fs = std::filesystem;
using testing_support::Bands;
using testing_support::CommandResult;
using testing_support::quoted;
using testing_support::run;
using testing_support::TempDir;
using testing_support::utility;
using testing_support::write_bands;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

class BadInput : public testing::Test {
  protected:
    static Bands scene(int n_rows = 20, int n_cols = 30) {
        Bands bands{1, n_rows, n_cols, {}};
        for (int i = 0; i < n_rows * n_cols; ++i) bands.values.push_back(static_cast<float>((i * 37) % 101));
        return bands;
    }

    /// A folder of n_dates scenes.
    std::string stack(int n_dates, int n_rows = 20, int n_cols = 30) {
        const std::string folder = dir_.file("stack");
        fs::create_directories(folder);
        for (int date = 1; date <= n_dates; ++date) {
            Bands bands = scene(n_rows, n_cols);
            for (float& value : bands.values) value += static_cast<float>(date % 5);
            write_bands(folder + "/" + scene_name(date), bands);
        }
        return folder;
    }

    static std::string scene_name(int date) {
        return "s_202001" + std::string(date < 10 ? "0" : "") + std::to_string(date) + ".tif";
    }

    std::string lof(const std::string& arguments) const {
        return utility("rastertide_lof") + " -o " + quoted(dir_.file("out")) + " " + arguments;
    }

    /// The command fails with that code and one line that holds all the words.
    static void expect_error(const std::string& command, int exit_code,
                             const std::vector<std::string>& words) {
        const CommandResult result = run(command);
        EXPECT_EQ(result.exit_code, exit_code) << result.output;
        EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
        EXPECT_NE(result.output.find(": error: "), std::string::npos) << result.output;
        for (const std::string& word : words) {
            EXPECT_NE(result.output.find(word), std::string::npos)
                << "no '" << word << "' in: " << result.output;
        }
    }

    TempDir dir_;
};

TEST_F(BadInput, NoSuchFile) {
    expect_error(lof(quoted(dir_.file("absent.tif"))), kFailed, {dir_.file("absent.tif"), "No such file"});
}

TEST_F(BadInput, ConnectionStringOfNoSuchFile) {
    for (const std::string name : {"HDF5:\"nosuch.h5\"://data", "NETCDF:nosuch.nc:data"}) {
        expect_error(lof(quoted(name)), kFailed, {"'nosuch.", "no such file"});
    }
}

TEST_F(BadInput, NotARaster) {
    std::ofstream(dir_.file("notes.tif")) << "only words";
    expect_error(lof(quoted(dir_.file("notes.tif"))), kFailed,
                 {dir_.file("notes.tif"), "not recognized as a supported file format"});
}

TEST_F(BadInput, FolderWithoutRasters) {
    fs::create_directories(dir_.file("empty"));
    expect_error(lof(quoted(dir_.file("empty"))), kFailed, {dir_.file("empty"), "holds no raster"});
}

TEST_F(BadInput, AnEmptyOrDamagedFileAmongAFoldersRasters) {
    const std::string folder = stack(12);
    for (const std::string content : {"", "II"}) {
        std::ofstream(folder + "/" + scene_name(5)) << content;
        expect_error(lof(quoted(folder)), kFailed,
                     {folder + "/" + scene_name(5), std::to_string(content.size()) + " bytes", ".tif"});
    }
}

TEST_F(BadInput, TruncatedGeoTiff) {
    const std::string folder = stack(12, 200, 300);
    const std::string cut = folder + "/" + scene_name(7);
    fs::resize_file(cut, fs::file_size(cut) / 2);
    expect_error(lof(quoted(folder)), kFailed, {cut, "cannot read"});
    EXPECT_FALSE(fs::exists(dir_.file("out/summary.json")));
}

TEST_F(BadInput, OneDateOnly) {
    expect_error(lof(quoted(stack(1))), kFailed, {"needs at least 11 dates", "has 1"});
}

TEST_F(BadInput, NotMoreDatesThanNeighbors) {
    expect_error(lof("-neighbors 12 " + quoted(stack(12))), kFailed,
                 {"neighbors 12", "at least 13 dates", "has 12"});
}

TEST_F(BadInput, EvenPatch) {
    expect_error(lof("-patch 6 " + quoted(stack(12))), kUsage, {"patch is 6", "must be odd, 1 to 31"});
}

TEST_F(BadInput, PatchLargerThanTheRaster) {
    expect_error(lof("-patch 21 " + quoted(stack(12))), kFailed,
                 {"patch 21", "larger than the raster", "30 x 20"});
}

TEST_F(BadInput, ComplexType) {
    write_bands(dir_.file("slc.tif"), scene(), GDT_CFloat32);
    expect_error(lof(quoted(dir_.file("slc.tif"))), kFailed,
                 {dir_.file("slc.tif"), "complex type CFloat32", "DERIVED_SUBDATASET:AMPLITUDE"});
}

TEST_F(BadInput, MismatchingSizes) {
    const std::string folder = stack(12);
    write_bands(folder + "/" + scene_name(5), scene(20, 31));
    expect_error(lof(quoted(folder)), kFailed, {scene_name(5), "size 31 x 20", "expected 30 x 20"});
}

TEST_F(BadInput, OutdirInTheWayOfAFile) {
    std::ofstream(dir_.file("out")) << "mine";
    expect_error(lof(quoted(stack(12))), kFailed, {dir_.file("out")});
    EXPECT_EQ(fs::file_size(dir_.file("out")), 4U);
}

TEST_F(BadInput, UnwritableOutdir) {
    // Not even root makes a folder under /proc.
    expect_error(utility("rastertide_lof") + " -o /proc/rastertide " + quoted(stack(12)), kFailed,
                 {"/proc/rastertide", "cannot"});
}

TEST_F(BadInput, NonEmptyOutdir) {
    fs::create_directories(dir_.file("out"));
    std::ofstream(dir_.file("out/thesis.txt")) << "mine";
    expect_error(lof(quoted(stack(12))), kFailed, {dir_.file("out"), "not empty"});
    expect_error(lof("-overwrite " + quoted(stack(12))), kFailed, {dir_.file("out")});
    EXPECT_EQ(fs::file_size(dir_.file("out/thesis.txt")), 4U);
}

TEST_F(BadInput, FullDisk) {
    const std::string folder = stack(30, 120, 100);
    const std::string mount = dir_.file("small");
    fs::create_directories(mount);
    if (run("mount -t tmpfs -o size=1m tmpfs " + quoted(mount)).exit_code != 0) {
        GTEST_SKIP() << "mounting a small tmpfs needs root";
    }
    expect_error(
        utility("rastertide_lof") + " -co COMPRESS=NONE -o " + quoted(mount + "/out") + " " + quoted(folder),
        kFailed, {mount + "/out", "No space left on device"});
    EXPECT_FALSE(fs::exists(mount + "/out/summary.json"));
    run("umount " + quoted(mount));
}

TEST_F(BadInput, UnknownOption) {
    expect_error(lof("-neighbours 12 x.tif"), kUsage, {"-neighbours", "-neighbors"});
}

TEST_F(BadInput, MissingValue) { expect_error(lof("x.tif -patch"), kUsage, {"-patch"}); }

TEST_F(BadInput, NotANumber) {
    expect_error(lof("-patch seven x.tif"), kUsage, {"-patch 'seven'", "whole number"});
}

TEST_F(BadInput, UselessOptionsAreFoundBeforeAFileIsOpened) {
    expect_error(lof("-date_regex '([0-9]' absent.tif"), kUsage, {"-date_regex '([0-9]'"});
    expect_error(lof("-a_srs EPSG:junk absent.tif"), kUsage, {"-a_srs 'EPSG:junk'"});
    expect_error(lof("-a_ullr 0 0 0 5 absent.tif"), kUsage, {"-a_ullr", "no area"});
    expect_error(lof("-a_ullr 0 0 nan 5 absent.tif"), kUsage, {"-a_ullr", "not finite"});
    expect_error(lof("-a_ullr 0 0 inf 5 absent.tif"), kUsage, {"-a_ullr", "not finite"});
}

TEST_F(BadInput, ADateRegexThatFindsNoDate) {
    expect_error(lof("-date_regex 'x([0-9]{8})' " + quoted(stack(12))), kFailed,
                 {scene_name(1), "-date_regex 'x([0-9]{8})'", "file name"});
}

TEST_F(BadInput, ABinaryFileForDatesIsNotEchoed) {
    std::ofstream(dir_.file("dates.bin"), std::ios::binary) << "\x7f"
                                                               "ELF\x01"
                                                            << std::string(500, '\xff');
    expect_error(lof("-dates " + quoted(dir_.file("dates.bin")) + " " + quoted(stack(12))), kFailed,
                 {"line 1: '?ELF?" + std::string(35, '?') + "...'", "holds no date"});
}

TEST_F(BadInput, UnknownThreshold) {
    expect_error(lof("-threshold median:2 x.tif"), kUsage, {"median:2", "sigma", "quantile", "value"});
}

TEST_F(BadInput, NoInput) { expect_error(lof(""), kUsage, {"no input"}); }

TEST_F(BadInput, NoOutput) {
    expect_error(utility("rastertide_lof") + " x.tif", kUsage, {"no output", "-o"});
}

TEST_F(BadInput, ATypeThatScoresDoNotFit) {
    expect_error(lof("-ot Int16 x.tif"), kUsage, {"-ot 'Int16'", "Float32 or Float64"});
}

TEST_F(BadInput, NodataThatAScoreCouldHave) {
    expect_error(lof("-a_nodata 1 " + quoted(stack(12))), kFailed, {"a_nodata is 1", "NaN, 0 or a negative"});
}

TEST_F(BadInput, UnknownFormatIsNamedBeforeTheWork) {
    expect_error(lof("-of GTif " + quoted(stack(12))), kUsage, {"GTif"});
    EXPECT_FALSE(fs::exists(dir_.file("out")));
}

TEST_F(BadInput, NoCudaModule) {
    expect_error(
        "RASTERTIDE_CUDA_MODULE=/none.so " + lof("-device cuda " + quoted(stack(12))), kFailed,
        {"the cuda backend cannot be used: RASTERTIDE_CUDA_MODULE names '/none.so', which does not exist"});
    EXPECT_FALSE(fs::exists(dir_.file("out")));
}

TEST_F(BadInput, TooLittleMemory) {
    expect_error(lof("-mem 50MB " + quoted(stack(12))), kFailed, {"-mem 50 MB", "at least"});
}

TEST_F(BadInput, SomeScenesWithoutADate) {
    const std::string folder = stack(12);
    fs::rename(folder + "/" + scene_name(3), folder + "/nodate.tif");
    expect_error(lof(quoted(folder)), kFailed, {"nodate.tif", "date"});
}

#ifdef RASTERTIDE_TEST_HDF5
class BadHdf5 : public BadInput {
  protected:
    std::string stack() const {
        const std::string path = dir_.file("stack.h5");
        const CommandResult made =
            run(utility("rastertide_simulate") + " -q -n_dates 12 -outsize 200 150 -o " + quoted(path));
        EXPECT_EQ(made.exit_code, 0) << made.output;
        return path;
    }
};

TEST_F(BadHdf5, TruncatedFile) {
    const std::string path = stack();
    fs::resize_file(path, fs::file_size(path) / 2);
    expect_error(lof(quoted(path)), kFailed, {path, "truncated"});
}

TEST_F(BadHdf5, MissingDataset) {
    expect_error(lof("-dataset sigma0 " + quoted(stack())), kFailed, {"stack.h5", "sigma0", "data"});
}

TEST_F(BadHdf5, TwoDimensionalDataset) {
    expect_error(lof("-dataset x " + quoted(stack())), kFailed,
                 {"stack.h5", "'x'", "dimension", "expected 3"});
}
#endif

#ifdef RASTERTIDE_TEST_MPI
TEST_F(BadInput, OneRanksErrorEndsAllRanksWithOneMessage) {
    const std::string folder = stack(12, 300, 64);
    const std::string cut = folder + "/" + scene_name(7);
    fs::resize_file(cut, fs::file_size(cut) * 3 / 4);
    const CommandResult result = run(testing_support::mpirun(3) + lof("-tile 64 16 -j 1 " + quoted(folder)));
    EXPECT_EQ(result.exit_code, kFailed) << result.output;
    std::size_t n_messages = 0;
    for (std::size_t at = result.output.find(": error: "); at != std::string::npos;
         at = result.output.find(": error: ", at + 1)) {
        ++n_messages;
    }
    EXPECT_EQ(n_messages, 1U) << result.output;
    EXPECT_NE(result.output.find(scene_name(7)), std::string::npos) << result.output;
}
#endif

class BadKMeansInput : public BadInput {
  protected:
    std::string kmeans(const std::string& arguments) const {
        return utility("rastertide_kmeans") + " -o " + quoted(dir_.file("out")) + " " + arguments;
    }
    /// Labels the stack with a model of this text.
    std::string with_model(const std::string& text, const std::string& options = "") {
        std::ofstream(dir_.file("model.json")) << text;
        return kmeans(options + " -model " + quoted(dir_.file("model.json")) + " " + quoted(stack(2)));
    }
};

TEST_F(BadKMeansInput, MoreClustersThanPatches) {
    expect_error(kmeans("-k 700 " + quoted(stack(2))), kFailed, {"-k 700", "has 672 patches without nodata"});
}

TEST_F(BadKMeansInput, NumbersOfClusters) {
    for (const char* k : {"0", "-3", "many", "2.5", "2:", ":4", "2:x", "2:3:4", "99999999999999999999"})
        expect_error(kmeans(std::string("-k ") + k + " " + quoted(stack(2))), kUsage,
                     {std::string("-k ") + k, "expected a number of clusters"});
    expect_error(kmeans("-k 5:2 " + quoted(stack(2))), kUsage, {"-k 5:2", "MIN not above MAX"});
    expect_error(kmeans("-k 65535 " + quoted(stack(2))), kUsage, {"-k 65535", "1 to 65534"});
}

TEST_F(BadKMeansInput, OptionsOutOfRange) {
    const std::string scenes = quoted(stack(2));
    for (const char* option : {"-n_init 0", "-max_iter 0", "-parts 0", "-tol -1", "-tol nan", "-seed -1",
                               "-parts 99999999", "-n_init 99999999"})
        expect_error(kmeans(option + (" " + scenes)), kUsage, {option});
    expect_error(kmeans("-patch 4 " + scenes), kUsage, {"-patch 4", "odd"});
    expect_error(kmeans("-patch 0 " + scenes), kUsage, {"-patch 0", "odd"});
    expect_error(kmeans("-algorithm elkan " + scenes), kUsage, {"elkan", "batch-parallel"});
    expect_error(kmeans("-features dates " + scenes), kUsage, {"dates", "patch or time"});
    expect_error(kmeans("-features time -patch 3 " + scenes), kUsage, {"-patch 3", "-features time"});
    expect_error(kmeans("-algorithm minibatch -init random " + scenes), kUsage,
                 {"-init random", "minibatch"});
    expect_error(kmeans("-lazy -scale db " + scenes), kUsage, {"-lazy", "-scale linear"});
}

TEST_F(BadKMeansInput, AnInitThatIsNoWordAndNoFile) {
    expect_error(kmeans("-init kmeans " + quoted(stack(2))), kUsage,
                 {"'kmeans'", "no such file", "kmeans++"});
}

TEST_F(BadKMeansInput, FitOptionsWithAModel) {
    expect_error(kmeans("-k 3 -model m.json " + quoted(stack(2))), kUsage, {"-k", "not with -model"});
}

TEST_F(BadKMeansInput, AModelThatDoesNotFit) {
    const std::string one = R"({"patch": 1, "bands": 1, "k": 1, "centers": [[0]]})";
    expect_error(with_model(one, "-patch 3"), kFailed, {"model.json", "-patch is 1", "has 3"});
    expect_error(with_model(one, "-scale db"), kFailed, {"model.json", "-scale is linear", "has db"});
    expect_error(with_model(R"({"patch": 1, "bands": 2, "k": 1, "centers": [[0, 0]]})"), kFailed,
                 {"model.json", "number of bands is 2", "has 1"});
    expect_error(with_model(R"({"patch": 1, "bands": 1, "k": 1, "features": "time", "centers": [[0]]})"),
                 kFailed, {"model.json", "number of bands is 1", "has 2"});
    EXPECT_FALSE(fs::exists(dir_.file("out")));
}

TEST_F(BadKMeansInput, ACorruptModel) {
    expect_error(with_model("{\"patch\": 1, "), kFailed, {"model.json"});
    expect_error(with_model(""), kFailed, {"model.json"});
    expect_error(with_model(R"({"patch": 1, "bands": 1, "k": 2, "centers": [[0]]})"), kFailed,
                 {"model.json", "number of centers is 1", "expected 2"});
    expect_error(with_model(R"({"patch": 1, "bands": 1, "k": 1, "centers": [[NaN]]})"), kFailed,
                 {"model.json"});
    expect_error(with_model(R"({"patch": 1, "bands": 1, "k": 1, "centers": [[1e999]]})"), kFailed,
                 {"model.json"});
    expect_error(with_model(R"({"patch": 1, "bands": 1, "k": 1, "centers": [[1e30]]})"), kFailed,
                 {"model.json", "centers is 1e+30", "at most 1e17"});
    EXPECT_FALSE(fs::exists(dir_.file("out")));
}

TEST_F(BadKMeansInput, AStartWithAnotherNumberOfCenters) {
    std::ofstream(dir_.file("start.json")) << R"({"patch": 1, "bands": 1, "k": 1, "centers": [[0]]})";
    expect_error(kmeans("-k 2 -init " + quoted(dir_.file("start.json")) + " " + quoted(stack(2))), kFailed,
                 {"start.json", "-k is 1", "has 2"});
}

TEST_F(BadKMeansInput, AConstantRaster) {
    Bands constant = scene();
    std::fill(constant.values.begin(), constant.values.end(), 4.0F);
    write_bands(dir_.file("s_20200101.tif"), constant);
    expect_error(kmeans("-k 3 " + quoted(dir_.file("s_20200101.tif"))), kFailed,
                 {"every valid pixel is 4", "nothing to cluster"});
}

TEST_F(BadKMeansInput, NoValidPatch) {
    Bands nodata = scene();
    for (std::size_t i = 0; i < nodata.values.size(); i += 5)
        nodata.values[i] = std::numeric_limits<float>::quiet_NaN();
    write_bands(dir_.file("s_20200101.tif"), nodata);
    expect_error(kmeans("-k 3 " + quoted(dir_.file("s_20200101.tif"))), kFailed,
                 {"no patch of 7 x 7 valid pixels"});
}

TEST_F(BadKMeansInput, TruncatedGeoTiff) {
    const std::string folder = stack(3, 200, 300);
    const std::string cut = folder + "/" + scene_name(2);
    fs::resize_file(cut, fs::file_size(cut) / 2);
    expect_error(kmeans(quoted(folder)), kFailed, {cut, "cannot read"});
    EXPECT_FALSE(fs::exists(dir_.file("out/summary.json")));
}

}  // namespace
}  // namespace rastertide
