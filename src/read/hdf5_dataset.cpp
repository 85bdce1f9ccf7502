// SPDX-License-Identifier: Apache-2.0
#include "read/hdf5_dataset.hpp"

#include <algorithm>

#include <hdf5_hl.h>

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

#if H5_VERSION_GE(1, 12, 0)
using ObjectInfo = H5O_info1_t;  // what H5Ovisit1() gives, whatever HDF5 takes for the usual one
#else
using ObjectInfo = H5O_info_t;
#endif

constexpr std::size_t kStackAxes = 3;
constexpr hsize_t kMostDates = hsize_t{1} << 20;
constexpr hsize_t kMostPixels = hsize_t{1} << 27;  // of a row or column, and coordinates: 1 GiB of them

bool is_number(const Hdf5Calls& calls, hid_t dataset) {
    const Hdf5Id type = calls.own(H5Dget_type(dataset));
    const H5T_class_t kind = H5Tget_class(type.get());
    return kind == H5T_INTEGER || kind == H5T_FLOAT;
}

struct Search {
    const Hdf5Calls& calls;
    std::vector<std::string> paths;
};

herr_t visit(hid_t file, const char* path, const ObjectInfo* info, void* data) {
    auto& search = *static_cast<Search*>(data);
    if (info->type != H5O_TYPE_DATASET) return 0;
    try {
        const Hdf5Id dataset = search.calls.own(H5Dopen2(file, path, H5P_DEFAULT));
        const bool is_stack = shape_of(search.calls, dataset.get()).size() == kStackAxes &&
                              is_number(search.calls, dataset.get());
        if (is_stack) search.paths.push_back("/" + std::string(path));
    } catch (const std::exception&) {
        return 0;  // not readable, so no stack
    }
    return 0;
}

/// The sizes are the file's word, which takes a few bytes: memory must not follow it anywhere.
void require_sizes(const std::string& what, const std::vector<hsize_t>& shape) {
    const bool fits = shape[0] <= kMostDates && shape[1] <= kMostPixels && shape[2] <= kMostPixels;
    if (fits && shape[0] > 0 && shape[1] > 0 && shape[2] > 0) return;
    throw InvalidArgument(what + "has " + shape_text(shape) + " values, expected 1 to " +
                          std::to_string(kMostDates) + " dates, 1 to " + std::to_string(kMostPixels) +
                          " rows and columns");
}

/// Whether a dataset's values can be those of an axis.
bool is_list(const Hdf5Calls& calls, hid_t dataset) {
    const std::vector<hsize_t> shape = shape_of(calls, dataset);
    return shape.size() == 1 && shape[0] <= kMostPixels;
}

std::string joined(const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths) text += (text.empty() ? "" : ", ") + path;
    return text;
}

std::string only_stack(const Hdf5Calls& calls, hid_t file, const Hdf5Name& name) {
    const std::vector<std::string> stacks = find_stacks(calls, file);
    if (stacks.size() == 1) return stacks.front();
    if (stacks.empty()) throw InvalidArgument("'" + name.file + "': holds no dataset of time, y, x");
    throw InvalidArgument("'" + name.file +
                          "': holds several datasets of time, y, x, choose with -dataset: " + joined(stacks));
}

/// The datasets that the scales of an axis are.
std::vector<Hdf5Id> scales_of(hid_t dataset, unsigned axis) {
    std::vector<Hdf5Id> scales;
    const auto keep = [](hid_t, unsigned, hid_t scale, void* data) -> herr_t {
        H5Iinc_ref(scale);
        static_cast<std::vector<Hdf5Id>*>(data)->emplace_back(scale);
        return 0;
    };
    H5DSiterate_scales(dataset, axis, nullptr, keep, &scales);
    return scales;
}

}  // namespace

bool has_hdf5_signature(const std::string& file) {
    const Hdf5Calls quiet(file);
    return H5Fis_hdf5(file.c_str()) > 0;
}

std::vector<std::string> find_stacks(const Hdf5Calls& calls, hid_t file) {
    Search search{calls, {}};
#if H5_VERSION_GE(1, 12, 0)
    calls.check(H5Ovisit1(file, H5_INDEX_NAME, H5_ITER_INC, visit, &search));
#else
    calls.check(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, &search));
#endif
    return search.paths;
}

Hdf5Id open_stack(const Hdf5Calls& calls, hid_t file, const Hdf5Name& name) {
    const std::string path = name.dataset.empty() ? only_stack(calls, file, name) : name.dataset;
    Hdf5Id dataset(H5Dopen2(file, path.c_str(), H5P_DEFAULT));
    if (dataset.get() < 0) {
        const std::vector<std::string> stacks = find_stacks(calls, file);
        throw InvalidArgument("'" + name.file + "': has no dataset '" + path +
                              "'; of time, y, x it has: " + (stacks.empty() ? "none" : joined(stacks)));
    }
    const std::string what = "'" + name.file + "', dataset '" + path + "': ";
    const std::vector<hsize_t> shape = shape_of(calls, dataset.get());
    if (shape.size() != kStackAxes) {
        throw InvalidArgument(what + "has " + std::to_string(shape.size()) + " dimensions (" +
                              shape_text(shape) + "), expected 3: time, y, x");
    }
    if (!is_number(calls, dataset.get())) throw InvalidArgument(what + "is not of real numbers");
    require_sizes(what, shape);
    return dataset;
}

std::vector<hsize_t> shape_of(const Hdf5Calls& calls, hid_t dataset) {
    const Hdf5Id space = calls.own(H5Dget_space(dataset));
    const int n_axes = H5Sget_simple_extent_ndims(space.get());
    calls.check(n_axes);
    std::vector<hsize_t> shape(static_cast<std::size_t>(n_axes));
    calls.check(H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr));
    return shape;
}

std::string shape_text(const std::vector<hsize_t>& shape) {
    std::string text;
    for (const hsize_t n : shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
    return text;
}

std::string path_of(hid_t object) {
    const ssize_t size = H5Iget_name(object, nullptr, 0);
    if (size <= 0) return "";
    std::string path(static_cast<std::size_t>(size), '\0');
    H5Iget_name(object, path.data(), path.size() + 1);
    return path;
}

std::optional<std::string> text_attribute(const Hdf5Calls& calls, hid_t object, const char* name) {
    if (H5Aexists(object, name) <= 0) return std::nullopt;
    const Hdf5Id attribute = calls.own(H5Aopen(object, name, H5P_DEFAULT));
    const Hdf5Id type = calls.own(H5Aget_type(attribute.get()));
    const Hdf5Id space = calls.own(H5Aget_space(attribute.get()));
    const bool is_one = H5Sget_simple_extent_npoints(space.get()) == 1;
    if (H5Tget_class(type.get()) != H5T_STRING || !is_one) return std::nullopt;
    if (H5Tis_variable_str(type.get()) > 0) {
        char* text = nullptr;
        calls.check(H5Aread(attribute.get(), type.get(), &text));
        const std::string copy = text != nullptr ? text : "";
        if (text != nullptr) H5free_memory(text);
        return copy;
    }
    std::string text(H5Tget_size(type.get()), '\0');
    calls.check(H5Aread(attribute.get(), type.get(), text.data()));
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

std::optional<double> number_attribute(const Hdf5Calls& calls, hid_t object, const char* name) {
    if (H5Aexists(object, name) <= 0) return std::nullopt;
    const Hdf5Id attribute = calls.own(H5Aopen(object, name, H5P_DEFAULT));
    const Hdf5Id type = calls.own(H5Aget_type(attribute.get()));
    const Hdf5Id space = calls.own(H5Aget_space(attribute.get()));
    const H5T_class_t kind = H5Tget_class(type.get());
    const hssize_t n = H5Sget_simple_extent_npoints(space.get());
    if ((kind != H5T_INTEGER && kind != H5T_FLOAT) || n < 1) return std::nullopt;
    std::vector<double> values(static_cast<std::size_t>(n));
    calls.check(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, values.data()));
    return values.front();
}

Hdf5Id open_coordinate(const Hdf5Calls& calls, hid_t dataset, unsigned axis,
                       const std::vector<std::string>& names) {
    for (Hdf5Id& scale : scales_of(dataset, axis)) {
        if (is_list(calls, scale.get())) return std::move(scale);
    }

    const hsize_t length = shape_of(calls, dataset)[axis];
    const std::string path = path_of(dataset);
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    for (const std::string& name : names) {
        if (H5Lexists(dataset, (folder + name).c_str(), H5P_DEFAULT) <= 0) continue;
        Hdf5Id candidate(H5Dopen2(dataset, (folder + name).c_str(), H5P_DEFAULT));
        if (candidate.get() >= 0 && shape_of(calls, candidate.get()) == std::vector<hsize_t>{length})
            return candidate;
    }
    return {};
}

std::vector<double> read_numbers(const Hdf5Calls& calls, hid_t dataset) {
    if (!is_number(calls, dataset)) return {};
    std::vector<double> values(shape_of(calls, dataset).at(0));
    calls.check(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
    const double scale = number_attribute(calls, dataset, "scale_factor").value_or(1);
    const double offset = number_attribute(calls, dataset, "add_offset").value_or(0);
    for (double& value : values) value = value * scale + offset;
    return values;
}

std::vector<std::string> read_texts(const Hdf5Calls& calls, hid_t dataset) {
    const Hdf5Id type = calls.own(H5Dget_type(dataset));
    if (H5Tget_class(type.get()) != H5T_STRING) return {};
    const std::size_t n = shape_of(calls, dataset).at(0);
    std::vector<std::string> texts;
    if (H5Tis_variable_str(type.get()) > 0) {
        std::vector<char*> pointers(n, nullptr);
        calls.check(H5Dread(dataset, type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()));
        for (char* text : pointers) {
            texts.emplace_back(text != nullptr ? text : "");
            if (text != nullptr) H5free_memory(text);
        }
        return texts;
    }
    const std::size_t width = H5Tget_size(type.get());
    if (n > 0 && width > kMostPixels / n) return {};
    std::string all(n * width, '\0');
    calls.check(H5Dread(dataset, type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()));
    for (std::size_t i = 0; i < n; ++i) {
        const std::string text = all.substr(i * width, width);
        texts.push_back(text.substr(0, text.find('\0')));
    }
    return texts;
}

}  // namespace rastertide
