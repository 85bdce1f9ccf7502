// SPDX-License-Identifier: Apache-2.0
// Arguments and pixels of a call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pixel_functions/pixel_functions.hpp"

namespace rastertide::plugin {

/// The arguments of a call, each checked. Names in messages are the function's and the argument's.
class FunctionArguments {
  public:
    /// @param known  names @throws InvalidArgument  another one is given
    FunctionArguments(const char* function, const PixelCall& call, const std::vector<std::string>& known);

    /// @throws InvalidArgument  not there, and no `otherwise`; not one of what is expected
    std::string text(const char* name, const std::optional<std::string>& otherwise = std::nullopt) const;
    double number(const char* name, std::optional<double> otherwise = std::nullopt) const;
    int integer(const char* name, int min, int max, std::optional<int> otherwise = std::nullopt) const;
    std::vector<double> numbers(const char* name) const;
    [[noreturn]] void fail(const std::string& what, const std::string& found,
                           const std::string& expected) const;

  private:
    const char* function_;
    char** list_;
};

/// The pixels of a source as Float32 or Float64.
template <class T>
void read_source(const PixelCall& call, std::size_t source, T* pixels);

/// Whether a pixel is no measurement: not finite, or nodata. @param nodata  NaN: none
bool is_invalid(double value, double nodata);

/// Stores the values of the band in its own type. @param values  [n_rows][n_cols]
void write_band(const PixelCall& call, const std::vector<float>& values);

}  // namespace rastertide::plugin
