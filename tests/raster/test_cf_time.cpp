// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <gtest/gtest.h>

#include "read/cf_time.hpp"

namespace rastertide {
namespace {

std::string iso(double value, const std::string& units, const std::string& calendar = "") {
    const auto date = CfTime(units, calendar).date(value);
    return date ? date->iso() : "none";
}

TEST(CfTime, UnitsOfFixedLength) {
    EXPECT_EQ(iso(18262, "days since 1970-01-01"), "2020-01-01");
    EXPECT_EQ(iso(36, "hours since 2020-01-01"), "2020-01-02T12:00:00Z");
    EXPECT_EQ(iso(1, "seconds since 2020-01-01"), "2020-01-01T00:00:01Z");
    EXPECT_EQ(iso(1.25, "days  since 2020-01-01"), "2020-01-02T06:00:00Z");
    EXPECT_EQ(iso(1.25, "Days Since 2020-01-01"), "2020-01-02T06:00:00Z");
    EXPECT_EQ(iso(90.5, "minutes since 2020-01-01 00:00:00 -1:00"), "2020-01-01T02:30:30Z");
    EXPECT_EQ(iso(2, "s since 2020-01-01"), "2020-01-01T00:00:02Z");
    EXPECT_EQ(iso(1500, "ms since 2020-01-01T00:00:00Z"), "2020-01-01T00:00:02Z");
    EXPECT_EQ(iso(1, "week since 2020-01-01"), "2020-01-08");
    EXPECT_EQ(iso(-1, "days since 2020-01-01"), "2019-12-31");
    EXPECT_EQ(iso(1577836800e9, "nanoseconds since 1970-01-01"), "2020-01-01");
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

/// Julian day numbers: 1721423.5 is 0001-01-01 in the Julian calendar, 2440587.5 is 1970-01-01;
/// Python's cftime gives the same dates.
TEST(CfTime, StandardCalendarsAreJulianBefore1582) {
    EXPECT_EQ(iso(719164, "days since 0001-01-01", "standard"), "1970-01-01");
    EXPECT_EQ(iso(719164, "days since 1-1-1", "gregorian"), "1970-01-01");
    EXPECT_EQ(iso(719164, "days since 1-1-1"), "1970-01-01");
    EXPECT_EQ(iso(719162, "days since 1-1-1", "proleptic_gregorian"), "1970-01-01");
    EXPECT_EQ(iso(1, "days since 1582-10-04", "standard"), "1582-10-15");
    EXPECT_EQ(iso(1, "days since 1582-10-15", "standard"), "1582-10-16");
    EXPECT_EQ(iso(153846.25, "days since 1600-01-01", "Gregorian"), "2021-03-20T06:00:00Z");
}

TEST(CfTime, YearsWithoutLeapDays) {
    EXPECT_EQ(iso(59, "days since 2020-01-01", "noleap"), "2020-03-01");
    EXPECT_EQ(iso(365, "days since 2020-01-01", "365_day"), "2021-01-01");
    EXPECT_EQ(iso(365 * 170 + 58.5, "days since 1850-01-01", "noleap"), "2020-02-28T12:00:00Z");
    EXPECT_EQ(iso(-1, "days since 2020-03-01", "noleap"), "2020-02-28");
}

TEST(CfTime, OtherCalendarsUnitsAndValuesAreNotUnderstood) {
    for (const char* calendar : {"360_day", "julian", "all_leap", "366_day", "none"}) {
        EXPECT_EQ(iso(0, "days since 2020-01-01", calendar), "none") << calendar;
        EXPECT_EQ(CfTime("days since 2020-01-01", calendar).problem(),
                  "the calendar of its time is '" + std::string(calendar) +
                      "', expected standard, gregorian, proleptic_gregorian, noleap or 365_day");
    }
    EXPECT_EQ(CfTime("months since 2020-01-01", "").problem(),
              "the units of its time are 'months since 2020-01-01', expected weeks, days, hours, minutes or "
              "seconds since a date");
    EXPECT_EQ(CfTime("1", "360_day").problem(), "");
    EXPECT_EQ(CfTime("days since 2020-01-01", "").problem(), "");
    EXPECT_EQ(iso(std::numeric_limits<double>::quiet_NaN(), "days since 2020-01-01"), "none");
    EXPECT_EQ(iso(1e30, "days since 2020-01-01"), "none");
}

}  // namespace
}  // namespace rastertide
