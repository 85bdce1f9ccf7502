// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <gdalwarper.h>

namespace rastertide {

/// The algorithm of a word of -r; near if it is empty. @throws InvalidArgument another word
GDALResampleAlg parse_resampling(const std::string& word);

}  // namespace rastertide
