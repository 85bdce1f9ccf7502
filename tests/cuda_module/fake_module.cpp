// SPDX-License-Identifier: Apache-2.0
// A librastertide_cuda.so without CUDA: the CPU's kernels behind the module's interface, with devices and
// faults as the environment says:
//
//   FAKE_CUDA_DEVICES=N       devices that it finds (default 1)
//   FAKE_CUDA_VERSION=N       the version that it says it has
//   FAKE_CUDA_FAIL=CALL:N:HOW the N-th CALL (lof, assign, distances, open) and all later ones fail: HOW is
//   oom or lost FAKE_CUDA_LOG=FILE        gets a line for every device that is opened: "open RANK DEVICE"
//   FAKE_CUDA_RANK=N          devices and faults are those of this rank alone; others have one device, and no
//   fault
//
// Calls that fail leave rubbish in all that they were to write or add to, as the interface allows.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compute/cuda/module.hpp"
#include "compute/kernels.hpp"

namespace rastertide::cuda {

struct Session {
    int device;
};

namespace {

constexpr int kThreads = 1;

std::string variable(const char* name, const char* otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? text : otherwise;
}

std::string rank() { return variable("OMPI_COMM_WORLD_RANK", "0"); }

/// A setting that FAKE_CUDA_RANK may give to one rank alone.
std::string setting(const char* name, const char* otherwise) {
    return variable("FAKE_CUDA_RANK", rank().c_str()) == rank() ? variable(name, otherwise) : otherwise;
}

void set(Outcome& outcome, Status status, const std::string& text) {
    outcome.status = status;
    std::snprintf(outcome.text, sizeof outcome.text, "%s", text.c_str());
}

/// Whether this call is one that is to fail; then it has.
bool fails(const std::string& call, Outcome& outcome) {
    static std::map<std::string, int> n_calls;
    const int n = ++n_calls[call];
    const std::string fault = setting("FAKE_CUDA_FAIL", "");
    if (fault.rfind(call + ":", 0) != 0) return false;
    const std::size_t colon = fault.find(':', call.size() + 1);
    if (n < std::stoi(fault.substr(call.size() + 1))) return false;
    const bool out_of_memory = fault.substr(colon + 1) == "oom";
    set(outcome, out_of_memory ? Status::OutOfMemory : Status::Failed,
        call + ": " +
            (out_of_memory ? "cudaMalloc of 1234 bytes: out of memory" : "unspecified launch failure"));
    return true;
}

int count_devices(Outcome& outcome) {
    const int n = std::stoi(setting("FAKE_CUDA_DEVICES", "1"));
    if (n == 0) set(outcome, Status::Failed, "cudaGetDeviceCount: no CUDA-capable device is detected");
    return n;
}

void describe_device(int, DeviceFacts& facts, Outcome&) {
    std::snprintf(facts.name, sizeof facts.name, "Fake GPU");
    facts.major = 9;
    facts.total_bytes = std::int64_t{80} << 30;
}

Session* open_device(int device, Outcome& outcome) {
    if (fails("open", outcome)) return nullptr;
    const std::string log = variable("FAKE_CUDA_LOG", "");
    if (std::FILE* file = log.empty() ? nullptr : std::fopen(log.c_str(), "a")) {
        std::fprintf(file, "open %s %d\n", rank().c_str(), device);
        std::fclose(file);
    }
    return new Session{device};
}

void close_device(Session* session) { delete session; }

void fill_scores(const ScoreStack& scores, std::int64_t n_dates, std::int64_t n_rows, std::int64_t n_cols) {
    for (std::int64_t date = 0; date < n_dates; ++date) {
        for (std::int64_t row = 0; row < n_rows; ++row) {
            float* to = scores.data + date * scores.date_stride + row * scores.row_stride;
            for (std::int64_t col = 0; col < n_cols; ++col) to[col] = -77;
        }
    }
}

void lof(Session*, const PixelStack& pixels, const LofParams& params, const ScoreStack& scores,
         Outcome& outcome) {
    if (fails("lof", outcome)) {
        fill_scores(scores, pixels.n_dates, pixels.n_rows - params.patch_size + 1,
                    pixels.n_cols - params.patch_size + 1);
    } else {
        cpu::lof(pixels, params, scores, kThreads);
    }
}

PatchCenters centers_of(const AssignTask& task) {
    PatchCenters centers{task.patch_size, task.pixels.n_bands, task.n_clusters, {}};
    centers.values.assign(task.centers, task.centers + task.n_clusters * centers.n_features());
    return centers;
}

/// One pass of a task: where its labels are, and what changes.
class Pass {
  public:
    explicit Pass(AssignTask& task)
        : task_(task),
          centers_(centers_of(task)),
          n_rows_(task.pixels.n_rows - task.patch_size + 1),
          n_cols_(task.pixels.n_cols - task.patch_size + 1) {}

    void run() {
        const std::int64_t n = task_.pixels.n_dates * n_rows_ * n_cols_;
        std::vector<std::uint16_t> labels(static_cast<std::size_t>(n));
        cpu::assign_patches(task_.pixels, centers_, task_.fixed, {labels.data(), n_rows_ * n_cols_, n_cols_},
                            nullptr, kThreads);
        for (std::int64_t i = 0; i < n; ++i) set_label(i, labels[static_cast<std::size_t>(i)]);
    }

    void leave_rubbish() {
        const std::int64_t n = task_.pixels.n_dates * n_rows_ * n_cols_;
        for (std::int64_t i = 0; i < n; i += 2) exchange_label(i, 1);
        if (task_.counts != nullptr) task_.counts[0] += 1234567;
        if (task_.sums != nullptr) task_.sums[0] -= 7654321;
        task_.n_changed = -1;
    }

  private:
    bool has_memory() const { return task_.narrow_labels != nullptr || task_.wide_labels != nullptr; }

    /// @return the label of the last pass, 0 if none is kept
    std::uint16_t exchange_label(std::int64_t i, std::uint16_t label) {
        const std::int64_t date = i / (n_rows_ * n_cols_), row = i / n_cols_ % n_rows_, col = i % n_cols_;
        if (task_.labels.data != nullptr)
            task_.labels.data[date * task_.labels.date_stride + row * task_.labels.row_stride + col] = label;
        if (task_.narrow_labels != nullptr)
            return std::exchange(task_.narrow_labels[i], static_cast<std::uint8_t>(label));
        return task_.wide_labels != nullptr ? std::exchange(task_.wide_labels[i], label) : std::uint16_t{0};
    }

    void set_label(std::int64_t i, std::uint16_t label) {
        const std::uint16_t before = exchange_label(i, label);
        if (label == before) return;
        if (has_memory()) ++task_.n_changed;
        add(i, before, -1);
        add(i, label, 1);
    }

    void add(std::int64_t i, std::uint16_t label, std::int64_t times) {
        if (label == 0 || task_.counts == nullptr) return;
        const std::int64_t date = i / (n_rows_ * n_cols_), row = i / n_cols_ % n_rows_, col = i % n_cols_;
        task_.counts[label - 1] += times;
        std::int64_t* sums = task_.sums + (label - 1) * centers_.n_features();
        for (std::int64_t f = 0; f < centers_.n_features(); ++f) {
            const std::int64_t p = task_.patch_size, band = f / (p * p), y = f / p % p, x = f % p;
            const PixelStack& pixels = task_.pixels;
            const float value =
                pixels.data[((date * pixels.n_bands + band) * pixels.n_rows + row + y) * pixels.n_cols + col +
                            x];
            sums[f] += times * task_.fixed.to_integer(value);
        }
    }

    AssignTask& task_;
    PatchCenters centers_;
    std::int64_t n_rows_, n_cols_;
};

void assign(Session*, AssignTask& task, Outcome& outcome) {
    Pass pass(task);
    if (fails("assign", outcome)) {
        pass.leave_rubbish();
    } else {
        pass.run();
    }
}

void distances(Session*, const AssignTask& task, const ScoreStack& to, Outcome& outcome) {
    if (fails("distances", outcome)) {
        fill_scores(to, task.pixels.n_dates, task.pixels.n_rows - task.patch_size + 1,
                    task.pixels.n_cols - task.patch_size + 1);
    } else {
        cpu::patch_distances(task.pixels, centers_of(task), to, kThreads);
    }
}

void forget(Session*, std::uint64_t) {}
void use_threads(Session*, int) {}

}  // namespace
}  // namespace rastertide::cuda

extern "C" __attribute__((visibility("default"))) const rastertide::cuda::Module* rastertide_cuda_module() {
    using namespace rastertide::cuda;
    static const Module module = {
        std::stoi(variable("FAKE_CUDA_VERSION", std::to_string(kModuleVersion).c_str())),
        count_devices,
        describe_device,
        open_device,
        close_device,
        use_threads,
        lof,
        assign,
        distances,
        forget};
    return &module;
}
