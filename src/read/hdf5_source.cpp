// SPDX-License-Identifier: Apache-2.0
// Stacks (time, y, x) read by hyperslabs: GDAL's drivers take minutes where these take seconds.
#include <algorithm>
#include <array>
#include <cmath>

#include <rastertide/core/error.hpp>

#include "read/hdf5_dataset.hpp"
#include "read/hdf5_georeference.hpp"
#include "read/source.hpp"
#include "read/valid_value.hpp"

namespace rastertide {
namespace {

/// GDAL's name of a stored type.
std::string type_name(hid_t type) {
    const std::string bits = std::to_string(8 * H5Tget_size(type));
    if (H5Tget_class(type) == H5T_FLOAT) return "Float" + bits;
    const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    return !is_signed && bits == "8" ? "Byte" : (is_signed ? "Int" : "UInt") + bits;
}

bool fits_float(hid_t type) {
    constexpr std::size_t kFloatBytes = 4, kExactIntegerBytes = 2;
    return H5Tget_size(type) <= (H5Tget_class(type) == H5T_FLOAT ? kFloatBytes : kExactIntegerBytes);
}

class Hdf5Source final : public RasterSource {
  public:
    Hdf5Source(const Hdf5Name& name, const SourceOptions& options) : name_(name) {
        const Hdf5Calls calls("'" + name_.file + "': cannot open the HDF5 file");
        open(calls);
        describe(calls, options);
    }

    const SourceInfo& info() const override { return info_; }

    void read(const Window& window, std::span<const int> bands, float* out) override {
        const Hdf5Calls calls(place_of(window));
        if (dataset_.get() < 0) open(calls);
        for (std::size_t first = 0; first < bands.size();) {
            std::size_t end = first + 1;
            while (end < bands.size() && bands[end] == bands[end - 1] + 1) ++end;
            read_run(calls, window, bands[first], static_cast<std::int64_t>(end - first), out);
            out += static_cast<std::int64_t>(end - first) * window.n_pixels();
            first = end;
        }
    }

    std::vector<std::string> files() override { return {name_.file}; }

    void release() override {
        dataset_ = {};
        file_ = {};
    }

  private:
    std::string place_of(const Window& window) const {
        return "'" + name_.file + "', dataset '" + name_.dataset + "', window " + std::to_string(window.col) +
               " " + std::to_string(window.row) + " " + std::to_string(window.n_cols) + " x " +
               std::to_string(window.n_rows) + ": cannot read";
    }

    void open(const Hdf5Calls& calls) {
        file_ = calls.own(H5Fopen(name_.file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
        dataset_ = open_stack(calls, file_.get(), name_);
        name_.dataset = path_of(dataset_.get());
    }

    void describe(const Hdf5Calls& calls, const SourceOptions& options) {
        const Hdf5Id type = calls.own(H5Dget_type(dataset_.get()));
        info_.name = name_.file;
        info_.format = "HDF5";
        info_.data_type = type_name(type.get());
        fits_float_ = fits_float(type.get());
        const Hdf5Georeference georeference = read_georeference(calls, dataset_.get(), name_.file);
        info_.grid = georeference.grid;
        flipped_ = georeference.first_row_is_last;
        describe_blocks(calls);
        const std::string label = name_.dataset.substr(name_.dataset.rfind('/') + 1);
        for (const Hdf5Date& date : read_time(calls, dataset_.get())) {
            info_.bands.push_back({label, date.date, date.source});
        }
        describe_values(calls, type.get(), options);
    }

    void describe_blocks(const Hdf5Calls& calls) {
        const Hdf5Id creation = calls.own(H5Dget_create_plist(dataset_.get()));
        std::array<hsize_t, 3> chunk = {1, 1, 0};
        const bool chunked = H5Pget_layout(creation.get()) == H5D_CHUNKED;
        if (chunked) H5Pget_chunk(creation.get(), 3, chunk.data());
        info_.block_n_rows = std::min(static_cast<std::int64_t>(chunk[1]), info_.grid.n_rows);
        info_.block_n_cols =
            chunked ? std::min(static_cast<std::int64_t>(chunk[2]), info_.grid.n_cols) : info_.grid.n_cols;
    }

    void describe_values(const Hdf5Calls& calls, hid_t type, const SourceOptions& options) {
        info_.nodata = options.srcnodata;
        for (const char* name : {"_FillValue", "missing_value"}) {
            if (!info_.nodata) info_.nodata = number_attribute(calls, dataset_.get(), name);
        }
        // netCDF's classic types have no sign bit to leave out: an attribute says that it is a value's.
        if (text_attribute(calls, dataset_.get(), "_Unsigned").value_or("") == "true") {
            wraps_at_ = std::ldexp(1.0, static_cast<int>(8 * H5Tget_size(type)));
            if (info_.nodata && *info_.nodata < 0) *info_.nodata += wraps_at_;
        }
        valid_ = ValidValue(info_.nodata, number_attribute(calls, dataset_.get(), "scale_factor").value_or(1),
                            number_attribute(calls, dataset_.get(), "add_offset").value_or(0));
    }

    /// Bands that follow each other in the file.
    void read_run(const Hdf5Calls& calls, const Window& window, std::int64_t band, std::int64_t n_bands,
                  float* out) {
        if (fits_float_) {
            transfer(calls, window, band, n_bands, H5T_NATIVE_FLOAT, out);
            convert(out, n_bands * window.n_pixels(), out);
        } else {
            wide_.resize(static_cast<std::size_t>(window.n_pixels()));
            for (std::int64_t i = 0; i < n_bands; ++i) {
                transfer(calls, window, band + i, 1, H5T_NATIVE_DOUBLE, wide_.data());
                convert(wide_.data(), window.n_pixels(), out + i * window.n_pixels());
            }
        }
        if (!flipped_) return;
        for (std::int64_t i = 0; i < n_bands; ++i) flip_rows(window, out + i * window.n_pixels());
    }

    void transfer(const Hdf5Calls& calls, const Window& window, std::int64_t band, std::int64_t n_bands,
                  hid_t type, void* out) const {
        const std::int64_t row = flipped_ ? info_.grid.n_rows - window.end_row() : window.row;
        const std::array<hsize_t, 3> start = {static_cast<hsize_t>(band), static_cast<hsize_t>(row),
                                              static_cast<hsize_t>(window.col)};
        const std::array<hsize_t, 3> count = {static_cast<hsize_t>(n_bands),
                                              static_cast<hsize_t>(window.n_rows),
                                              static_cast<hsize_t>(window.n_cols)};
        const Hdf5Id in_memory = calls.own(H5Screate_simple(3, count.data(), nullptr));
        const Hdf5Id in_file = calls.own(H5Dget_space(dataset_.get()));
        calls.check(
            H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
        calls.check(H5Dread(dataset_.get(), type, in_memory.get(), in_file.get(), H5P_DEFAULT, out));
    }

    template <class Stored>
    void convert(const Stored* stored, std::int64_t n, float* out) const {
        if (wraps_at_ == 0) {
            std::transform(stored, stored + n, out, valid_);
            return;
        }
        std::transform(stored, stored + n, out, [this](Stored value) {
            return valid_(value < 0 ? value + static_cast<Stored>(wraps_at_) : value);
        });
    }

    static void flip_rows(const Window& window, float* band) {
        for (std::int64_t row = 0; row < window.n_rows / 2; ++row) {
            float* upper = band + row * window.n_cols;
            std::swap_ranges(upper, upper + window.n_cols, band + (window.n_rows - 1 - row) * window.n_cols);
        }
    }

    Hdf5Name name_;
    Hdf5Id file_;
    Hdf5Id dataset_;
    SourceInfo info_;
    bool fits_float_ = true;
    bool flipped_ = false;
    double wraps_at_ = 0;  ///< values below zero are this much larger; 0 = they are not
    ValidValue valid_{std::nullopt, 1, 0};
    std::vector<double> wide_;
};

Hdf5Name full_name(const std::string& name, const SourceOptions& options) {
    Hdf5Name parsed = parse_hdf5_name(name);
    if (!options.dataset.empty()) parsed.dataset = options.dataset;
    return parsed;
}

}  // namespace

bool is_hdf5_stack(const std::string& name, const SourceOptions& options) {
    const Hdf5Name parsed = full_name(name, options);
    if (!has_hdf5_signature(parsed.file)) return false;
    if (!parsed.dataset.empty()) return true;
    const Hdf5Calls calls(parsed.file);
    const Hdf5Id file(H5Fopen(parsed.file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    // A damaged file is ours as well: HDF5's reason is the better one.
    return file.get() < 0 || !find_stacks(calls, file.get()).empty();
}

std::unique_ptr<RasterSource> open_hdf5_source(const std::string& name, const SourceOptions& options) {
    return std::make_unique<Hdf5Source>(full_name(name, options), options);
}

}  // namespace rastertide
