// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace rastertide {

/// How the score above which a patch is anomalous is found.
struct Threshold {
    enum class Kind {
        Sigma,     ///< mean + amount * std of all scores of the run (std of the population)
        Quantile,  ///< that quantile of all scores of the run, exact, linear between two scores as in numpy
        Value,     ///< the amount itself
    };
    Kind kind = Kind::Sigma;
    double amount = 2;

    /// The text of -threshold: "sigma:2", "quantile:0.99", "value:1.5".
    /// @throws InvalidArgument  other words; sigma not finite, quantile outside 0..1, value not finite
    static Threshold parse(std::string_view text);
    std::string text() const;
};

}  // namespace rastertide
