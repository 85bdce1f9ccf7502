// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <rastertide/reduce/square_sum.hpp>

namespace rastertide {
namespace {

__extension__ using Int128 = __int128;

struct Term {
    std::int64_t integer, count;
};

constexpr std::int64_t kMaxInteger = std::int64_t{1} << FixedPoint::kMostBits, kMaxCount = 1023;
constexpr std::int64_t kLimb = std::int64_t{1} << 30;

std::vector<Term> random_terms(std::size_t n) {
    std::mt19937_64 random(11);
    std::uniform_int_distribution<std::int64_t> integer(-kMaxInteger, kMaxInteger);
    std::uniform_int_distribution<std::int64_t> count(0, kMaxCount);
    std::vector<Term> terms(n);
    for (Term& term : terms) term = {integer(random), count(random)};
    return terms;
}

SquareSum sum_of(const std::vector<Term>& terms) {
    SquareSum sum;
    for (const Term& term : terms) sum.add(term.integer, term.count);
    sum.carry();
    return sum;
}

Int128 plain_sum(const std::vector<Term>& terms) {
    Int128 sum = 0;
    for (const Term& term : terms) sum += Int128{term.integer} * term.integer * term.count;
    return sum;
}

std::vector<std::int64_t> digits(SquareSum sum) {
    const auto state = sum.state();
    return {state.begin(), state.end()};
}

/// In base 2^30, least significant first.
std::vector<std::int64_t> digits(Int128 sum) {
    std::vector<std::int64_t> limbs;
    for (int i = 0; i < 3; ++i, sum >>= 30) {
        limbs.push_back(static_cast<std::int64_t>(sum & ((std::int64_t{1} << 30) - 1)));
    }
    limbs.push_back(static_cast<std::int64_t>(sum));
    return limbs;
}

TEST(SquareSum, IsZeroWithoutTerms) { EXPECT_EQ(SquareSum{}.value({}), 0); }

TEST(SquareSum, CountsSquaresByHand) {
    // 2 x 9 + 1 x 16 + 0 x 25
    const SquareSum sum = sum_of({{-3, 2}, {4, 1}, {5, 0}});
    EXPECT_EQ(digits(sum), (std::vector<std::int64_t>{34, 0, 0, 0}));
    EXPECT_EQ(sum.value({}), 34);
}

TEST(SquareSum, IsThatOfPlain128BitIntegers) {
    const std::vector<Term> terms = random_terms(100000);
    EXPECT_EQ(digits(sum_of(terms)), digits(plain_sum(terms)));
}

TEST(SquareSum, TakesTheLargestTermsBetweenTwoCarries) {
    // A limb of a square is at most 2^30, times a count below 2^10, times 2^20 additions: 2^60 on top of the
    // 2^30 or, in the other limbs, 2^31 that a carry leaves. The high limb is largest for kMaxInteger, the
    // low one for the root of -7: squares of odd numbers are 1 modulo 8.
    constexpr std::int64_t kRootOfMinus7 = 1016643765;
    static_assert(kRootOfMinus7 * kRootOfMinus7 % kLimb == kLimb - 7);
    for (const std::int64_t integer : {kMaxInteger, -kMaxInteger, kMaxInteger - 1, kRootOfMinus7}) {
        SquareSum sum;
        constexpr std::int64_t kRounds = 5, kTerms = std::int64_t{1} << 20;
        for (std::int64_t round = 0; round < kRounds; ++round) {
            for (std::int64_t i = 0; i < kTerms; ++i) sum.add(integer, kMaxCount);
            sum.carry();
        }
        const Int128 expected = Int128{integer} * integer * kMaxCount * kRounds * kTerms;
        EXPECT_EQ(digits(sum), digits(expected)) << integer;
    }
}

TEST(SquareSum, DoesNotDependOnOrderGroupsOrCarries) {
    std::vector<Term> terms = random_terms(3000);
    const auto expected = digits(sum_of(terms));
    std::vector<SquareSum> parts;
    for (std::size_t first = 0; first < terms.size(); first += 170) {
        SquareSum part;
        for (std::size_t i = first; i < std::min(terms.size(), first + 170); ++i) {
            part.add(terms[i].integer, terms[i].count);
            if (first % 340 == 0) part.carry();
        }
        parts.push_back(part);
    }

    std::mt19937 random(2);
    for (int order = 0; order < 5; ++order) {
        std::shuffle(parts.begin(), parts.end(), random);
        SquareSum merged;
        for (const SquareSum& part : parts) merged.merge(part);
        EXPECT_EQ(digits(merged), expected);
    }
    std::shuffle(terms.begin(), terms.end(), random);
    EXPECT_EQ(digits(sum_of(terms)), expected);
}

TEST(SquareSum, StatesAddUpElementByElement) {
    const std::vector<Term> terms = random_terms(1000);
    const auto middle = terms.begin() + 300;
    SquareSum sum = sum_of({terms.begin(), middle});
    SquareSum other = sum_of({middle, terms.end()});

    const auto state = sum.state();
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += other.state()[i];

    EXPECT_EQ(sum.value({}), sum_of(terms).value({}));
    sum.carry();
    EXPECT_EQ(digits(sum), digits(sum_of(terms)));
}

TEST(SquareSum, ValueIsInSquaredUnitsOfThePixels) {
    const std::vector<Term> terms = random_terms(1000);
    const auto expected = static_cast<long double>(plain_sum(terms));
    for (const int exponent : {-40, 0, 7, 30, 60}) {
        const long double value = sum_of(terms).value({100, exponent});
        EXPECT_NEAR(static_cast<double>(value / std::ldexp(expected, -2 * exponent)), 1, 1e-15) << exponent;
    }
}

}  // namespace
}  // namespace rastertide
