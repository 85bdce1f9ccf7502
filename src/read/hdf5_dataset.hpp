// SPDX-License-Identifier: Apache-2.0
// Finding a stack in an HDF5 file, and reading what describes it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "read/hdf5_calls.hpp"
#include "read/hdf5_name.hpp"

namespace rastertide {

bool has_hdf5_signature(const std::string& file);

/// Paths of all three-dimensional datasets of numbers.
std::vector<std::string> find_stacks(const Hdf5Calls& calls, hid_t file);

/// Opens the named dataset, or the only stack of the file.
/// @throws InvalidArgument  missing (with those that are there), ambiguous, not three-dimensional, not
/// numbers
Hdf5Id open_stack(const Hdf5Calls& calls, hid_t file, const Hdf5Name& name);

std::vector<hsize_t> shape_of(const Hdf5Calls& calls, hid_t dataset);
std::string shape_text(const std::vector<hsize_t>& shape);
std::string path_of(hid_t object);

/// Attributes; nothing if there is none of that name and kind, or it is a list of texts.
std::optional<std::string> text_attribute(const Hdf5Calls& calls, hid_t object, const char* name);
std::optional<double> number_attribute(const Hdf5Calls& calls, hid_t object, const char* name);

/// The coordinate variable of one axis of a stack: its one-dimensional scale, else a one-dimensional dataset
/// beside it that has one of the names and the axis' length. An id below 0 if there is none.
Hdf5Id open_coordinate(const Hdf5Calls& calls, hid_t dataset, unsigned axis,
                       const std::vector<std::string>& names);

/// The values of a one-dimensional dataset, its scale and offset applied.
std::vector<double> read_numbers(const Hdf5Calls& calls, hid_t dataset);
/// The texts of a one-dimensional dataset of strings; empty if it holds none.
std::vector<std::string> read_texts(const Hdf5Calls& calls, hid_t dataset);

}  // namespace rastertide
