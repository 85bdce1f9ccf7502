// SPDX-License-Identifier: Apache-2.0
#include "card.hpp"

#include "compute/cuda/device.hpp"

namespace rastertide::on_device {
namespace {

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

int Card::lanes_of_multiprocessor() const {
    const bool has_half = major == 7 || (major == 8 && minor == 0);  // Volta, Turing, A100
    return has_half ? 64 : 128;
}

Card find_card() {
    int n_devices = 0;  // the call leaves it as it is where there is no driver
    cuda::check(cudaGetDeviceCount(&n_devices), "cudaGetDeviceCount");
    cuda::check(n_devices > 0 ? cudaSuccess : cudaErrorNoDevice, "cudaGetDeviceCount");
    cudaDeviceProp properties = {};
    cuda::check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    cuda::check(cudaSetDevice(0), "cudaSetDevice 0");
    int clock_khz = 0, driver = 0, runtime = 0;
    cuda::check(cudaDeviceGetAttribute(&clock_khz, cudaDevAttrClockRate, 0), "cudaDeviceGetAttribute");
    cuda::check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    cuda::check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    Card card;
    card.name = properties.name;
    card.major = properties.major;
    card.minor = properties.minor;
    card.n_multiprocessors = properties.multiProcessorCount;
    card.clock_hz = 1e3 * clock_khz;
    card.memory_bytes = static_cast<double>(properties.totalGlobalMem);
    card.driver = version_text(driver);
    card.runtime = version_text(runtime);
    return card;
}

}  // namespace rastertide::on_device
