// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "common/args.hpp"
#include "common/lof_options.hpp"
#include "common/stack_options.hpp"
#include "support/temp_dir.hpp"

namespace rastertide::utils {
namespace {

const std::vector<OptionSpec> kOptions = {
    {"o", 1, "FILE", ""},
    {"overwrite", 0, "", ""},
    {"a_ullr", 4, "ulx uly lrx lry", ""},
    {"b", 1, "BAND", "", true},
    {"mem", 1, "SIZE", ""},
    {"patch", 1, "P", ""},
    {"config", 2, "KEY VALUE", "", true},
    {"optfile", 1, "FILE", ""},
};

Args parse(const std::vector<std::string>& words) { return Args::parse(kOptions, words); }

std::string usage_error(const std::vector<std::string>& words) {
    try {
        parse(words);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

TEST(Args, OneOrTwoDashesAreTheSame) {
    EXPECT_EQ(parse({"-o", "x"}).get("o"), "x");
    EXPECT_EQ(parse({"--o", "x"}).get("o"), "x");
}

TEST(Args, OptionsAreNotReadAsALetterWithItsValue) {
    const Args args = parse({"-overwrite", "in.tif"});

    EXPECT_TRUE(args.has("overwrite"));
    EXPECT_FALSE(args.has("o"));
    EXPECT_EQ(args.inputs(), std::vector<std::string>{"in.tif"});
}

TEST(Args, AnOptionTakesExactlyItsValuesAndNegativeOnesToo) {
    const Args args = parse({"-a_ullr", "-10.5", "50", "-9", "-49", "in.tif"});

    EXPECT_EQ(args.numbers("a_ullr"), (std::vector<double>{-10.5, 50, -9, -49}));
    EXPECT_EQ(args.inputs(), std::vector<std::string>{"in.tif"});
}

TEST(Args, RepeatableOptionsKeepTheirOrder) {
    const Args args = parse({"-b", "2", "in.tif", "-b", "1"});

    EXPECT_EQ(args.integers("b"), (std::vector<std::int64_t>{2, 1}));
}

TEST(Args, OtherOptionsAreTakenOnce) {
    EXPECT_EQ(usage_error({"-o", "a", "-o", "b"}), "option '-o' is given more than once");
}

TEST(Args, ATypoIsNamedWithItsNearestOption) {
    EXPECT_EQ(usage_error({"-pach", "7"}), "unknown option '-pach'; did you mean '-patch'?");
    EXPECT_EQ(usage_error({"-over"}), "unknown option '-over'; --help lists the options");
}

TEST(Args, MissingValuesAreCounted) {
    EXPECT_EQ(usage_error({"-a_ullr", "1", "2"}),
              "option '-a_ullr' needs ulx uly lrx lry: 2 of 4 values are there");
}

TEST(Args, TwoDashesAloneEndTheOptions) {
    EXPECT_EQ(parse({"--", "-o"}).inputs(), std::vector<std::string>{"-o"});
}

TEST(Args, ADashAloneAndNegativeNumbersAreInputs) {
    EXPECT_EQ(parse({"-", "-5", "-.5"}).inputs(), (std::vector<std::string>{"-", "-5", "-.5"}));
}

TEST(Args, OptfilesAreReadInPlace) {
    const testing_support::TempDir dir;
    std::ofstream(dir.file("options")) << "# a comment\n-o 'a b.tif'\n-b 3\n";

    const Args args = parse({"--optfile", dir.file("options"), "in.tif"});

    EXPECT_EQ(args.get("o"), "a b.tif");
    EXPECT_EQ(args.integers("b"), std::vector<std::int64_t>{3});
    EXPECT_NE(usage_error({"--optfile", dir.file("absent")}).find("absent"), std::string::npos);
}

TEST(Args, NumbersAreReadWhole) {
    EXPECT_EQ(parse({"-patch", "+7"}).integer("patch", 0), 7);
    EXPECT_THROW(parse({"-patch", "7x"}).integer("patch", 0), UsageError);
    EXPECT_THROW(parse({"-patch", "7.0"}).integer("patch", 0), UsageError);
    EXPECT_THROW(parse({"-patch", "99999999999999999999"}).integer("patch", 0), UsageError);
    EXPECT_TRUE(std::isnan(parse({"-patch", "nan"}).number("patch", 0)));
}

TEST(Args, SizesHaveBinaryUnits) {
    const auto bytes = [](const char* text) { return parse({"-mem", text}).bytes("mem", 0); };

    EXPECT_EQ(bytes("4GB"), std::int64_t{4} << 30);
    EXPECT_EQ(bytes("1.5g"), std::int64_t{3} << 29);
    EXPECT_EQ(bytes("512MiB"), 512 << 20);
    EXPECT_EQ(bytes("1000"), 1000);
    for (const char* bad : {"", "GB", "4 GB", "-1GB", "4XB", "1e30TB"})
        EXPECT_THROW(bytes(bad), UsageError) << bad;
}

TEST(Args, ABadSizeIsShownWhole) {
    try {
        parse({"-mem", "-1GB"}).bytes("mem", 0);
        FAIL() << "no error";
    } catch (const UsageError& error) {
        EXPECT_STREQ(error.what(), "-mem '-1GB': expected a size such as 512MB or 4GB");
    }
}

TEST(LofOptions, ATileHasTwoPositiveSizes) {
    const auto tile = [](const std::vector<std::string>& words) {
        return tile_size(Args::parse({{"tile", 2, "W H", ""}}, words));
    };
    EXPECT_EQ(tile({}).n_cols, 0);
    EXPECT_EQ(tile({"-tile", "64", "48"}).n_cols, 64);
    EXPECT_EQ(tile({"-tile", "64", "48"}).n_rows, 48);
    EXPECT_THROW(tile({"-tile", "64", "0"}), UsageError);
    EXPECT_THROW(tile({"-tile", "-64", "48"}), UsageError);
}

}  // namespace
}  // namespace rastertide::utils
