// SPDX-License-Identifier: Apache-2.0
// Owners of GDAL's C handles.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <cpl_minixml.h>
#include <cpl_string.h>
#include <gdal.h>

#include <rastertide/core/error.hpp>

namespace rastertide {

struct DatasetCloser {
    void operator()(GDALDatasetH dataset) const { GDALClose(dataset); }
};
using DatasetHandle = std::unique_ptr<std::remove_pointer_t<GDALDatasetH>, DatasetCloser>;

struct XmlDestroyer {
    void operator()(CPLXMLNode* node) const { CPLDestroyXMLNode(node); }
};
using XmlHandle = std::unique_ptr<CPLXMLNode, XmlDestroyer>;

/// A NAME=VALUE list in the form that GDAL's C functions take.
class StringList {
  public:
    StringList() = default;
    explicit StringList(const std::vector<std::string>& items) {
        for (const std::string& item : items) list_.AddString(item.c_str());
    }
    /// Replaces an earlier value of the same name.
    void set(const std::string& name, const std::string& value) {
        list_.SetNameValue(name.c_str(), value.c_str());
    }
    /// @param items NAME=VALUE, as given with -co. @throws InvalidArgument for another form
    void set_all(const std::vector<std::string>& items) {
        for (const std::string& item : items) {
            const std::size_t equals = item.find('=');
            if (equals == std::string::npos) throw InvalidArgument("-co '" + item + "': expected NAME=VALUE");
            set(item.substr(0, equals), item.substr(equals + 1));
        }
    }
    /// Empty if there is none of that name.
    std::string value(const std::string& name) const {
        const char* text = list_.FetchNameValue(name.c_str());
        return text != nullptr ? text : "";
    }
    char** get() { return list_.List(); }

  private:
    CPLStringList list_;
};

}  // namespace rastertide
