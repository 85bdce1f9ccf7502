// SPDX-License-Identifier: Apache-2.0
// The command line and --optfile: the input is the file. The options are those of all utilities, but for the
// texts that GDAL reads (-a_srs, ...), which may name files and addresses, and -date_regex, which is slow and
// tried by fuzz_dates.cpp.
#include <algorithm>
#include <set>

#include <rastertide/pipeline/threshold.hpp>

#include "common/args.hpp"
#include "common/grid_options.hpp"
#include "common/kmeans_options.hpp"
#include "common/lof_options.hpp"
#include "common/stack_options.hpp"
#include "fuzz/fuzz_target.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::fuzzing;
using namespace rastertide::utils;

std::vector<OptionSpec> option_specs() {
    const std::vector<OptionSpec> all = joined({{{"o", 1, "OUTDIR", ""},
                                                 {"threshold", 1, "RULE", ""},
                                                 {"co", 1, "NAME=VALUE", "", true},
                                                 {"overwrite", 0, "", ""},
                                                 {"resume", 0, "", ""},
                                                 {"config", 2, "KEY VALUE", "", true}},
                                                kmeans_option_specs(),
                                                lof_option_specs(),
                                                stack_option_specs(),
                                                compute_option_specs()});
    const std::set<std::string> left_out = {"a_srs",       "te_srs",     "t_srs",
                                            "projwin_srs", "date_regex", "optfile"};
    std::vector<OptionSpec> specs;
    std::set<std::string> seen;
    for (const OptionSpec& spec : all) {
        if (left_out.count(spec.name) == 0 && seen.insert(spec.name).second) specs.push_back(spec);
    }
    return specs;
}

/// Whether step() was done; errors of both kinds are answers.
template <class Step>
bool is_usage(Step step) {
    try {
        return is_accepted(step);
    } catch (const UsageError& error) {
        require(*error.what() != '\0', "an error has a message");
        return false;
    }
}

/// The command line that says the same.
std::vector<std::string> words_of(const Args& args, const std::vector<OptionSpec>& specs) {
    std::vector<std::string> words;
    for (const OptionSpec& spec : specs) {
        const std::vector<std::string> values = args.all(spec.name);
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i % static_cast<std::size_t>(std::max(1, spec.arity)) == 0) words.push_back("-" + spec.name);
            if (spec.arity > 0) words.push_back(values[i]);
        }
    }
    words.emplace_back("--");
    words.insert(words.end(), args.inputs().begin(), args.inputs().end());
    return words;
}

void require_same(const Args& a, const Args& b, const std::vector<OptionSpec>& specs) {
    require(a.inputs() == b.inputs(), "inputs are read as they were written");
    for (const OptionSpec& spec : specs)
        require(a.all(spec.name) == b.all(spec.name), "options are read as they were written");
}

void try_values(const Args& args) {
    is_usage([&] { stack_options(args); });
    is_usage([&] { lof_params(args); });
    is_usage([&] { compute_options(args, 1); });
    is_usage([&] { require(args.bytes("mem", 1) > 0, "memory is positive"); });
    is_usage([&] { tile_size(args); });
    is_usage([&] {
        const Threshold threshold = Threshold::parse(args.get("threshold", ""));
        require(Threshold::parse(threshold.text()).amount == threshold.amount,
                "a threshold's text is that threshold");
    });
    is_usage([&] {
        RunKMeansOptions options;
        set_kmeans_options(options, args);
        options.validate();
    });
}

void try_words(const std::vector<std::string>& words, const std::vector<OptionSpec>& specs) {
    is_usage([&] {
        const Args args = Args::parse(specs, words);
        const std::vector<std::string> again = words_of(args, specs);
        // The option file is looked for before anything else.
        const bool has_file = std::any_of(again.begin(), again.end(), [](const std::string& word) {
            return word == "-optfile" || word == "--optfile";
        });
        if (!has_file) require_same(args, Args::parse(specs, again), specs);
        try_values(args);
    });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<OptionSpec> specs = option_specs();
    static InputFile file("options");
    const std::string text = text_of(data, size);
    try_words({"--optfile", file.write(text)}, specs);
    const std::vector<std::string> lines = lines_of(text);
    const bool names_file = text.find("-optfile") != std::string::npos;
    if (!names_file) try_words(lines, specs);
    return 0;
}
