// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>

#include <rastertide/core/error.hpp>
#include <rastertide/pipeline/threshold.hpp>

#include "core/number_text.hpp"

namespace rastertide {
namespace {

[[noreturn]] void fail(std::string_view text, const std::string& reason) {
    throw InvalidArgument("threshold '" + std::string(text) + "': " + reason +
                          "; expected sigma:NUMBER, quantile:NUMBER or value:NUMBER");
}

Threshold::Kind parse_kind(std::string_view word, std::string_view text) {
    if (word == "sigma") return Threshold::Kind::Sigma;
    if (word == "quantile") return Threshold::Kind::Quantile;
    if (word == "value") return Threshold::Kind::Value;
    fail(text, "unknown kind '" + std::string(word) + "'");
}

}  // namespace

Threshold Threshold::parse(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) fail(text, "no colon");
    Threshold threshold;
    threshold.kind = parse_kind(text.substr(0, colon), text);
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), threshold.amount);
    if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(threshold.amount)) {
        fail(text, "'" + std::string(digits) + "' is not a finite number");
    }
    if (threshold.kind == Kind::Quantile && !(threshold.amount >= 0 && threshold.amount <= 1)) {
        fail(text, "a quantile lies between 0 and 1");
    }
    return threshold;
}

std::string Threshold::text() const {
    const char* word = kind == Kind::Sigma ? "sigma" : kind == Kind::Quantile ? "quantile" : "value";
    return std::string(word) + ":" + number_text(amount);
}

}  // namespace rastertide
