// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <rastertide/grid/grid.hpp>
#include <rastertide/write/mosaic.hpp>
#include <rastertide/write/shard.hpp>

#include "read/gdal_handles.hpp"

namespace rastertide {

struct WindowedGeotiffSpec {
    Grid grid;
    SampleType type = SampleType::Float32;
    double nodata = 0;
    std::vector<ProductBand> bands;
    std::string units;
    std::int64_t block_n_cols = 128;
    std::int64_t block_n_rows = 128;
    std::string compression = "NONE";
    std::vector<std::string> creation_options;  ///< win over all of the above
};

/// A GeoTIFF that is written window by window, under the name it is given.
class WindowedGeotiff {
  public:
    /// Makes the file. @throws IoError
    WindowedGeotiff(std::string path, const WindowedGeotiffSpec& spec);

    WindowedGeotiff(WindowedGeotiff&&) = default;
    /// Without suspend() before it the file is not finished.
    ~WindowedGeotiff();

    /// @param values  [n_bands][window.n_rows][window.n_cols] of the file's type. @throws IoError
    void write(const Window& window, const void* values);
    /// Gives the file handle back until the next write(). @throws IoError, as closing writes what is pending
    void suspend();

  private:
    void resume();

    std::string path_;
    SampleType type_;
    DatasetHandle dataset_;
};

}  // namespace rastertide
