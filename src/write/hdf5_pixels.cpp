// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include <hdf5.h>

#include <rastertide/core/error.hpp>
#include <rastertide/write/hdf5_copy.hpp>

#include "core/rank_group.hpp"
#include "write/hdf5_failsafe_driver.hpp"
#include "write/hdf5_stack_file.hpp"
#include "write/stack_layout.hpp"

namespace rastertide {
namespace {

/// Nothing here needs MPI's calls, of which HDF5's headers bring the types. Other than in a file of our
/// driver, a write that fails is an error of HDF5's, which keeps nothing of the pixels; for what it writes
/// when the file is closed see Hdf5Copy::can_close().
Hdf5Id make_parallel_access([[maybe_unused]] const Hdf5Calls& calls, [[maybe_unused]] const std::string& name,
                            [[maybe_unused]] const RankGroup& group) {
#ifdef H5_HAVE_PARALLEL
    Hdf5Id access = calls.own(H5Pcreate(H5P_FILE_ACCESS));
    // HDF5 works on a duplicate: what it sends does not meet what the ranks send each other.
    calls.check(H5Pset_fapl_mpio(access.get(), *static_cast<const MPI_Comm*>(group.mpi_comm),
                                 *static_cast<const MPI_Info*>(group.mpi_info)));
    return access;
#else
    throw InternalError("'" + name + "': this HDF5 is not parallel");
#endif
}

constexpr std::int64_t kMostBytes = sizeof(double);  // of a stored value

class Hdf5Pixels final : public Hdf5PixelWriter {
  public:
    Hdf5Pixels(const std::string& name, const std::string& path, const StackLayout& layout,
               const RankGroup* group)
        : name_(name),
          variable_(layout.variable),
          grid_(layout.grid),
          n_dates_(static_cast<std::int64_t>(layout.dates.size())) {
        call_hdf5(name_, failure_, [&](const Hdf5Calls& calls) {
            const Hdf5Id access = group == nullptr ? make_failsafe_access(calls, failure_)
                                                   : make_parallel_access(calls, name, *group);
            file_ = calls.own(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()));
        });
        chunk_n_rows_ = std::min(layout.chunk_n_rows, grid_.n_rows);
        chunk_n_cols_ = std::min(layout.chunk_n_cols, grid_.n_cols);
    }

    void write(const Window& window, const float* values) override {
        write_dates(window, 0, n_dates_, values);
    }

    void write_dates(const Window& window, std::int64_t first_date, std::int64_t n_dates,
                     const float* values) override {
        check_window(name_, window, grid_);
        call_hdf5(name_, failure_, [&](const Hdf5Calls& calls) {
            // Not before: opening is collective, and an error of one rank amid it would leave the others
            // waiting.
            if (data_.get() < 0) data_ = calls.own(H5Dopen2(file_.get(), variable_.c_str(), H5P_DEFAULT));
            for (std::int64_t i = 0; i < n_dates; ++i) {
                write_date(calls, first_date + i, window, values + i * window.n_pixels());
            }
        });
    }

    void close() override {
        call_hdf5(name_, failure_, [&](const Hdf5Calls& calls) {
            if (data_.get() >= 0) calls.check(H5Dclose(data_.release()));
            calls.check(H5Fclose(file_.release()));
        });
    }

  private:
    /// Chunk by chunk, each from memory of its own order: else each row of a chunk would be a write to the
    /// file.
    void write_date(const Hdf5Calls& calls, std::int64_t date, const Window& window, const float* values) {
        const auto end_of_chunk = [](std::int64_t at, std::int64_t size, std::int64_t end) {
            return std::min((at / size + 1) * size, end);
        };
        const std::int64_t end_row = window.row + window.n_rows;
        const std::int64_t end_col = window.col + window.n_cols;
        for (std::int64_t row = window.row; row < end_row;) {
            const std::int64_t next_row = end_of_chunk(row, chunk_n_rows_, end_row);
            for (std::int64_t col = window.col; col < end_col;) {
                const std::int64_t next_col = end_of_chunk(col, chunk_n_cols_, end_col);
                const Window piece{col, row, next_col - col, next_row - row};
                if (is_chunk(piece)) {
                    gather(window, piece, values, chunk_n_cols_, chunk_n_rows_);
                    write_chunk(calls, date, piece);
                } else {
                    gather(window, piece, values, piece.n_cols, piece.n_rows);
                    write_piece(calls, date, piece);
                }
                col = next_col;
            }
            row = next_row;
        }
    }

    /// Whether the piece is all of a chunk that lies in the raster.
    bool is_chunk(const Window& piece) const {
        return piece.row % chunk_n_rows_ == 0 && piece.col % chunk_n_cols_ == 0 &&
               piece.n_rows == std::min(chunk_n_rows_, grid_.n_rows - piece.row) &&
               piece.n_cols == std::min(chunk_n_cols_, grid_.n_cols - piece.col);
    }

    /// Copies a piece to rows of `row_size` values in piece_; what they have more than the piece is 0.
    void gather(const Window& window, const Window& piece, const float* values, std::int64_t row_size,
                std::int64_t n_rows) {
        // Room for the widest stored type, to which chunks are converted in place.
        piece_.assign(static_cast<std::size_t>(row_size * n_rows * kMostBytes) / sizeof(float), 0);
        for (std::int64_t row = 0; row < piece.n_rows; ++row) {
            std::copy_n(values + (piece.row - window.row + row) * window.n_cols + (piece.col - window.col),
                        piece.n_cols, piece_.data() + row * row_size);
        }
    }

    /// As one write, also where the raster's edge cuts the chunk: H5Dwrite() would make one of each row.
    void write_chunk(const Hdf5Calls& calls, std::int64_t date, const Window& piece) {
        const std::array<hsize_t, 3> start = start_of(date, piece);
        const auto n_values = static_cast<std::size_t>(chunk_n_rows_ * chunk_n_cols_);
        const Hdf5Id stored = calls.own(H5Dget_type(data_.get()));
        calls.check(
            H5Tconvert(H5T_NATIVE_FLOAT, stored.get(), n_values, piece_.data(), nullptr, H5P_DEFAULT));
        calls.check(H5Dwrite_chunk(data_.get(), H5P_DEFAULT, 0, start.data(),
                                   n_values * H5Tget_size(stored.get()), piece_.data()));
    }

    void write_piece(const Hdf5Calls& calls, std::int64_t date, const Window& piece) {
        const std::array<hsize_t, 3> start = start_of(date, piece);
        const std::array<hsize_t, 3> count = {1, static_cast<hsize_t>(piece.n_rows),
                                              static_cast<hsize_t>(piece.n_cols)};
        const Hdf5Id in_memory = calls.own(H5Screate_simple(3, count.data(), nullptr));
        const Hdf5Id in_file = calls.own(H5Dget_space(data_.get()));
        calls.check(
            H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr));
        calls.check(H5Dwrite(data_.get(), H5T_NATIVE_FLOAT, in_memory.get(), in_file.get(), H5P_DEFAULT,
                             piece_.data()));
    }

    static std::array<hsize_t, 3> start_of(std::int64_t date, const Window& piece) {
        return {static_cast<hsize_t>(date), static_cast<hsize_t>(piece.row), static_cast<hsize_t>(piece.col)};
    }

    std::string name_;
    std::string variable_;
    Grid grid_;
    std::int64_t n_dates_;
    std::int64_t chunk_n_rows_ = 0;
    std::int64_t chunk_n_cols_ = 0;
    std::vector<float> piece_;
    WriteFailure failure_;  // before the ids: their closing may note a failure
    Hdf5Id file_;
    Hdf5Id data_;
};

}  // namespace

bool has_parallel_hdf5() {
#ifdef H5_HAVE_PARALLEL
    return true;
#else
    return false;
#endif
}

std::unique_ptr<Hdf5PixelWriter> open_hdf5_pixels(const std::string& name, const std::string& path,
                                                  const StackLayout& layout, const RankGroup* group) {
    return std::make_unique<Hdf5Pixels>(name, path, layout, group);
}

}  // namespace rastertide
