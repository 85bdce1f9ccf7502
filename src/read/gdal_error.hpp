// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace rastertide {

/// While it lives, GDAL's messages of this thread do not reach the terminal: the most severe one is kept, to
/// become the text of an IoError.
class GdalErrorCapture {
  public:
    GdalErrorCapture();
    ~GdalErrorCapture();
    GdalErrorCapture(const GdalErrorCapture&) = delete;
    GdalErrorCapture& operator=(const GdalErrorCapture&) = delete;

    /// Whether a failure (not a warning) was reported.
    bool failed() const { return failed_; }
    /// The first failure's text, or the first warning's, in one line; empty if there was none.
    const std::string& text() const { return text_; }
    void clear();

    /// @throws IoError "<what>: <text>" if a failure was reported
    void throw_if_failed(const std::string& what) const;
    /// @throws IoError "<what>: <text>"
    [[noreturn]] void throw_error(const std::string& what) const;

  private:
    static void handle(int severity, int number, const char* message);

    bool failed_ = false;
    std::string text_;
};

}  // namespace rastertide
