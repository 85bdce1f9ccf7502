// SPDX-License-Identifier: Apache-2.0
// Owners of HDF5's ids, and its errors as exceptions.
#pragma once

#include <string>
#include <utility>

#include <hdf5.h>

namespace rastertide {

/// An id of any kind, closed by H5Idec_ref, which knows the kind.
class Hdf5Id {
  public:
    Hdf5Id() = default;
    explicit Hdf5Id(hid_t id) : id_(id) {}
    Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
    Hdf5Id& operator=(Hdf5Id&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    Hdf5Id(const Hdf5Id&) = delete;
    Hdf5Id& operator=(const Hdf5Id&) = delete;
    ~Hdf5Id() {
        if (id_ >= 0) H5Idec_ref(id_);
    }

    hid_t get() const { return id_; }
    hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }

  private:
    hid_t id_ = H5I_INVALID_HID;
};

/// While it lives, the library prints nothing in this thread; check() turns a failed call into an IoError
/// with the library's innermost reason.
class Hdf5Calls {
  public:
    explicit Hdf5Calls(std::string what);
    Hdf5Calls(const Hdf5Calls&) = delete;
    Hdf5Calls& operator=(const Hdf5Calls&) = delete;
    ~Hdf5Calls();

    /// @throws IoError "<what>: <HDF5's text>"
    void check(herr_t status) const {
        if (status < 0) throw_error();
    }
    Hdf5Id own(hid_t id) const {
        if (id < 0) throw_error();
        return Hdf5Id(id);
    }

  private:
    [[noreturn]] void throw_error() const;

    std::string what_;
    H5E_auto2_t print_ = nullptr;
    void* print_data_ = nullptr;
};

}  // namespace rastertide
