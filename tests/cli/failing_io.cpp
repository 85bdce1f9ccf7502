// SPDX-License-Identifier: Apache-2.0
// Preloaded beside a program: its N-th read or write of a file whose path holds a text fails, and every later
// one, as on a full or a broken disk; or only so many. FAILING_IO=read|write:N[+COUNT]:TEXT
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

struct Fault {
    std::string operation;
    long first = 0, end = std::numeric_limits<long>::max();
    std::string text;

    Fault() {
        const char* setting = std::getenv("FAILING_IO");
        if (setting == nullptr) return;
        const std::string words = setting;
        const std::size_t colon = words.find(':');
        const std::size_t second = words.find(':', colon + 1);
        operation = words.substr(0, colon);
        const std::string numbers = words.substr(colon + 1, second - colon - 1);
        first = std::atol(numbers.c_str());
        const std::size_t plus = numbers.find('+');
        if (plus != std::string::npos) end = first + std::atol(numbers.c_str() + plus + 1);
        text = words.substr(second + 1);
    }
};

bool fails(const char* operation, int file) {
    static const Fault fault;
    static std::atomic<long> n_calls = 0;
    if (fault.text.empty() || fault.operation != operation) return false;
    char path[4096];
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    const ssize_t n = readlink(link.c_str(), path, sizeof path - 1);
    if (n <= 0) return false;
    path[n] = '\0';
    if (std::strstr(path, fault.text.c_str()) == nullptr) return false;
    const long call = ++n_calls;
    return call >= fault.first && call < fault.end;
}

bool write_fails(int file) {
    if (!fails("write", file)) return false;
    errno = ENOSPC;
    return true;
}

bool read_fails(int file) {
    if (!fails("read", file)) return false;
    errno = EIO;
    return true;
}

template <class Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, size_t n) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
    return write_fails(file) ? -1 : real(file, data, n);
}

ssize_t pwrite(int file, const void* data, size_t n, off_t at) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
    return write_fails(file) ? -1 : real(file, data, n, at);
}

ssize_t pwrite64(int file, const void* data, size_t n, off64_t at) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
    return write_fails(file) ? -1 : real(file, data, n, at);
}

size_t fwrite(const void* data, size_t size, size_t n, FILE* file) {
    static const auto real = next<size_t (*)(const void*, size_t, size_t, FILE*)>("fwrite");
    return write_fails(fileno(file)) ? 0 : real(data, size, n, file);
}

// What MPI writes with, and what takes space for later writes.
ssize_t writev(int file, const iovec* parts, int n) {
    static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
    return write_fails(file) ? -1 : real(file, parts, n);
}

ssize_t pwritev(int file, const iovec* parts, int n, off_t at) {
    static const auto real = next<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev");
    return write_fails(file) ? -1 : real(file, parts, n, at);
}

ssize_t pwritev64(int file, const iovec* parts, int n, off64_t at) {
    static const auto real = next<ssize_t (*)(int, const iovec*, int, off64_t)>("pwritev64");
    return write_fails(file) ? -1 : real(file, parts, n, at);
}

int fallocate(int file, int mode, off_t at, off_t n) {
    static const auto real = next<int (*)(int, int, off_t, off_t)>("fallocate");
    return write_fails(file) ? -1 : real(file, mode, at, n);
}

int fallocate64(int file, int mode, off64_t at, off64_t n) {
    static const auto real = next<int (*)(int, int, off64_t, off64_t)>("fallocate64");
    return write_fails(file) ? -1 : real(file, mode, at, n);
}

ssize_t read(int file, void* data, size_t n) {
    static const auto real = next<ssize_t (*)(int, void*, size_t)>("read");
    return read_fails(file) ? -1 : real(file, data, n);
}

ssize_t pread(int file, void* data, size_t n, off_t at) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, off_t)>("pread");
    return read_fails(file) ? -1 : real(file, data, n, at);
}

ssize_t pread64(int file, void* data, size_t n, off64_t at) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
    return read_fails(file) ? -1 : real(file, data, n, at);
}

size_t fread(void* data, size_t size, size_t n, FILE* file) {
    static const auto real = next<size_t (*)(void*, size_t, size_t, FILE*)>("fread");
    return read_fails(fileno(file)) ? 0 : real(data, size, n, file);
}

// What Debian's GDAL and HDF5 call, built with _FORTIFY_SOURCE.
ssize_t __read_chk(int file, void* data, size_t n, size_t most) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, size_t)>("__read_chk");
    return read_fails(file) ? -1 : real(file, data, n, most);
}

ssize_t __pread64_chk(int file, void* data, size_t n, off64_t at, size_t most) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, off64_t, size_t)>("__pread64_chk");
    return read_fails(file) ? -1 : real(file, data, n, at, most);
}

size_t __fread_chk(void* data, size_t most, size_t size, size_t n, FILE* file) {
    static const auto real = next<size_t (*)(void*, size_t, size_t, size_t, FILE*)>("__fread_chk");
    return read_fails(fileno(file)) ? 0 : real(data, most, size, n, file);
}
}
