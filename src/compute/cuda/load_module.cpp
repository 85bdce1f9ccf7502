// SPDX-License-Identifier: Apache-2.0
#include "compute/cuda/load_module.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include <dlfcn.h>

namespace rastertide::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "librastertide_cuda.so";
constexpr const char* kPathVariable = "RASTERTIDE_CUDA_MODULE";

std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

LoadedModule not_usable(const std::string& why, bool is_there) {
    LoadedModule loaded;
    loaded.is_there = is_there;
    loaded.why_not = one_line(why);
    return loaded;
}

std::string last_dl_error() {
    const char* text = dlerror();
    return text != nullptr ? text : "unknown error of dlopen";
}

/// Where an installed program, or one of a build folder, has the module; empty if there is none.
std::string file_beside_program() {
    std::error_code unknown;
    const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
    if (unknown) return "";
    const fs::path lib = program.parent_path().parent_path() / "lib";
    for (const fs::path& file : {lib / kFileName, lib / "rastertide" / kFileName}) {
        if (fs::exists(file, unknown)) return file.string();
    }
    return "";
}

std::vector<DeviceFacts> find_devices(const Module& module, std::string& why_not) {
    Outcome outcome;
    const int n = module.count_devices(outcome);
    std::vector<DeviceFacts> devices;
    for (int device = 0; device < n; ++device) {
        Outcome described;
        devices.emplace_back();
        module.describe_device(device, devices.back(), described);
        if (described.status == Status::Ok) continue;
        // Ranks number the devices alike only if all have all of them.
        why_not = "device " + std::to_string(device) + ": " + described.text;
        return {};
    }
    if (n <= 0) why_not = std::string("no CUDA device: ") + outcome.text;
    return devices;
}

LoadedModule check_module(void* handle, const std::string& name) {
    // POSIX: a symbol's address may be taken as a function's.
    const auto function = reinterpret_cast<ModuleFunction>(dlsym(handle, kModuleSymbol));
    if (function == nullptr) {
        return not_usable("'" + name + "' has no symbol " + kModuleSymbol + ": no CUDA module of Rastertide",
                          true);
    }
    const Module* module = function();
    if (module == nullptr || module->version != kModuleVersion) {
        return not_usable("'" + name + "' is a CUDA module of version " +
                              std::to_string(module == nullptr ? 0 : module->version) +
                              ", this program needs version " + std::to_string(kModuleVersion),
                          true);
    }
    LoadedModule loaded;
    loaded.is_there = true;
    loaded.devices = find_devices(*module, loaded.why_not);
    loaded.why_not = one_line(loaded.why_not);
    if (!loaded.devices.empty()) loaded.module = module;
    return loaded;
}

/// @param name  a path, or a name alone for the system's search
LoadedModule open_module(const std::string& name) {
    // Never closed: drivers keep threads and handlers that run until the process ends.
    void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) return check_module(handle, name);
    const std::string text = last_dl_error();  // begins with the file that is missing or bad
    if (name == kFileName && text.rfind(name + ": ", 0) == 0 &&
        text.find("No such file") != std::string::npos)
        return not_usable(name + " is not installed", false);
    return not_usable(text, true);
}

LoadedModule search() {
    const char* path = std::getenv(kPathVariable);
    if (path != nullptr && *path != '\0') {
        std::error_code unknown;
        if (fs::exists(path, unknown)) return open_module(fs::absolute(path).string());
        return not_usable(std::string(kPathVariable) + " names '" + path + "', which does not exist", true);
    }
    const std::string file = file_beside_program();
    return open_module(file.empty() ? kFileName : file);
}

}  // namespace

const LoadedModule& loaded_module() {
    static const LoadedModule loaded = search();
    return loaded;
}

}  // namespace rastertide::cuda
