// SPDX-License-Identifier: Apache-2.0
#include "write/hdf5_failsafe_driver.hpp"

#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace rastertide {
namespace {

constexpr haddr_t kMaxAddress = (haddr_t{1} << 62) - 1;

/// What the access properties carry to the driver; HDF5 copies it by its bytes.
struct DriverInfo {
    WriteFailure* failure;
};

/// HDF5 knows the first member only.
struct File {
    H5FD_t base;
    int descriptor;
    haddr_t end_of_allocation;
    haddr_t end_of_file;
    WriteFailure* failure;
};

File& as_file(H5FD_t* file) { return *reinterpret_cast<File*>(file); }
const File& as_file(const H5FD_t* file) { return *reinterpret_cast<const File*>(file); }

void note_failure(File& file) {
    if (file.failure->error_number == 0) file.failure->error_number = errno;
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t /*max_address*/) {
    const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
    const int mode = (flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0;
    constexpr mode_t kPermissions = 0666;  // less the user's umask
    const int descriptor = ::open(name, O_RDWR | O_CREAT | O_CLOEXEC | mode, kPermissions);
    if (descriptor < 0) {
        info->failure->error_number = errno;
        return nullptr;
    }
    const off_t size = ::lseek(descriptor, 0, SEEK_END);
    auto file = std::make_unique<File>();
    file->descriptor = descriptor;
    file->end_of_file = static_cast<haddr_t>(std::max<off_t>(0, size));
    file->failure = info->failure;
    return &file.release()->base;  // closed and deleted by close_file()
}

herr_t close_file(H5FD_t* file) {
    const std::unique_ptr<File> owner(&as_file(file));
    if (::close(owner->descriptor) != 0) note_failure(*owner);
    return 0;
}

herr_t query(const H5FD_t* /*file*/, unsigned long* flags) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t /*type*/) { return as_file(file).end_of_allocation; }

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t address) {
    as_file(file).end_of_allocation = address;
    return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t /*type*/) { return as_file(file).end_of_file; }

herr_t read_bytes(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                  void* buffer) {
    auto* bytes = static_cast<char*>(buffer);
    while (size > 0) {
        const ssize_t n = ::pread(as_file(file).descriptor, bytes, size, static_cast<off_t>(address));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        bytes += n;
        address += static_cast<haddr_t>(n);
        size -= static_cast<size_t>(n);
    }
    std::memset(bytes, 0, size);  // behind the end of the file
    return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                   const void* buffer) {
    File& self = as_file(file);
    const auto* bytes = static_cast<const char*>(buffer);
    self.end_of_file = std::max(self.end_of_file, address + size);
    while (size > 0 && self.failure->error_number == 0) {
        const ssize_t n = ::pwrite(self.descriptor, bytes, size, static_cast<off_t>(address));
        if (n < 0 && errno != EINTR) note_failure(self);
        if (n <= 0) continue;
        bytes += n;
        address += static_cast<haddr_t>(n);
        size -= static_cast<size_t>(n);
    }
    return 0;
}

herr_t truncate_file(H5FD_t* file, hid_t /*transfer*/, hbool_t /*closing*/) {
    File& self = as_file(file);
    if (self.end_of_file == self.end_of_allocation) return 0;
    if (::ftruncate(self.descriptor, static_cast<off_t>(self.end_of_allocation)) != 0) note_failure(self);
    self.end_of_file = self.end_of_allocation;
    return 0;
}

H5FD_class_t driver_class() {
    H5FD_class_t driver = {};
#if H5_VERSION_GE(1, 13, 0)
    driver.version = H5FD_CLASS_VERSION;
    driver.value = static_cast<H5FD_class_value_t>(512);  // the first that applications may take
#endif
    driver.name = "rastertide_failsafe";
    driver.maxaddr = kMaxAddress;
    driver.fc_degree = H5F_CLOSE_WEAK;
    driver.fapl_size = sizeof(DriverInfo);
    driver.open = open_file;
    driver.close = close_file;
    driver.query = query;
    driver.get_eoa = end_of_allocation;
    driver.set_eoa = set_end_of_allocation;
    driver.get_eof = end_of_file;
    driver.read = read_bytes;
    driver.write = write_bytes;
    driver.truncate = truncate_file;
    constexpr H5FD_mem_t kTypeMap[] = H5FD_FLMAP_DICHOTOMY;
    std::copy(std::begin(kTypeMap), std::end(kTypeMap), std::begin(driver.fl_map));
    return driver;
}

}  // namespace

Hdf5Id make_failsafe_access(const Hdf5Calls& calls, WriteFailure& failure) {
    const H5FD_class_t driver = driver_class();
    const Hdf5Id driver_id = calls.own(H5FDregister(&driver));
    const DriverInfo info{&failure};
    Hdf5Id access = calls.own(H5Pcreate(H5P_FILE_ACCESS));
    calls.check(H5Pset_driver(access.get(), driver_id.get(), &info));
    return access;
}

}  // namespace rastertide
