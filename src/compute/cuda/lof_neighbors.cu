// SPDX-License-Identifier: Apache-2.0
// The k nearest dates of every date, exactly, with distances formed twice and never stored:
//  1. the least distance of each of n_groups groups of dates. The k-th smallest of these is a bound: k dates
//  at
//     least are no farther.
//  2. the dates within the bound, little more than k of them, and of these the k nearest.
#include <cstdint>
#include <limits>

#include "compute/cuda/lof_distances.hpp"
#include "compute/cuda/lof_kernels.hpp"

namespace rastertide::cuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Of the arrays that hold some dates s at a time.
struct DateRange {
    int first = 0, end = 0;
};

__device__ LofBlock block_of(const LocationGrid& locations, const DateRange& range) {
    LofBlock block;
    block.row = static_cast<int>(blockIdx.y) * locations.block_rows;
    block.col = static_cast<int>(blockIdx.x) * locations.block_cols;
    RASTERTIDE_UNROLL
    for (int s = 0; s < kDates; ++s) {
        const int date = range.first + static_cast<int>(blockIdx.z) * kDates + s;
        block.dates[s] = date < range.end ? date : range.end - 1;  // the last one twice, and stored once
    }
    return block;
}

/// The thread's run of locations, as for_each_distance() has them.
struct RunPlace {
    std::int64_t first, stride;  ///< in the arrays by locations
    __device__ RunPlace(const LocationGrid& locations, const LofBlock& block)
        : first((block.row + std::int64_t{threadIdx.x / 32} * kRun) * locations.padded_cols() + block.col +
                threadIdx.x % 32),
          stride(locations.padded_cols()) {}
};

template <int kPatch>
__global__ void __launch_bounds__(LofShape<kPatch>::kThreads, LofShape<kPatch>::kBlocks)
    least_of_groups(ImageStack images, LocationGrid locations, int patch, DateRange range, int n_groups,
                    float* minima) {
    using Tile = LofTile<kPatch>;
    RASTERTIDE_SHARED(Tile, tile);
    const LofBlock block = block_of(locations, range);
    const RunPlace place(locations, block);
    float least[kDates][kRun];
    const auto reset = [&] {
        RASTERTIDE_UNROLL
        for (int s = 0; s < kDates; ++s) {
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i) least[s][i] = kInfinity;
        }
    };
    reset();
    for_each_distance<kPatch>(
        images, block, patch, n_groups, tile,
        [&](int s, int, const float(&distances)[kRun]) {
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i)
                least[s][i] = fminf(least[s][i], distances[i]);  // NaN is passed over
        },
        [&](int group) {
            RASTERTIDE_UNROLL
            for (int s = 0; s < kDates; ++s) {
                if (s > 0 && block.dates[s] == block.dates[s - 1]) continue;
                const std::int64_t n = locations.n_padded();
                float* to = minima + (std::int64_t{block.dates[s] - range.first} * n_groups + group) * n;
                RASTERTIDE_UNROLL
                for (int i = 0; i < kRun; ++i) to[place.first + i * place.stride] = least[s][i];
            }
            reset();
        });
}

/// Of the values put in, the kMost smallest, in order, in registers.
template <int kMost>
class SmallestValues {
  public:
    /// The last one will be the n_wanted-th smallest.
    __device__ __forceinline__ explicit SmallestValues(int n_wanted) {
        RASTERTIDE_UNROLL
        for (int i = 0; i < kMost; ++i) values_[i] = i < kMost - n_wanted ? -1.0F : kInfinity;
    }
    __device__ __forceinline__ void put(float value) {
        RASTERTIDE_UNROLL
        for (int i = 0; i < kMost; ++i) {
            const float larger = fmaxf(values_[i], value);
            values_[i] = fminf(values_[i], value);
            value = larger;
        }
    }
    __device__ __forceinline__ float last() const { return values_[kMost - 1]; }

  private:
    float values_[kMost];
};

constexpr int kListThreads = 128;

/// A location and a date s of a grid of kListThreads x (locations, dates).
struct ListPlace {
    std::int64_t location;
    int date;  ///< from the first of the range
    __device__ ListPlace()
        : location(std::int64_t{blockIdx.x} * kListThreads + threadIdx.x),
          date(static_cast<int>(blockIdx.y)) {}
};

template <int kMost>
__global__ void __launch_bounds__(kListThreads, 4)
    bound_neighbors(std::int64_t n, int n_groups, int n_wanted, const float* minima, float* bounds) {
    const ListPlace place;
    if (place.location >= n) return;
    SmallestValues<kMost> smallest(n_wanted);
    const float* from = minima + std::int64_t{place.date} * n_groups * n + place.location;
    for (int group = 0; group < n_groups; ++group) smallest.put(from[group * n]);
    bounds[place.date * n + place.location] = smallest.last();
}

/// Squared distances are not negative: their bits are in their order. Ties go to the earlier date.
__device__ __forceinline__ unsigned long long key_of(float distance, int date) {
    return static_cast<unsigned long long>(__float_as_uint(distance)) << 32 | static_cast<unsigned>(date);
}
__device__ __forceinline__ float distance_of(unsigned long long key) {
    return __uint_as_float(static_cast<unsigned>(key >> 32));
}

/// Brings the n_wanted smallest of n_keys keys, `stride` apart, to the front, in order.
__device__ __forceinline__ void sort_front(unsigned long long* keys, std::int64_t stride, int n_keys,
                                           int n_wanted) {
    for (int i = 0; i < n_wanted && i < n_keys; ++i) {
        unsigned long long least = keys[i * stride];
        int place = i;
        const unsigned long long first = least;
        for (int j = i + 1; j < n_keys; ++j) {
            const unsigned long long key = keys[j * stride];
            if (key < least) {
                least = key;
                place = j;
            }
        }
        keys[place * stride] = first;
        keys[i * stride] = least;
    }
}

/// Makes room in a full list: what is beyond its n_wanted smallest keys goes. @return the largest that stays.
/// Seldom called, from many places.
__device__ __noinline__ float cut_list(unsigned long long* keys, std::int64_t stride, int n_keys,
                                       int n_wanted) {
    sort_front(keys, stride, n_keys, n_wanted);
    return distance_of(keys[(n_wanted - 1) * stride]);
}

/// Counts up to 255 of a run of locations, a byte each: registers are what limits the kernel.
class RunCounts {
  public:
    __device__ __forceinline__ int get(int i) const { return static_cast<int>(bytes_ >> (8 * i) & 255U); }
    __device__ __forceinline__ void add_one(int i) { bytes_ += 1ULL << (8 * i); }
    __device__ __forceinline__ void set(int i, int count) {
        bytes_ = (bytes_ & ~(255ULL << (8 * i))) | static_cast<unsigned long long>(count) << (8 * i);
    }

  private:
    unsigned long long bytes_ = 0;
};
static_assert(kRun == 8);

template <int kPatch>
__global__ void __launch_bounds__(LofShape<kPatch>::kThreads, LofShape<kPatch>::kBlocks)
    collect_neighbors(ImageStack images, LocationGrid locations, int patch, DateRange range, int n_groups,
                      int n_wanted, int capacity, const float* bounds, unsigned long long* found,
                      int* n_found) {
    using Tile = LofTile<kPatch>;
    RASTERTIDE_SHARED(Tile, tile);
    const LofBlock block = block_of(locations, range);
    const RunPlace place(locations, block);
    const int n = static_cast<int>(locations.n_padded());  // capacity * n fits, see score_tile.cpp
    const int stride = static_cast<int>(place.stride);
    const bool has_locations = threadIdx.x / 32 < LofShape<kPatch>::kSumWarps;
    float mine[kDates][kRun];
    RunCounts counts[kDates];
    unsigned long long* keys[kDates];
    RASTERTIDE_UNROLL
    for (int s = 0; s < kDates; ++s) {
        const std::int64_t date = block.dates[s] - range.first;
        keys[s] = found + date * capacity * n + place.first;
        RASTERTIDE_UNROLL
        for (int i = 0; i < kRun; ++i)
            mine[s][i] = has_locations ? bounds[date * n + place.first + i * stride] : 0;
    }
    for_each_distance<kPatch>(
        images, block, patch, n_groups, tile,
        [&](int s, int date, const float(&distances)[kRun]) {
            if (s > 0 && block.dates[s] == block.dates[s - 1]) return;
            bool is_full = false;
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i) {
                if (!(distances[i] <= mine[s][i])) continue;
                keys[s][counts[s].get(i) * n + i * stride] = key_of(distances[i], date);
                counts[s].add_one(i);
                is_full = is_full || counts[s].get(i) == capacity;
            }
            if (!is_full) return;
            RASTERTIDE_UNROLL
            for (int i = 0; i < kRun; ++i) {
                if (counts[s].get(i) < capacity) continue;
                mine[s][i] = cut_list(keys[s] + i * stride, n, capacity, n_wanted);
                counts[s].set(i, n_wanted);
            }
        },
        [](int) {});
    if (!has_locations) return;
    RASTERTIDE_UNROLL
    for (int s = 0; s < kDates; ++s) {
        if (s > 0 && block.dates[s] == block.dates[s - 1]) continue;
        int* to = n_found + std::int64_t{block.dates[s] - range.first} * n + place.first;
        RASTERTIDE_UNROLL
        for (int i = 0; i < kRun; ++i) to[i * stride] = counts[s].get(i);
    }
}

/// The nearest of those found, in order, with their distances.
__global__ void __launch_bounds__(kListThreads)
    list_neighbors(std::int64_t n, DateRange range, int n_wanted, int neighbors, int capacity,
                   unsigned long long* found, const int* n_found, float* distances, unsigned short* dates,
                   unsigned short* counts, float* k_distances) {
    const ListPlace place;
    if (place.location >= n) return;
    unsigned long long* keys = found + std::int64_t{place.date} * capacity * n + place.location;
    const int n_keys = n_found[place.date * n + place.location];
    sort_front(keys, n, n_keys, n_wanted);
    const int n_valid =
        n_keys < 2 ? 0 : (n_keys < neighbors ? n_keys : neighbors);  // fewer than three dates: none
    const std::int64_t date = range.first + place.date;
    float farthest = 0;
    for (int i = 0; i < n_valid; ++i) {
        const unsigned long long key = keys[i * n];
        const std::int64_t to = (date * neighbors + i) * n + place.location;
        farthest = sqrtf(distance_of(key));
        distances[to] = farthest;
        dates[to] = static_cast<unsigned short>(key & 0xFFFFU);
    }
    counts[date * n + place.location] = static_cast<unsigned short>(n_valid);
    k_distances[date * n + place.location] = farthest;
}

template <int kPatch>
void search_dates(const LofPart& part, const LofArrays& arrays, const DateRange& range, cudaStream_t stream) {
    const LocationGrid& locations = part.locations;
    const std::int64_t n = locations.n_padded();
    const auto n_dates = static_cast<unsigned>(range.end - range.first);
    const dim3 blocks(static_cast<unsigned>(locations.n_block_cols()),
                      static_cast<unsigned>(locations.n_block_rows()), n_blocks(n_dates, kDates));
    const dim3 list_blocks(n_blocks(n, kListThreads), n_dates);
    constexpr unsigned kThreads = LofShape<kPatch>::kThreads;
    launch("least_of_groups", least_of_groups<kPatch>, blocks, kThreads, stream, part.images, locations,
           part.patch, range, part.n_groups(), arrays.minima);
    launch("bound_neighbors", part.n_wanted() <= 16 ? bound_neighbors<16> : bound_neighbors<64>, list_blocks,
           kListThreads, stream, n, part.n_groups(), part.n_wanted(), arrays.minima, arrays.bounds);
    launch("collect_neighbors", collect_neighbors<kPatch>, blocks, kThreads, stream, part.images, locations,
           part.patch, range, part.n_groups(), part.n_wanted(), part.capacity(), arrays.bounds, arrays.found,
           arrays.n_found);
    launch("list_neighbors", list_neighbors, list_blocks, kListThreads, stream, n, range, part.n_wanted(),
           part.neighbors, part.capacity(), arrays.found, arrays.n_found, arrays.distances, arrays.dates,
           arrays.counts, arrays.k_distances);
}

using SearchDates = void (*)(const LofPart&, const LofArrays&, const DateRange&, cudaStream_t);

SearchDates search_for(int patch) {
    switch (patch) {
        case 1:
            return search_dates<1>;
        case 3:
            return search_dates<3>;
        case 5:
            return search_dates<5>;
        case 7:
            return search_dates<7>;
        default:
            return search_dates<0>;
    }
}

}  // namespace

int LofPart::n_groups() const {
    const int wanted = n_wanted() <= 16 ? 32 : 128;
    return images.n_dates < wanted ? images.n_dates : wanted;
}

int LofPart::capacity() const { return n_wanted() <= 16 ? 32 : 128; }

int lof_block_rows(int patch) { return patch <= kMostFixedPatch ? LofShape<7>::kRows : LofShape<0>::kRows; }

void find_neighbors(const LofPart& part, const LofArrays& arrays, cudaStream_t stream) {
    const SearchDates search = search_for(part.patch);
    for (int first = 0; first < part.images.n_dates; first += kDatesAtATime) {
        const int end = first + kDatesAtATime;
        search(part, arrays, {first, end < part.images.n_dates ? end : part.images.n_dates}, stream);
    }
}

}  // namespace rastertide::cuda
