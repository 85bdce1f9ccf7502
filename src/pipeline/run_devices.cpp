// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_devices.hpp"

#include <memory>
#include <set>

#include <rastertide/core/backend.hpp>

#include "pipeline/resume.hpp"
#include "pipeline/run_record.hpp"

namespace rastertide {
namespace {

/// What a run that goes on was made with, if all its ranks had that and it needs no device; else auto. Scores
/// of another backend differ in their last bits.
Backend backend_of_run(const RunOptions& options, const RunKind& kind) {
    if (!finds_run_to_resume(options)) return Backend::Auto;
    const Json record = read_run_record(options.outdir, kind);
    const Json word = record["options"].value("device", Json());
    for (const Backend backend : {Backend::Cpu, Backend::Reference}) {
        if (word == Json(to_string(backend))) return backend;
    }
    return Backend::Auto;
}

std::string device_name(const ComputeOptions& compute) {
    if (compute.backend != Backend::Cuda) return std::string(to_string(compute.backend));
    const std::vector<DeviceInfo>& devices = cuda_devices();
    return devices[static_cast<std::size_t>(compute.device) % devices.size()].name;
}

template <class Strings>
std::string joined(const Strings& words, const char* between) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

}  // namespace

std::string RunDevices::text() const {
    if (ranks.size() == 1) return ranks.begin()->first;
    std::vector<std::string> parts;
    for (const auto& [name, n] : ranks) parts.push_back(std::to_string(n) + " x " + name);
    return joined(parts, ", ");
}

OwnDevice take_device(RunOptions& options, const RunKind& kind, const Communicator& comm,
                      const Logger& logger) {
    ComputeOptions& compute = options.compute;
    const bool was_auto = compute.backend == Backend::Auto;
    if (was_auto) compute.backend = backend_of_run(options, kind);
    const bool is_auto = compute.backend == Backend::Auto;
    compute.backend = resolve_backend(compute.backend);
    compute.device = comm.node_rank();
    if (was_auto && compute.backend == Backend::Cuda)
        compute.fallback = std::make_shared<CpuFallback>(logger);
    OwnDevice own = {std::string(to_string(compute.backend)), device_name(compute), "", false};
    // Not where no device is wanted: even to look for one takes time.
    if (is_auto && compute.backend == Backend::Cpu) {
        own.why_cpu = why_no_cuda();
        own.has_cuda_module = has_cuda_module();
    }
    return own;
}

RunDevices gather_devices(const OwnDevice& own, Communicator& comm) {
    const Json json = {own.backend, own.name, own.why_cpu, own.has_cuda_module};
    RunDevices devices;
    std::set<std::string> backends;
    for (const std::string& text : comm.gather(json_text(json))) {
        const Json of_rank = Json::parse(text);
        backends.insert(of_rank[0].get<std::string>());
        ++devices.ranks[of_rank[1].get<std::string>()];
        if (devices.why_cpu.empty()) devices.why_cpu = of_rank[2].get<std::string>();
        devices.is_worth_saying = devices.is_worth_saying || of_rank[3].get<bool>();
    }
    devices.is_worth_saying = devices.is_worth_saying || backends.size() > 1;
    devices.backends = joined(backends, "+");
    return devices;
}

std::vector<std::string> gather_device_errors(const ComputeOptions& compute, Communicator& comm) {
    std::vector<std::string> errors;
    int rank = 0;
    for (const std::string& text : comm.gather(compute.fallback ? compute.fallback->reason() : "")) {
        if (!text.empty()) errors.push_back("rank " + std::to_string(rank) + ": " + text);
        ++rank;
    }
    return errors;
}

}  // namespace rastertide
