// SPDX-License-Identifier: Apache-2.0
#include "common/run_options.hpp"

#include <rastertide/write/mosaic.hpp>

#include "common/stack_options.hpp"

namespace rastertide::utils {

void set_run_options(RunOptions& options, const Args& args, int node_size) {
    options.series = stack_options(args);
    options.outdir = args.get("o", "");
    if (options.outdir.empty()) throw UsageError("no output: name a folder with -o OUTDIR");
    options.compute = compute_options(args, node_size);
    options.memory_limit_bytes = args.bytes("mem", options.memory_limit_bytes);
    const TileSize tile = tile_size(args);
    options.tile_n_cols = tile.n_cols;
    options.tile_n_rows = tile.n_rows;
    options.format = args.get("of", "");
    options.creation_options = args.all("co");
    if (options.format.empty()) {
        check_creation_options("GTiff", options.creation_options);
    } else {
        format_extension(options.format);
    }
    options.overwrite = args.has("overwrite");
    options.resume = args.has("resume");
    if (options.overwrite && options.resume) {
        throw UsageError("-overwrite and -resume: expected one of them");
    }
}

}  // namespace rastertide::utils
