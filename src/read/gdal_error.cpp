// SPDX-License-Identifier: Apache-2.0
#include "read/gdal_error.hpp"

#include <algorithm>

#include <cpl_error.h>

#include <rastertide/core/error.hpp>

namespace rastertide {

GdalErrorCapture::GdalErrorCapture() {
    CPLPushErrorHandlerEx(
        [](CPLErr severity, CPLErrorNum number, const char* message) { handle(severity, number, message); },
        this);
}

GdalErrorCapture::~GdalErrorCapture() { CPLPopErrorHandler(); }

void GdalErrorCapture::handle(int severity, int /*number*/, const char* message) {
    auto* self = static_cast<GdalErrorCapture*>(CPLGetErrorHandlerUserData());
    const bool failure = severity >= CE_Failure;
    if (severity < CE_Warning || self->failed_ || (!failure && !self->text_.empty())) return;
    self->failed_ = failure;
    self->text_ = message;
    std::replace(self->text_.begin(), self->text_.end(), '\n', ' ');
}

void GdalErrorCapture::clear() {
    failed_ = false;
    text_.clear();
}

void GdalErrorCapture::throw_if_failed(const std::string& what) const {
    if (failed_) throw_error(what);
}

void GdalErrorCapture::throw_error(const std::string& what) const {
    throw IoError(text_.empty() ? what : what + ": " + text_);
}

}  // namespace rastertide
