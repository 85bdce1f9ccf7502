// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/patch_list.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace rastertide {
namespace {

template <class T>
void append_bytes(std::string& bytes, const std::vector<T>& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class T>
const char* append_values(std::vector<T>& values, const char* from, std::size_t n) {
    const std::size_t n_before = values.size();
    values.resize(n_before + n);
    if (n > 0) std::memcpy(values.data() + n_before, from, n * sizeof(T));
    return from + n * sizeof(T);
}

template <class Less>
std::vector<std::int64_t> places_in_order(std::int64_t n, Less less) {
    std::vector<std::int64_t> places(static_cast<std::size_t>(n));
    std::iota(places.begin(), places.end(), 0);
    std::sort(places.begin(), places.end(), less);
    return places;
}

}  // namespace

float* PatchList::add(std::int64_t index, double key) {
    indices_.push_back(index);
    keys_.push_back(key);
    values_.resize(values_.size() + static_cast<std::size_t>(n_features_));
    return values_.data() + values_.size() - n_features_;
}

float* PatchList::replace(std::int64_t i, std::int64_t index, double key) {
    indices_[static_cast<std::size_t>(i)] = index;
    keys_[static_cast<std::size_t>(i)] = key;
    return values_.data() + i * n_features_;
}

PatchList PatchList::select(const std::vector<std::int64_t>& places) const {
    PatchList selected(n_features_);
    for (const std::int64_t place : places)
        std::copy_n(values(place), n_features_, selected.add(index(place), key(place)));
    return selected;
}

PatchList PatchList::sorted_by_index() const {
    return select(
        places_in_order(n(), [this](std::int64_t a, std::int64_t b) { return index(a) < index(b); }));
}

PatchList PatchList::smallest(std::int64_t n_wanted) const {
    std::vector<std::int64_t> places = places_in_order(n(), [this](std::int64_t a, std::int64_t b) {
        return key(a) != key(b) ? key(a) < key(b) : index(a) < index(b);
    });
    if (n_wanted < n()) places.resize(static_cast<std::size_t>(n_wanted));
    return select(places);
}

PatchList PatchList::gathered(Communicator& comm) const {
    PatchList all(n_features_);
    for (const std::string& bytes : comm.gather(bytes())) all.append(bytes);
    return all;
}

PatchList PatchList::smallest_of_all(std::int64_t n_wanted, Communicator& comm) const {
    // Every rank may have as many as are wanted: keys tell which, and only these patches are sent.
    PatchList own_keys(0);
    for (std::int64_t i = 0; i < n(); ++i) own_keys.add(index(i), key(i));
    const PatchList chosen = own_keys.gathered(comm).smallest(n_wanted);
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < n(); ++i) {
        const std::pair own(key(i), index(i));
        if (chosen.n() > 0 && own <= std::pair(chosen.key(chosen.n() - 1), chosen.index(chosen.n() - 1)))
            places.push_back(i);
    }
    return select(places).gathered(comm).smallest(n_wanted);
}

std::string PatchList::bytes() const {
    std::string bytes;
    append_bytes(bytes, indices_);
    append_bytes(bytes, keys_);
    append_bytes(bytes, values_);
    return bytes;
}

void PatchList::append(const std::string& bytes) {
    const std::size_t n_values = static_cast<std::size_t>(n_features_);
    const std::size_t n = bytes.size() / (sizeof(std::int64_t) + sizeof(double) + n_values * sizeof(float));
    const char* from = append_values(indices_, bytes.data(), n);
    from = append_values(keys_, from, n);
    append_values(values_, from, n * n_values);
}

}  // namespace rastertide
