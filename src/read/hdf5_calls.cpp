// SPDX-License-Identifier: Apache-2.0
#include "read/hdf5_calls.hpp"

#include <algorithm>

#include <rastertide/core/error.hpp>

namespace rastertide {

Hdf5Calls::Hdf5Calls(std::string what) : what_(std::move(what)) {
    H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Calls::~Hdf5Calls() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }

void Hdf5Calls::throw_error() const {
    std::string reason;
    const auto keep_first = [](unsigned, const H5E_error2_t* error, void* text) -> herr_t {
        auto& first = *static_cast<std::string*>(text);
        if (first.empty() && error->desc != nullptr) first = error->desc;
        return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw IoError(reason.empty() ? what_ : what_ + ": " + reason);
}

}  // namespace rastertide
