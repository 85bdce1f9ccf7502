// SPDX-License-Identifier: Apache-2.0
// The table of functions that librastertide_cuda.so offers: failures end here, as outcomes.
#include "compute/cuda/module.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <string_view>

#include "compute/cuda/session.hpp"

namespace rastertide::cuda {
namespace {

void set_outcome(Outcome& outcome, Status status, std::string_view text) {
    outcome.status = status;
    const std::size_t n = std::min(text.size(), sizeof(outcome.text) - 1);
    std::copy_n(text.data(), n, outcome.text);
    outcome.text[n] = '\0';
}

/// Runs what may throw. @return whether it did not
template <class Call>
bool attempt(Outcome& outcome, Call call) {
    try {
        call();
        set_outcome(outcome, Status::Ok, "");
        return true;
    } catch (const CudaFailure& failure) {
        set_outcome(outcome, failure.status, failure.text);
    } catch (const std::bad_alloc&) {
        set_outcome(outcome, Status::OutOfMemory, "out of memory on the host");
    } catch (const std::exception& error) {
        set_outcome(outcome, Status::Failed, error.what());
    }
    return false;
}

int count_devices(Outcome& outcome) {
    int n = 0;  // the call leaves it as it is where there is no driver
    attempt(outcome, [&] { check(cudaGetDeviceCount(&n), "cudaGetDeviceCount"); });
    return outcome.status == Status::Ok ? n : 0;
}

void describe_device(int device, DeviceFacts& facts, Outcome& outcome) {
    attempt(outcome, [&] {
        cudaDeviceProp properties = {};
        check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
        const std::string_view name = properties.name;
        std::copy_n(name.data(), std::min(name.size(), sizeof(facts.name) - 1), facts.name);
        facts.major = properties.major;
        facts.minor = properties.minor;
        // Nothing that would make a context: every rank looks at all devices, and uses one.
        facts.total_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
    });
}

Session* open_session(int device, Outcome& outcome) {
    std::unique_ptr<Session> session;
    const bool is_open = attempt(outcome, [&] {
        check(cudaSetDevice(device), "cudaSetDevice " + std::to_string(device));
        session = std::make_unique<Session>();
        session->device = device;
    });
    return is_open ? session.release() : nullptr;
}

void close_session(Session* session) { delete session; }

void use_threads(Session* session, int n_threads) { session->n_threads = n_threads; }

void lof_of_tile(Session* session, const PixelStack& pixels, const LofParams& params,
                 const ScoreStack& scores, Outcome& outcome) {
    attempt(outcome, [&] {
        session->select();
        score_tile(*session, pixels, params, scores);
    });
}

void assign(Session* session, AssignTask& task, Outcome& outcome) {
    attempt(outcome, [&] {
        session->select();
        assign_tile(*session, task);
    });
}

void distances_of_tile(Session* session, const AssignTask& task, const ScoreStack& distances,
                       Outcome& outcome) {
    attempt(outcome, [&] {
        session->select();
        measure_tile(*session, task, distances);
    });
}

void forget(Session* session, std::uint64_t tile) { session->tiles.erase(tile); }

constexpr Module kModule = {kModuleVersion, count_devices, describe_device, open_session,      close_session,
                            use_threads,    lof_of_tile,   assign,          distances_of_tile, forget};

}  // namespace
}  // namespace rastertide::cuda

extern "C" __attribute__((visibility("default"))) const rastertide::cuda::Module* rastertide_cuda_module() {
    return &rastertide::cuda::kModule;
}
