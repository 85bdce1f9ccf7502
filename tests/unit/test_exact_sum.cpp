// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/reduce/exact_sum.hpp>

namespace rastertide {
namespace {

ExactSum sum_of(const std::vector<double>& terms) {
    ExactSum sum;
    for (const double term : terms) sum.add(term);
    return sum;
}

std::vector<double> terms_of_many_magnitudes() {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> exponent(-60, 60);
    std::normal_distribution<double> mantissa;
    std::vector<double> terms(2000);
    for (double& term : terms) term = std::ldexp(mantissa(random), static_cast<int>(exponent(random)));
    return terms;
}

TEST(ExactSum, IsZeroWithoutTerms) { EXPECT_EQ(ExactSum{}.value(), 0); }

TEST(ExactSum, KeepsWhatDoubleSumsLose) {
    EXPECT_EQ(sum_of({1e30, 1, -1e30}).value(), 1);
    EXPECT_EQ(sum_of({0x1p100, 0x1p-100, -0x1p100}).value(), 0x1p-100L);
}

TEST(ExactSum, IsNegativeWhereTermsAre) {
    EXPECT_EQ(sum_of({-1.5}).value(), -1.5);
    EXPECT_EQ(sum_of({-0x1p-100, -0x1p-90}).value(), -0x1p-100L - 0x1p-90L);
}

TEST(ExactSum, DoesNotDependOnTheOrderOfTerms) {
    std::vector<double> terms = terms_of_many_magnitudes();
    const auto forward = sum_of(terms).state();
    std::shuffle(terms.begin(), terms.end(), std::mt19937(3));

    EXPECT_EQ(sum_of(terms).state(), forward);
}

TEST(ExactSum, DoesNotDependOnHowTermsAreGrouped) {
    const std::vector<double> terms = terms_of_many_magnitudes();
    ExactSum merged;
    for (std::size_t first = 0; first < terms.size(); first += 300) {
        const std::size_t last = std::min(terms.size(), first + 300);
        merged.merge(sum_of({terms.begin() + static_cast<std::ptrdiff_t>(first),
                             terms.begin() + static_cast<std::ptrdiff_t>(last)}));
    }

    EXPECT_EQ(merged.state(), sum_of(terms).state());
}

TEST(ExactSum, StatesAddUpElementByElement) {
    const std::vector<double> terms = terms_of_many_magnitudes();
    const auto middle = terms.begin() + 777;
    auto state = sum_of({terms.begin(), middle}).state();
    const auto other = sum_of({middle, terms.end()}).state();
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += other[i];

    EXPECT_EQ(ExactSum::from_state(state).value(), sum_of(terms).value());
}

TEST(ExactSum, AgreesWithExtendedPrecisionOnOrdinaryNumbers) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> score(0, 0.3);
    ExactSum sum;
    long double expected = 0;
    for (int i = 0; i < 100000; ++i) {
        const double term = score(random);
        sum.add(term);
        expected += term;
    }

    EXPECT_NEAR(static_cast<double>(sum.value() / expected), 1, 1e-15);
}

TEST(ExactSum, TruncatesWhatIsBelowItsLastBit) {
    EXPECT_EQ(sum_of({0x1p-129}).value(), 0);
    EXPECT_EQ(sum_of({0x1.8p-128}).value(), 0x1p-128L);
    EXPECT_EQ(sum_of({std::numeric_limits<double>::denorm_min()}).value(), 0);
}

TEST(ExactSum, IsInfiniteAfterATermOutOfRange) {
    EXPECT_TRUE(std::isinf(sum_of({0x1p127}).value()));
    EXPECT_TRUE(std::isinf(sum_of({std::numeric_limits<double>::infinity()}).value()));
    EXPECT_FALSE(std::isinf(sum_of({0x1.fffffffffffffp126}).value()));
}

}  // namespace
}  // namespace rastertide
