// SPDX-License-Identifier: Apache-2.0
// emulation_opens_module FILE: opens a module that holds an emulator, and runs its kernel.
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>

int main(int, char** argv) {
    void* const module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void* const symbol = module ? dlsym(module, "rotate_on_device") : nullptr;
    if (!symbol) {
        std::fprintf(stderr, "error: %s\n", dlerror());
        return 1;
    }
    const auto rotate = reinterpret_cast<int (*)(float*)>(symbol);
    float values[64];
    for (int i = 0; i < 64; ++i) values[i] = static_cast<float>(i);

    const int status = rotate(values);
    setenv("RASTERTIDE_EMULATION_DEVICES", "0", 1);
    const int status_without = rotate(values);

    for (int i = 0; i < 64; ++i)
        if (values[i] != static_cast<float>((i + 1) % 64)) return 2;
    return status == 0 && status_without == 100 ? 0 : 3;
}
