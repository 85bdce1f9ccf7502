// SPDX-License-Identifier: Apache-2.0
// Stacks (time, y, x) read by hyperslabs: GDAL's drivers take minutes where these take seconds.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>

#include <rastertide/core/error.hpp>

#include "read/hdf5_dataset.hpp"
#include "read/hdf5_georeference.hpp"
#include "read/source.hpp"
#include "read/valid_value.hpp"
#include "read/value_range.hpp"

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

/// A part of a stack, in the file's order: dates, rows, columns.
struct Slab {
    std::array<std::int64_t, 3> start;
    std::array<std::int64_t, 3> count;

    std::int64_t end(std::size_t axis) const { return start[axis] + count[axis]; }
};

class Hdf5Source final : public RasterSource {
  public:
    Hdf5Source(const Hdf5Name& name, const SourceOptions& options) : name_(name) {
        const Hdf5Calls calls("'" + name_.file + "': cannot open the HDF5 file");
        open(calls);
        describe(calls, options);
    }

    const SourceInfo& info() const override { return info_; }

    void read(const Window& window, std::span<const int> bands, float* out, ReadScratch& scratch) override {
        const Hdf5Calls calls(place_of(window));
        if (dataset_.get() < 0) open(calls);
        for (std::size_t first = 0; first < bands.size();) {
            std::size_t end = first + 1;
            while (end < bands.size() && bands[end] == bands[end - 1] + 1) ++end;
            read_run(calls, window, bands[first], static_cast<std::int64_t>(end - first), out, scratch);
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
            SourceBand& band = info_.bands.emplace_back();
            band.description = label;
            band.date = date.date;
            band.date_source = date.source;
            band.date_problem = date.problem;
        }
        describe_values(calls, type.get(), options);
        describe_access(calls);
    }

    /// Nothing where GDAL's driver reads otherwise: it takes the rows as they are stored, signs, and one of
    /// two nodata values.
    void describe_access(const Hdf5Calls& calls) {
        if (flipped_ || wraps_at_ != 0 || has_missing_) return;
        const std::string file = std::filesystem::absolute(name_.file).string();
        if (file.find('"') != std::string::npos) return;  // which would end the name in GDAL's
        for (std::size_t i = 0; i < info_.bands.size(); ++i) {
            info_.bands[i].gdal = {"HDF5:\"" + file + "\":/" + name_.dataset,
                                   static_cast<int>(i) + 1,
                                   info_.nodata,
                                   false,
                                   number_attribute(calls, dataset_.get(), "scale_factor").value_or(1),
                                   number_attribute(calls, dataset_.get(), "add_offset").value_or(0)};
        }
    }

    void describe_blocks(const Hdf5Calls& calls) {
        const Hdf5Id creation = calls.own(H5Dget_create_plist(dataset_.get()));
        std::array<hsize_t, 3> chunk = {1, 1, 0};
        const bool chunked = H5Pget_layout(creation.get()) == H5D_CHUNKED;
        if (chunked) H5Pget_chunk(creation.get(), 3, chunk.data());
        if (!chunked) chunk[2] = static_cast<hsize_t>(info_.grid.n_cols);
        std::copy(chunk.begin(), chunk.end(), chunk_.begin());
        info_.block_n_rows = std::min(static_cast<std::int64_t>(chunk[1]), info_.grid.n_rows);
        info_.block_n_cols = std::min(static_cast<std::int64_t>(chunk[2]), info_.grid.n_cols);
    }

    void describe_values(const Hdf5Calls& calls, hid_t type, const SourceOptions& options) {
        std::optional<double> missing;  // CF lets both mark pixels
        if (options.srcnodata) {
            info_.nodata = options.srcnodata;
        } else {
            info_.nodata = number_attribute(calls, dataset_.get(), "_FillValue");
            missing = number_attribute(calls, dataset_.get(), "missing_value");
            if (!info_.nodata) info_.nodata = missing;
        }
        // netCDF's classic types have no sign bit to leave out: an attribute says that it is a value's.
        if (text_attribute(calls, dataset_.get(), "_Unsigned").value_or("") == "true") {
            wraps_at_ = std::ldexp(1.0, static_cast<int>(8 * H5Tget_size(type)));
            if (info_.nodata && *info_.nodata < 0) *info_.nodata += wraps_at_;
            if (missing && *missing < 0) *missing += wraps_at_;
        }
        has_missing_ = missing && *missing != *info_.nodata && std::isfinite(*missing);
        missing_ = ValidValue(missing, 1, 0);
        valid_ = ValidValue(info_.nodata, number_attribute(calls, dataset_.get(), "scale_factor").value_or(1),
                            number_attribute(calls, dataset_.get(), "add_offset").value_or(0));
    }

    /// Bands that follow each other in the file.
    void read_run(const Hdf5Calls& calls, const Window& window, std::int64_t band, std::int64_t n_bands,
                  float* out, ReadScratch& scratch) {
        const std::int64_t first_row = flipped_ ? info_.grid.n_rows - window.end_row() : window.row;
        const Slab slab = {{band, first_row, window.col}, {n_bands, window.n_rows, window.n_cols}};
        if (fits_float_) {
            transfer(calls, slab, H5T_NATIVE_FLOAT, out);
            convert(out, n_bands * window.n_pixels(), out);
        } else {
            read_wide(calls, slab, out, scratch);
        }
        for (std::int64_t i = 0; i < n_bands; ++i) {
            float* pixels = out + i * window.n_pixels();
            require_in_range({pixels, static_cast<std::size_t>(window.n_pixels())},
                             "'" + name_.file + "', dataset '" + name_.dataset + "', band " +
                                 std::to_string(band + i + 1));
            if (flipped_) flip_rows(window, pixels);
        }
    }

    /// By pieces of whole chunks, so that each is decoded once.
    void read_wide(const Hdf5Calls& calls, const Slab& slab, float* out, ReadScratch& scratch) const {
        const std::array<std::int64_t, 3> step = piece_shape(slab);
        const auto cut = [&](std::size_t axis, std::int64_t at) {
            return std::min(slab.end(axis), (at / step[axis] + 1) * step[axis]);
        };
        for (std::int64_t band = slab.start[0]; band < slab.end(0); band = cut(0, band)) {
            for (std::int64_t row = slab.start[1]; row < slab.end(1); row = cut(1, row)) {
                for (std::int64_t col = slab.start[2]; col < slab.end(2); col = cut(2, col)) {
                    const Slab piece = {{band, row, col},
                                        {cut(0, band) - band, cut(1, row) - row, cut(2, col) - col}};
                    read_piece(calls, slab, piece, out, scratch);
                }
            }
        }
    }

    void read_piece(const Hdf5Calls& calls, const Slab& slab, const Slab& piece, float* out,
                    ReadScratch& scratch) const {
        const auto [n_bands, n_rows, n_cols] = piece.count;
        double* values = scratch.values(n_bands * n_rows * n_cols);
        transfer(calls, piece, H5T_NATIVE_DOUBLE, values);
        for (std::int64_t i = 0; i < n_bands * n_rows; ++i) {
            const std::int64_t band = piece.start[0] - slab.start[0] + i / n_rows;
            const std::int64_t row = piece.start[1] - slab.start[1] + i % n_rows;
            convert(values + i * n_cols, n_cols,
                    out + (band * slab.count[1] + row) * slab.count[2] + piece.start[2] - slab.start[2]);
        }
    }

    /// As many chunks beside and below each other as fit the scratch; of one that does not fit, some rows.
    std::array<std::int64_t, 3> piece_shape(const Slab& slab) const {
        constexpr std::int64_t kMost = ReadScratch::kPieceBytes / std::int64_t{sizeof(double)};
        std::array<std::int64_t, 3> shape = chunk_;
        const std::int64_t n_chunks = kMost / (shape[0] * shape[1] * shape[2]);
        if (n_chunks == 0) {
            shape[1] = std::max<std::int64_t>(1, kMost / (shape[0] * shape[2]));
            return shape;
        }
        const std::int64_t beside = std::min(n_chunks, slab.count[2] / shape[2] + 1);
        const std::int64_t below = std::min(n_chunks / beside, slab.count[1] / shape[1] + 1);
        shape[1] *= below;
        shape[2] *= beside;
        return shape;
    }

    void transfer(const Hdf5Calls& calls, const Slab& slab, hid_t type, void* out) const {
        std::array<hsize_t, 3> start{};
        std::array<hsize_t, 3> count{};
        std::copy(slab.start.begin(), slab.start.end(), start.begin());
        std::copy(slab.count.begin(), slab.count.end(), count.begin());
        const Hdf5Id in_memory = calls.own(H5Screate_simple(3, count.data(), nullptr));
        const Hdf5Id in_file = calls.own(H5Dget_space(dataset_.get()));
        calls.check(
            H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
        calls.check(H5Dread(dataset_.get(), type, in_memory.get(), in_file.get(), H5P_DEFAULT, out));
    }

    template <class Stored>
    void convert(const Stored* stored, std::int64_t n, float* out) const {
        if (wraps_at_ == 0 && !has_missing_) {
            std::transform(stored, stored + n, out, valid_);
            return;
        }
        std::transform(stored, stored + n, out, [this](Stored value) {
            if (value < 0) value += static_cast<Stored>(wraps_at_);
            const bool is_missing = has_missing_ && !missing_.is_valid(value);
            return is_missing ? std::numeric_limits<float>::quiet_NaN() : valid_(value);
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
    bool has_missing_ = false;  ///< a missing_value beside another _FillValue
    ValidValue missing_{std::nullopt, 1, 0};
    std::array<std::int64_t, 3> chunk_ = {1, 1, 1};  ///< dates, rows, columns; whole rows if not chunked
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
