// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "driver/region.hpp"
#include "driver/sampled_view.hpp"

namespace rastertide::plugin {

/// Readings at a quarter of the pixels and below: of sampled locations, within a budget of time for all bands
/// together.
class ReducedResolution {
  public:
    explicit ReducedResolution(LazyProduct& product) : product_(product) {}

    /// What a reader asks for, in bands from 1. A view that is not complete is gone on with when the same is
    /// asked for again.
    /// @throws std::runtime_error  it is not to go on
    void read(const ViewShape& shape, const std::vector<int>& bands, const ReadTarget& target,
              const GoOn& go_on);
    /// A part of a view that is kept as a whole, such as an overview: `part` in its pixels.
    void read_part(const ViewShape& whole, const Window& part, int band, const ReadTarget& target,
                   const GoOn& go_on);
    /// Whether views of that many pixels are kept.
    bool keeps(std::int64_t n_pixels) const;
    void clear();

  private:
    struct KeptView {
        SampledView view;
        /// Who has been shown it as it is. Who comes again sees it gone on with.
        std::set<std::pair<int, std::int64_t>> shown;
    };

    void read_from(const ViewShape& shape, const Window& part, const std::vector<int>& bands,
                   const ReadTarget& target, const GoOn& go_on);
    KeptView& view_of(const ViewShape& shape);
    void refine(SampledView& view, const GoOn& go_on);
    void warn_once(const SampledView& view);

    LazyProduct& product_;
    std::mutex mutex_;           ///< of the next
    std::list<KeptView> views_;  ///< the last that were asked for, the latest first
    bool warned_ = false;
};

}  // namespace rastertide::plugin
