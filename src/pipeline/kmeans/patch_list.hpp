// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rastertide/reduce/communicator.hpp>

namespace rastertide {

/// Patches that were picked from a stack, each with a key (a weight, a distance, an order).
class PatchList {
  public:
    explicit PatchList(std::int64_t n_features) : n_features_(n_features) {}

    std::int64_t n() const { return static_cast<std::int64_t>(indices_.size()); }
    std::int64_t n_features() const { return n_features_; }
    /// Position in the stack: (date * rows + row) * columns + column of the centre.
    std::int64_t index(std::int64_t i) const { return indices_[static_cast<std::size_t>(i)]; }
    double key(std::int64_t i) const { return keys_[static_cast<std::size_t>(i)]; }
    const float* values(std::int64_t i) const { return values_.data() + i * n_features_; }

    const std::vector<double>& keys() const { return keys_; }
    const std::vector<float>& all_values() const { return values_; }

    /// @return where the patch's values go
    float* add(std::int64_t index, double key);
    float* replace(std::int64_t i, std::int64_t index, double key);

    /// The patches at these places, in this order.
    PatchList select(const std::vector<std::int64_t>& places) const;
    PatchList sorted_by_index() const;
    /// The n smallest by key, then by index, in this order.
    PatchList smallest(std::int64_t n) const;
    /// The lists of all ranks together, on every rank. Collective. @throws CommError
    PatchList gathered(Communicator& comm) const;
    /// smallest() of the lists of all ranks together, on every rank. Collective. @throws CommError
    PatchList smallest_of_all(std::int64_t n, Communicator& comm) const;

  private:
    std::string bytes() const;
    void append(const std::string& bytes);

    std::int64_t n_features_;
    std::vector<std::int64_t> indices_;
    std::vector<double> keys_;
    std::vector<float> values_;
};

}  // namespace rastertide
