// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/tile_passes.hpp"

#include <algorithm>
#include <future>

namespace rastertide {

TilePasses::TilePasses(StackRun& run, const std::vector<Tile>& tiles, std::int64_t keep_bytes)
    : run_(run), free_bytes_(keep_bytes) {
    std::int64_t max_unkept = 0;
    for (const Tile& tile : tiles) {
        if (tile.locations.empty()) continue;
        tiles_.push_back(tile);
        const std::int64_t n_values = run.source_values(tile);
        const std::int64_t n_bytes = n_values * std::int64_t{sizeof(float)};
        const bool keep = n_bytes <= free_bytes_;
        kept_.push_back(keep ? std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(n_values))
                             : nullptr);
        if (keep) {
            free_bytes_ -= n_bytes;
        } else {
            max_unkept = std::max(max_unkept, n_values);
        }
    }
    is_read_.assign(tiles_.size(), false);
    if (max_unkept == 0) return;
    for (Buffer<float>& slot : slots_) slot = make_buffer<float>(max_unkept);
}

float* TilePasses::buffer(std::int64_t place) {
    float* kept = kept_[static_cast<std::size_t>(place)].get();
    return kept != nullptr ? kept : slots_[slot_].get();
}

std::int64_t TilePasses::next_to_read(std::int64_t place) const {
    while (place < n_tiles() && is_read_[static_cast<std::size_t>(place)]) ++place;
    return place;
}

void TilePasses::for_each(const Visit& visit) {
    std::int64_t reading = -1;
    float* read_into = nullptr;
    std::future<void> read;  // last: it ends before what it refers to
    const auto read_next = [&](std::int64_t from) {
        reading = next_to_read(from);
        if (reading >= n_tiles()) return;
        slot_ = 1 - slot_;  // the other one may still be worked on
        read_into = buffer(reading);
        read = std::async(std::launch::async,
                          [this, reading, read_into] { run_.read_pixels(tile(reading), read_into); });
    };
    read_next(0);
    for (std::int64_t place = 0; place < n_tiles(); ++place) {
        const float* pixels = kept_[static_cast<std::size_t>(place)].get();
        if (place == reading) {
            read.get();
            pixels = read_into;
            is_read_[static_cast<std::size_t>(place)] = kept_[static_cast<std::size_t>(place)] != nullptr;
            read_next(place + 1);
        }
        visit(place, tile(place), pixels);
        throw_if_stopped();
    }
}

std::vector<Tile> tiles_of_rank(const TilePlan& plan, int rank, int size) {
    std::vector<std::int64_t> loads(static_cast<std::size_t>(size), 0);
    std::vector<Tile> own;
    for (const Tile& tile : plan.tiles) {
        const auto least = std::min_element(loads.begin(), loads.end());
        *least += std::max<std::int64_t>(1, tile.source.n_pixels());
        if (least - loads.begin() == rank) own.push_back(tile);
    }
    return own;
}

}  // namespace rastertide
