// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <gtest/gtest.h>

#include "read/cf_time.hpp"

namespace rastertide {
namespace {

std::string iso(double value, const std::string& units, const std::string& calendar = "") {
    const auto date = date_from_cf_time(value, units, calendar);
    return date ? date->iso() : "none";
}

TEST(CfTime, UnitsOfFixedLength) {
    EXPECT_EQ(iso(18262, "days since 1970-01-01"), "2020-01-01");
    EXPECT_EQ(iso(36, "hours since 2020-01-01"), "2020-01-02T12:00:00Z");
    EXPECT_EQ(iso(1, "seconds since 2020-01-01"), "2020-01-01T00:00:01Z");
    EXPECT_EQ(iso(1, "months since 2020-01-01"), "none");
}

struct EpochCase {
    const char* epoch;
    const char* expected;  ///< a day later
};

class Epochs : public testing::TestWithParam<EpochCase> {};

TEST_P(Epochs, AreReadWhole) {
    EXPECT_EQ(iso(1, std::string("days since ") + GetParam().epoch), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    CfTime, Epochs,
    testing::Values(
        EpochCase{"1970-01-01", "1970-01-02"}, EpochCase{"1970-1-1", "1970-01-02"},
        EpochCase{"19700101", "1970-01-02"}, EpochCase{"1970-01-01 6:00:00", "1970-01-02T06:00:00Z"},
        EpochCase{"1970-1-1 12:00:00", "1970-01-02T12:00:00Z"},
        EpochCase{"1970-01-01 00:00 +2", "1970-01-01T22:00:00Z"},
        EpochCase{"1970-01-01 00:00 +02:00", "1970-01-01T22:00:00Z"},
        EpochCase{"1970-01-01 00:00:00-0330", "1970-01-02T03:30:00Z"},
        EpochCase{"1970-01-01T00:00:00Z", "1970-01-02"}, EpochCase{"1970-01-01 00:00:00 UTC", "1970-01-02"},
        EpochCase{"1970-01-01 00:00:00.0", "1970-01-02"}, EpochCase{"1970-01-01 0:0:0 0:00", "1970-01-02"},
        EpochCase{"1970-01-01 00:00:00.6", "1970-01-02T00:00:01Z"},
        EpochCase{"1970-01-01 24:00:00", "1970-01-03"}, EpochCase{"1970-01-01 noon", "none"},
        EpochCase{"1970-01-01 00:00 CET", "none"}, EpochCase{"1970-01-01 25:00", "none"},
        EpochCase{"1970-01-01 00:00 +", "none"}, EpochCase{"1970-13-01", "none"},
        EpochCase{"1970-01", "none"}, EpochCase{"", "none"}));

TEST(CfTime, AFractionOfTheEpochIsNotLost) {
    EXPECT_EQ(iso(0.5, "seconds since 2020-01-01 00:00:00.5"), "2020-01-01T00:00:01Z");
}

TEST(CfTime, OtherCalendarsAndValuesAreNotUnderstood) {
    EXPECT_EQ(iso(0, "days since 2020-01-01", "proleptic_gregorian"), "2020-01-01");
    EXPECT_EQ(iso(0, "days since 2020-01-01", "360_day"), "none");
    EXPECT_EQ(iso(std::numeric_limits<double>::quiet_NaN(), "days since 2020-01-01"), "none");
    EXPECT_EQ(iso(1e30, "days since 2020-01-01"), "none");
}

}  // namespace
}  // namespace rastertide
