// SPDX-License-Identifier: Apache-2.0
// run.json: the input is the file, in a folder that -resume and -overwrite are pointed at.
#include <algorithm>

#include <gdal.h>

#include "fuzz/fuzz_target.hpp"
#include "pipeline/kmeans/kmeans_run.hpp"
#include "pipeline/lof/lof_run.hpp"
#include "pipeline/resume.hpp"
#include "pipeline/run_record.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::fuzzing;

void require_names_of_folder(const std::vector<std::string>& names) {
    for (const std::string& name : names)
        require(name.find('/') == std::string::npos && name != ".." && !name.empty(),
                "-overwrite removes files of the folder alone");
}

void try_kind(const std::string& folder, const RunKind& kind) {
    is_accepted([&] {
        const Json record = read_run_record(folder, kind);
        bool is_same = true;
        try {
            require_same_run(folder, kind, record);
        } catch (const Error&) {
            is_same = false;
        }
        require(is_same, "a record is the same as itself");
    });
    is_accepted([&] {
        RunOptions options;
        options.outdir = folder;
        options.resume = true;
        take_inputs_of_run(options, kind);
        const auto again = left_out_of_json(Json::parse(json_text(left_out_json(options.series.left_out))));
        require(again.size() == options.series.left_out.size(),
                "as many inputs are left out when read again");
        for (std::size_t i = 0; i < again.size(); ++i)
            require(again[i].name == options.series.left_out[i].name, "names come back as they were");
    });
    is_accepted([&] {
        require_same_run(folder, kind, {{"software", kind.software}, {"options", {{"k", 7}}}});
    });
    is_accepted([&] {
        const OutputFolder::Contents contents = contents_of_run(folder, kind);
        require_names_of_folder(contents.files);
        require_names_of_folder(contents.products);
    });
    is_accepted([&] {
        RunOptions options;
        options.outdir = folder;
        options.resume = true;
        take_tiles_of_run(options, kind);
        require(options.tile_n_cols > 0 && options.tile_n_rows > 0, "tiles have a size");
    });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool has_formats = [] {
        GDALAllRegister();
        return true;
    }();
    static InputFile file(kRunRecord);
    file.write(text_of(data, size));
    if (!has_formats) return 0;
    try_kind(file.folder(), lof_kind());
    try_kind(file.folder(), kmeans_kind());
    return 0;
}
