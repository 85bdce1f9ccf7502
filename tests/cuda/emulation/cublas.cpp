// SPDX-License-Identifier: Apache-2.0
#include <cublas_v2.h>

#include "internal.hpp"

struct EmulatedCublas {
    cudaStream_t stream = nullptr;
};

namespace {

/// One product, all by columns, not transposed: c = alpha a b + beta c.
struct Product {
    int n_rows, n_cols, n_terms, lead_a, lead_b, lead_c;
    float alpha, beta;

    void run(const float* a, const float* b, float* c) const {
        for (int col = 0; col < n_cols; ++col) {
            for (int row = 0; row < n_rows; ++row) {
                float sum = 0;
                for (int i = 0; i < n_terms; ++i)
                    sum = fmaf(a[row + std::size_t(i) * lead_a], b[i + std::size_t(col) * lead_b], sum);
                float& to = c[row + std::size_t(col) * lead_c];
                to = alpha * sum + (beta == 0 ? 0 : beta * to);
            }
        }
    }
};

}  // namespace

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    *handle = new EmulatedCublas;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) { return CUBLAS_STATUS_SUCCESS; }

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transpose_a,
                                         cublasOperation_t transpose_b, int n_rows, int n_cols, int n_terms,
                                         const float* alpha, const float* a, int lead_a, long long stride_a,
                                         const float* b, int lead_b, long long stride_b, const float* beta,
                                         float* c, int lead_c, long long stride_c, int n_batches) {
    if (transpose_a != CUBLAS_OP_N || transpose_b != CUBLAS_OP_N)
        rastertide_emulation::fail("cublasSgemmStridedBatched: transposed matrices are not emulated");
    if (n_rows < 0 || n_cols < 0 || n_terms < 0 || n_batches < 0 || lead_a < n_rows || lead_b < n_terms ||
        lead_c < n_rows)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (n_batches > 1 && stride_c < static_cast<long long>(lead_c) * n_cols)
        rastertide_emulation::fail("cublasSgemmStridedBatched: results of a batch overlap: stride %lld",
                                   stride_c);
    for (const float* matrix : {a, b, static_cast<const float*>(c)})
        rastertide_emulation::check_kernel_argument(matrix);
    const Product product = {n_rows, n_cols, n_terms, lead_a, lead_b, lead_c, *alpha, *beta};
    const cudaError_t error = rastertide_emulation::enqueue_work(handle->stream, [=] {
        for (long long i = 0; i < n_batches; ++i)
            product.run(a + i * stride_a, b + i * stride_b, c + i * stride_c);
    });
    return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
