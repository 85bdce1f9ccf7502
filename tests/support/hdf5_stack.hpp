// SPDX-License-Identifier: Apache-2.0
// Stacks in HDF5 files that say nothing about where they lie.
#pragma once

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <hdf5.h>

#include "support/rasters.hpp"

namespace rastertide::testing_support {

/// One dataset of numbers. @param chunk  empty: contiguous @param stored  type in the file
template <std::size_t N>
void write_hdf5_dataset(hid_t file, const std::string& name, const std::array<hsize_t, N>& shape,
                        const std::vector<float>& values, hid_t stored,
                        const std::vector<hsize_t>& chunk = {}) {
    const hid_t space = H5Screate_simple(static_cast<int>(N), shape.data(), nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    if (!chunk.empty()) H5Pset_chunk(creation, static_cast<int>(N), chunk.data());
    const hid_t dataset = H5Dcreate2(file, name.c_str(), stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    const herr_t status = H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(space);
    if (status < 0) throw std::runtime_error("cannot write the dataset " + name);
}

/// A file with the dataset `data` (date, y, x). @param y  if given, the file has coordinates y, and x from 0
inline void write_hdf5_stack(const std::string& path, const Bands& bands, hid_t stored,
                             const std::vector<hsize_t>& chunk = {}, const std::vector<float>& y = {}) {
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) throw std::runtime_error("cannot create " + path);
    const auto n_dates = static_cast<hsize_t>(bands.n_bands);
    const auto n_rows = static_cast<hsize_t>(bands.n_rows);
    const auto n_cols = static_cast<hsize_t>(bands.n_cols);
    write_hdf5_dataset<3>(file, "data", {n_dates, n_rows, n_cols}, bands.values, stored, chunk);
    if (!y.empty()) {
        std::vector<float> x;
        for (int col = 0; col < bands.n_cols; ++col) x.push_back(static_cast<float>(col));
        write_hdf5_dataset<1>(file, "y", {n_rows}, y, H5T_NATIVE_FLOAT);
        write_hdf5_dataset<1>(file, "x", {n_cols}, x, H5T_NATIVE_FLOAT);
    }
    H5Fclose(file);
}

}  // namespace rastertide::testing_support
