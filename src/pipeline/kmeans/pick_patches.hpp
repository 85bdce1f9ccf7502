// SPDX-License-Identifier: Apache-2.0
// Which patches of a stack are picked, by random numbers that belong to their position: the same for any
// tiles and ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/counter_random.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"

namespace rastertide {

/// Decides on each patch, and keeps those it takes.
class PatchPicker {
  public:
    explicit PatchPicker(std::int64_t n_features) : patches_(n_features) {}
    virtual ~PatchPicker() = default;

    /// The patch's key, NaN: not wanted. Called by many threads.
    /// @param squared_distance  to the nearest of the centres that the pass was given
    virtual double key(std::int64_t index, double squared_distance) const = 0;
    /// Called by one thread, for keys that are not NaN. @return where its values go; null: not wanted
    virtual float* take(std::int64_t index, double key) { return patches_.add(index, key); }

    const PatchList& patches() const { return patches_; }

  protected:
    PatchList patches_;
};

/// About n patches, more of them far from the mean; the key is the weight.
class WeightedSample final : public PatchPicker {
  public:
    WeightedSample(const KMeansRun& run, const StackMoments& moments, std::int64_t n);
    double key(std::int64_t index, double squared_distance) const override;

  private:
    std::uint64_t seed_;
    double share_;
    double mean_squared_distance_;
};

/// The n patches that come first in an order; the key is their place in it.
class FirstPatches final : public PatchPicker {
  public:
    enum class Order {
        Random,
        /// As if drawn one after the other without replacement, each with probability proportional to its
        /// squared distance: by -log(u) / distance (Efraimidis & Spirakis 2006). None at distance 0.
        RandomByDistance,
        Farthest,  ///< none at distance 0
    };
    /// @param random_key  of random_of(); not used by Farthest
    FirstPatches(const KMeansRun& run, std::int64_t n, Order order, std::uint64_t random_key = 0);
    double key(std::int64_t index, double squared_distance) const override;
    float* take(std::int64_t index, double key) override;

  private:
    double place_in_order(std::int64_t index, double squared_distance) const;
    bool comes_after(std::int64_t a, std::int64_t b) const;

    std::int64_t n_;
    Order order_;
    std::uint64_t random_key_;
    std::vector<std::int64_t> heap_;  // places in the list, the last in order first; once there are n
};

/// Takes a tile's patches through a picker.
class PatchPass {
  public:
    PatchPass(KMeansRun& run, PatchCenters centers);
    void visit(const Tile& tile, const float* pixels, PatchPicker& picker);

  private:
    void copy_patch(const Tile& tile, const float* pixels, std::int64_t date, std::int64_t location,
                    float* values) const;

    KMeansRun& run_;
    PatchCenters centers_;
    Buffer<float> distances_;  // of a tile, [label dates][locations]; NaN: not valid
};

/// One centre, all of whose values are equal.
PatchCenters constant_center(const KMeansRun& run, double value);

/// Takes all patches of the run through a picker. @return the first n of those it took on all ranks, by key,
/// then by index. Collective.
PatchList pick_patches(KMeansRun& run, Communicator& comm, TilePasses& passes, const PatchCenters& centers,
                       PatchPicker& picker, std::int64_t n);

}  // namespace rastertide
