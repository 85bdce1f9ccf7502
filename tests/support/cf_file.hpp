// SPDX-License-Identifier: Apache-2.0
// HDF5 files that follow the CF conventions, or break them.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <hdf5_hl.h>

#include "support/hdf5_stack.hpp"

namespace rastertide::testing_support {

class CfFile {
  public:
    explicit CfFile(const std::string& path)
        : path_(path), file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {
        if (file_ < 0) throw std::runtime_error("cannot create " + path);
    }
    CfFile(const CfFile&) = delete;
    CfFile& operator=(const CfFile&) = delete;
    ~CfFile() { H5Fclose(file_); }

    /// (time, y, x)
    void stack(const std::string& name, const Bands& bands, hid_t stored,
               const std::vector<hsize_t>& chunk = {}) const {
        write_hdf5_dataset<3>(file_, name,
                              {static_cast<hsize_t>(bands.n_bands), static_cast<hsize_t>(bands.n_rows),
                               static_cast<hsize_t>(bands.n_cols)},
                              bands.values, stored, chunk);
    }
    void axis(const std::string& name, const std::vector<float>& values) const {
        write_hdf5_dataset<1>(file_, name, {values.size()}, values, H5T_NATIVE_DOUBLE);
    }
    void number(const std::string& dataset, const std::string& attribute, double value) const {
        H5LTset_attribute_double(file_, dataset.c_str(), attribute.c_str(), &value, 1);
    }
    void text(const std::string& dataset, const std::string& attribute, const std::string& value) const {
        H5LTset_attribute_string(file_, dataset.c_str(), attribute.c_str(), value.c_str());
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    hid_t file_;
};

}  // namespace rastertide::testing_support
