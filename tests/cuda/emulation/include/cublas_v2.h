// SPDX-License-Identifier: Apache-2.0
// The few functions of cuBLAS that this project calls, for tests: plain loops in the order of columns, and
// checks of what they are given. It tests our arguments, not cuBLAS.
#pragma once

#include <cuda_runtime.h>

enum cublasStatus_t {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_EXECUTION_FAILED = 13
};
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_PEDANTIC_MATH = 2 };
using cublasHandle_t = struct EmulatedCublas*;

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transpose_a,
                                         cublasOperation_t transpose_b, int n_rows, int n_cols, int n_terms,
                                         const float* alpha, const float* a, int lead_a, long long stride_a,
                                         const float* b, int lead_b, long long stride_b, const float* beta,
                                         float* c, int lead_c, long long stride_c, int n_batches);
