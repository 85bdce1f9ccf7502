// SPDX-License-Identifier: Apache-2.0
#include "compute/cuda/cublas.hpp"

#include <optional>
#include <string>

#include <cublas_v2.h>
#include <dlfcn.h>

namespace rastertide::cuda {
namespace {

void check_cublas(cublasStatus_t status, const char* what) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    // 3: CUBLAS_STATUS_ALLOC_FAILED
    throw CudaFailure{static_cast<int>(status) == 3 ? Status::OutOfMemory : Status::Failed,
                      std::string(what) + ": cuBLAS status " + std::to_string(static_cast<int>(status))};
}

}  // namespace

struct Cublas::Functions {
    decltype(&cublasCreate_v2) create;
    decltype(&cublasDestroy_v2) destroy;
    decltype(&cublasSetStream_v2) set_stream;
    decltype(&cublasSetMathMode) set_math_mode;
    decltype(&cublasSgemmStridedBatched) multiply;

    static std::optional<Functions> open();
};

#ifdef RASTERTIDE_CUBLAS_IS_LINKED
std::optional<Cublas::Functions> Cublas::Functions::open() {
    return Functions{cublasCreate_v2, cublasDestroy_v2, cublasSetStream_v2, cublasSetMathMode,
                     cublasSgemmStridedBatched};
}
#else
std::optional<Cublas::Functions> Cublas::Functions::open() {
    const std::string name = "libcublas.so." + std::to_string(CUBLAS_VER_MAJOR);
    void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return std::nullopt;
    Functions functions = {};
    const auto find = [&](auto& function, const char* symbol) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)> >(dlsym(library, symbol));
        return function != nullptr;
    };
    const bool has_all = find(functions.create, "cublasCreate_v2") &&
                         find(functions.destroy, "cublasDestroy_v2") &&
                         find(functions.set_stream, "cublasSetStream_v2") &&
                         find(functions.set_math_mode, "cublasSetMathMode") &&
                         find(functions.multiply, "cublasSgemmStridedBatched");
    return has_all ? std::optional(functions) : std::nullopt;
}
#endif

const Cublas* Cublas::get() {
    static const std::optional<Functions> functions = Functions::open();
    static const std::optional<Cublas> cublas = functions ? std::optional(Cublas(*functions)) : std::nullopt;
    return cublas ? &*cublas : nullptr;
}

void* Cublas::create() const {
    cublasHandle_t handle = nullptr;
    check_cublas(functions_.create(&handle), "cublasCreate");
    check_cublas(functions_.set_math_mode(handle, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
    return handle;
}

void Cublas::destroy(void* handle) const { functions_.destroy(static_cast<cublasHandle_t>(handle)); }

void Cublas::multiply(void* handle, cudaStream_t stream, const float* pixels, const float* centers,
                      float* products, int n_patches, int n_features, int n_clusters, int n_dates) const {
    auto* const typed = static_cast<cublasHandle_t>(handle);
    check_cublas(functions_.set_stream(typed, stream), "cublasSetStream");
    const float one = 1, zero = 0;
    check_cublas(functions_.multiply(typed, CUBLAS_OP_N, CUBLAS_OP_N, n_patches, n_clusters, n_features, &one,
                                     pixels, n_patches, static_cast<long long>(n_patches) * n_features,
                                     centers, n_features, 0, &zero, products, n_patches,
                                     static_cast<long long>(n_patches) * n_clusters, n_dates),
                 "cublasSgemmStridedBatched");
}

}  // namespace rastertide::cuda
