// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/read/dates.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/stack_writer.hpp>

namespace rastertide {

struct RankGroup;
class Hdf5PixelWriter;
class TemporaryFile;

/// Whether a format's name means the file of Hdf5Copy: "HDF5", which GDAL can only read.
bool is_hdf5_format(const std::string& format);

/// Tries what Hdf5Copy would do, before hours of work. @param n_dates  that are known
/// @throws BackendUnavailable  this build has no HDF5
/// @throws InvalidArgument     no dates, no north-up geotransform, or creation options, of which it has none
void check_hdf5_copy(const Grid& grid, std::size_t n_dates, const std::vector<std::string>& creation_options);

/// Who fills a file of Hdf5Copy: the ranks of a group together, or one process alone.
struct Hdf5Writers {
    int rank = 0;  ///< of this process
    int n_ranks = 1;
    const RankGroup* group = nullptr;  ///< of n_ranks; null for one alone
};

/// Whether this HDF5 lets several ranks write one file.
bool has_parallel_hdf5();

/// One file of make_hdf5_stack() with the pixels of a raster: the variable `product.name` (time, y, x) of the
/// product's type and nodata value; the product's metadata are attributes of the file. One process makes it,
/// the writers fill it, the first names it; its bytes do not depend on how many they are. The caller sees to
/// it that a step has ended on all ranks, without an error, before the next begins on any.
class Hdf5Copy {
  public:
    /// @param path   in the end
    /// @param dates  one a band
    Hdf5Copy(const std::string& path, const Product& product, const Grid& grid,
             const std::vector<Date>& dates);
    Hdf5Copy(const Hdf5Copy&) = delete;
    Hdf5Copy& operator=(const Hdf5Copy&) = delete;
    /// Closes what is open, as close() does, and removes what make() has made, unless commit() has named it.
    ~Hdf5Copy();

    /// Makes the file under a temporary name with everything but its pixels, for which it takes the space.
    /// @return that name, for the other ranks @throws IoError, InvalidArgument
    std::string make();
    /// Looks whether this process can write the file: MPI may hang in open() where one rank cannot.
    /// @throws IoError
    void require_writable(const std::string& made) const;
    /// Collective over the group. @throws IoError
    void open(const std::string& made, const Hdf5Writers& writers);
    /// Copies this writer's share of a raster, in bounded memory. Not collective. After an error, too, the
    /// file wants to be closed.
    /// @throws IoError, Stopped
    void fill(const std::string& source);
    /// Whether closing the file has a chance: HDF5 then writes its first bytes again, from the first rank,
    /// and where that fails (the disk is broken), the others wait for ever. Then abandon() it, and end all
    /// ranks.
    bool can_close() const;
    /// Forgets the open file. HDF5 must not be used any more.
    void abandon();
    /// Collective over the group. @throws IoError
    void close();
    /// Where make() was called. @throws IoError
    void commit();

  private:
    std::string path_;
    StackLayout layout_;
    Hdf5Writers writers_;
    std::string made_;
    std::unique_ptr<TemporaryFile> temporary_;
    std::unique_ptr<Hdf5PixelWriter> pixels_;  // last: closed before the file is removed
};

}  // namespace rastertide
