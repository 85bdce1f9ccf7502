// SPDX-License-Identifier: Apache-2.0
// The two steps of a file of make_hdf5_stack(): it is made whole but for its pixels, then they are written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <rastertide/write/stack_writer.hpp>

namespace rastertide {

struct RankGroup;

/// Makes the file `path` with everything but its pixels, for which space is taken on the disk: a full disk is
/// told here, where file systems can tell.
/// @param name  of the file in the end, for errors
/// @throws IoError, BackendUnavailable
void make_hdf5_file(const std::string& name, const std::string& path, const StackLayout& layout);

class Hdf5PixelWriter : public StackWriter {
  public:
    /// write() for some of the dates, from `first_date` on. @param values  [n_dates][window]
    virtual void write_dates(const Window& window, std::int64_t first_date, std::int64_t n_dates,
                             const float* values) = 0;
};

/// Opens a file of make_hdf5_file() for its pixels; close() leaves it under the name it has. With a group,
/// its ranks do so together and each writes pixels of its own: collective, and so are close() and, without
/// it, the writer's end.
/// @param group  none: this process alone
/// @throws IoError, BackendUnavailable
std::unique_ptr<Hdf5PixelWriter> open_hdf5_pixels(const std::string& name, const std::string& path,
                                                  const StackLayout& layout, const RankGroup* group);

}  // namespace rastertide
