// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/threshold.hpp>

namespace rastertide {
namespace {

TEST(Threshold, ReadsItsThreeKinds) {
    EXPECT_EQ(Threshold::parse("sigma:2").kind, Threshold::Kind::Sigma);
    EXPECT_EQ(Threshold::parse("quantile:0.99").amount, 0.99);
    EXPECT_EQ(Threshold::parse("value:-1.5e1").amount, -15);
}

TEST(Threshold, TextReadsBack) {
    for (const char* text : {"sigma:2", "quantile:0.98999999999999999", "value:1.5"}) {
        const Threshold threshold = Threshold::parse(text);
        const Threshold again = Threshold::parse(threshold.text());
        EXPECT_EQ(again.kind, threshold.kind);
        EXPECT_EQ(again.amount, threshold.amount);
    }
}

TEST(Threshold, TextIsThatOfTheUser) {
    for (const char* text : {"sigma:2", "quantile:0.99", "value:-1.5", "quantile:0.1"}) {
        EXPECT_EQ(Threshold::parse(text).text(), text);
    }
}

TEST(Threshold, RefusesWhatItDoesNotKnow) {
    for (const char* text : {"", "2", "sigma", "sigma:", "sigma:two", "sigma:2x", "quantile:1.1",
                             "quantile:nan", "value:inf", "percent:99"}) {
        EXPECT_THROW(Threshold::parse(text), InvalidArgument) << text;
    }
}

}  // namespace
}  // namespace rastertide
