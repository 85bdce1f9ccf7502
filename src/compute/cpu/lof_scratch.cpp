// SPDX-License-Identifier: Apache-2.0
#include "compute/cpu/lof_scratch.hpp"

#include <utility>

#include "core/rounding.hpp"

namespace rastertide::cpu {
namespace {

constexpr std::int64_t kPageBytes = 2 * 1024 * 1024;

/// Hands out consecutive parts of one allocation; with no allocation it only counts.
class Cutter {
  public:
    explicit Cutter(std::byte* base) : base_(base) {}

    template <class T>
    void cut(T*& part, std::int64_t n) {
        part = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + used_);
        used_ += round_up(n * static_cast<std::int64_t>(sizeof(T)), 64);
    }

    std::int64_t used() const { return used_; }

  private:
    std::byte* base_;
    std::int64_t used_ = 0;
};

struct Parts {
    float* image;
    float* pair;
    float* sums;
    float* distances;
    std::byte* records;
    std::uint16_t* counts;
    float* reach;
    std::uint16_t* location_counts;
    float* location_reach;
    float* scores;
    double* densities;
};

std::int64_t cut_parts(const LofPlan& plan, std::byte* base, Parts& parts) {
    const Block block = plan.whole_block();
    const std::int64_t n_locations = block.n_locations();
    const std::int64_t n_pixels = plan.image_rows(block) * plan.image_cols(block) * plan.n_bands;
    Cutter cutter(base);
    cutter.cut(parts.pair, n_pixels * kDatesPerPass);
    cutter.cut(parts.sums, 2 * plan.patch * plan.block_cols * kDatesPerPass * plan.n_lanes);
    cutter.cut(parts.image, n_pixels * plan.padded_dates());
    cutter.cut(parts.distances, plan.n_slabs * plan.distance_slab_floats);
    // A vector may be written past the end of these.
    cutter.cut(parts.reach, n_locations * plan.padded_dates() + kMaxLanes);
    cutter.cut(parts.counts, n_locations * plan.padded_dates());
    cutter.cut(parts.location_reach, plan.padded_dates());
    cutter.cut(parts.location_counts, plan.padded_dates());
    cutter.cut(parts.densities, plan.padded_dates());
    cutter.cut(parts.scores, n_locations * plan.padded_dates());
    cutter.cut(parts.records, n_locations * plan.n_dates * plan.record_bytes + kRecordSlackBytes);
    return round_up(cutter.used(), kPageBytes);
}

}  // namespace

std::int64_t LofScratch::bytes(const LofPlan& plan) {
    Parts parts{};
    return cut_parts(plan, nullptr, parts);
}

LofScratch::LofScratch(const LofPlan& plan) : memory_(make_buffer<std::byte>(bytes(plan))) {
    Parts parts{};
    cut_parts(plan, memory_.get(), parts);
    image = parts.image;
    pair = parts.pair;
    sums = parts.sums;
    distances = parts.distances;
    records = parts.records;
    counts = parts.counts;
    reach = parts.reach;
    location_counts = parts.location_counts;
    location_reach = parts.location_reach;
    scores = parts.scores;
    densities = parts.densities;
}

std::unique_ptr<LofScratch> ScratchPool::take() {
    {
        const std::scoped_lock lock(mutex_);
        if (!idle_.empty()) {
            std::unique_ptr<LofScratch> scratch = std::move(idle_.back());
            idle_.pop_back();
            return scratch;
        }
    }
    return std::make_unique<LofScratch>(plan_);
}

void ScratchPool::give_back(std::unique_ptr<LofScratch> scratch) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(scratch));
}

}  // namespace rastertide::cpu
