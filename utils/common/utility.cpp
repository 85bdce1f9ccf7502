// SPDX-License-Identifier: Apache-2.0
#include "common/utility.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <cpl_conv.h>
#include <cpl_error.h>
#include <gdal.h>
#include <unistd.h>

#include <rastertide/core/error.hpp>
#include <rastertide/core/stop.hpp>
#include <rastertide/core/version.hpp>

#include "common/progress.hpp"

namespace rastertide::utils {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kSignals = 128;  // exit codes above it: stopped by a signal

std::vector<OptionSpec> general_option_specs() {
    return {
        {"q", 0, "", "print nothing but errors"},
        {"v", 0, "", "say what is being done"},
        {"progress", 0, "", "show progress also where the output is no terminal"},
        {"config", 2, "KEY VALUE", "GDAL configuration option (KEY=VALUE works, too)", true},
        {"debug", 1, "ON|OFF|LEVEL", "GDAL's debug messages"},
        {"optfile", 1, "FILE", "read options from a file"},
        {"formats", 0, "", "list the raster formats of this GDAL"},
        {"version", 0, "", "print versions"},
        {"help-general", 0, "", "help for GDAL's general options"},
        {"help", 0, "", "print this text"},
        {"h", 0, "", "the same"},
    };
}

/// `--config KEY=VALUE` as two values, so that the option has one arity.
std::vector<std::string> split_config(int argc, char** argv) {
    std::vector<std::string> words;
    for (int i = 1; i < argc; ++i) {
        words.emplace_back(argv[i]);
        const bool is_config = words.back() == "--config" || words.back() == "-config";
        if (!is_config || i + 1 >= argc) continue;
        const std::string next = argv[i + 1];
        const std::size_t equals = next.find('=');
        if (equals == std::string::npos) continue;
        words.push_back(next.substr(0, equals));
        words.push_back(next.substr(equals + 1));
        ++i;
    }
    return words;
}

void print_help(const UtilityInfo& info, const std::vector<OptionSpec>& all) {
    std::printf("%s - %s\n\nUsage: %s %s\n\nOptions:\n", info.name.c_str(), info.summary.c_str(),
                info.name.c_str(), info.usage.c_str());
    for (const OptionSpec& option : all) {
        const std::string left = "-" + option.name + (option.values.empty() ? "" : " " + option.values);
        std::printf("  %-28s %s%s\n", left.c_str(), option.help.c_str(),
                    option.repeatable ? " (repeatable)" : "");
    }
}

/// What GDAL's own processor knows how to print.
void print_by_gdal(const std::string& name, const std::string& option) {
    std::string program = name;
    std::string word = option;
    char* words[] = {program.data(), word.data(), nullptr};
    char** list = words;
    GDALGeneralCmdLineProcessor(2, &list, 0);
}

constexpr const char* kQuestions[] = {"help", "h", "version", "formats", "help-general"};

/// The first option of the command line that asks for a text only.
std::optional<std::string> question_of(const Args& args) {
    for (const char* option : kQuestions) {
        if (args.has(option)) return option;
    }
    return std::nullopt;
}

void answer(const std::string& question, const UtilityInfo& info, const std::vector<OptionSpec>& all) {
    if (question == "version") {
        std::printf("%s %s, %s\n", info.name.c_str(), kVersion, GDALVersionInfo("--version"));
    } else if (question == "formats" || question == "help-general") {
        print_by_gdal(info.name, "--" + question);
    } else {
        print_help(info, all);
    }
}

void configure_gdal(const Args& args) {
    const std::vector<std::string> pairs = args.all("config");
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
        CPLSetConfigOption(pairs[i].c_str(), pairs[i + 1].c_str());
    if (args.has("debug")) {
        CPLSetConfigOption("CPL_DEBUG", args.get("debug", "ON").c_str());
    } else {
        CPLSetErrorHandler(CPLQuietErrorHandler);  // what matters becomes the text of an error
    }
}

/// Names may hold line ends, and what a terminal would obey.
std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
    return text;
}

Logger make_logger(const Args& args) {
    const bool quiet = args.has("q");
    const bool verbose = args.has("v") || args.has("debug");
    return [quiet, verbose](LogLevel level, const std::string& message) {
        if (level == LogLevel::Warning && !quiet)
            std::fprintf(stderr, "Warning: %s\n", one_line(message).c_str());
        if (level != LogLevel::Warning && verbose) std::fprintf(stderr, "%s\n", one_line(message).c_str());
    };
}

/// What one rank alone meets on its way, such as a device that fails.
Logger make_rank_logger(const Args& args, int rank) {
    return [warner = make_logger(args), rank](LogLevel level, const std::string& message) {
        if (level == LogLevel::Warning) warner(level, "rank " + std::to_string(rank) + ": " + message);
    };
}

ProgressFn make_progress(const Args& args) {
    const bool on_terminal = isatty(STDOUT_FILENO) != 0;
    if (args.has("q") || !(on_terminal || args.has("progress"))) return {};
    auto bar = std::make_shared<ProgressBar>(on_terminal);
    return [bar](double fraction) { bar->show(fraction); };
}

/// Runs step() on every rank; bad usage on any of them becomes that of all. Collective.
template <class Step>
void with_agreed_usage(Communicator& comm, Step step) {
    std::optional<Failure> failure;
    try {
        step();
    } catch (const UsageError& error) {
        failure = Failure{error.what(), kUsage};
    }
    comm.agree(failure);
}

Args parse_args(const std::vector<OptionSpec>& all, int argc, char** argv, Communicator& comm) {
    Args args;
    with_agreed_usage(comm, [&] { args = Args::parse(all, split_config(argc, argv)); });
    const std::optional<std::string> question = question_of(args);
    const bool all_ask = comm.all_true(question.has_value());
    with_agreed_usage(comm, [&] {
        if (question && !all_ask) throw UsageError("--" + *question + " is given to some ranks only");
    });
    return args;
}

void run_body(const UtilityInfo& info, int argc, char** argv, Communicator& comm,
              const std::function<void(UtilityContext&)>& body) {
    const std::vector<OptionSpec> all = joined({info.options, general_option_specs()});
    const Args args = parse_args(all, argc, argv, comm);
    const bool first = comm.rank() == 0;
    configure_gdal(args);
    GDALAllRegister();
    if (const auto question = question_of(args)) {
        if (first) answer(*question, info, all);
        return;
    }
    UtilityContext context{args, comm, first ? make_logger(args) : make_rank_logger(args, comm.rank()),
                           first ? make_progress(args) : ProgressFn{}, first && !args.has("q")};
    try {
        body(context);
    } catch (const UsageError& error) {
        // Meets the others in their first agree(), see utility.hpp.
        comm.agree(Failure{error.what(), kUsage});
    }
}

void print_error(const std::string& name, const std::string& text) {
    std::fprintf(stderr, "%s: error: %s\n", name.c_str(), one_line(text).c_str());
}

}  // namespace

void UtilityContext::on_first_rank(const std::function<void()>& step) const {
    std::optional<Failure> failure;
    try {
        if (comm.rank() == 0) step();
    } catch (...) {
        failure = current_failure();
    }
    comm.agree(failure);
}

namespace {

/// Runs stop where it is safe; a second signal ends the process at once.
void stop_on_signals() {
    struct sigaction action {};
    action.sa_handler = [](int signal) { request_stop(signal); };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

/// A word of a command line as a shell takes it.
std::string quoted(const std::string& word) {
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "abcdefghijklmnopqrstuvwxyz"
                                            "0123456789_-+=./:,@%") == std::string::npos;
    if (plain) return word;
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

/// The command that goes on with a stopped run, empty if the utility has none.
std::string resuming_command(const UtilityInfo& info, int argc, char** argv) {
    const auto resumes = [](const OptionSpec& option) { return option.name == "resume"; };
    if (std::ranges::none_of(info.options, resumes)) return "";
    std::string command = quoted(argv[0]);
    bool has_resume = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "-overwrite" || word == "--overwrite") continue;
        has_resume = has_resume || word == "-resume" || word == "--resume";
        command += " " + quoted(word);
    }
    return has_resume ? command : command + " -resume";
}

void print_agreed_error(const UtilityInfo& info, const AgreedError& error, int argc, char** argv) {
    std::string text = error.what();
    const bool stopped = error.exit_code() > kSignals;
    if (const std::string command = resuming_command(info, argc, argv); stopped && !command.empty())
        text += "; to go on: " + command;
    print_error(info.name, text);
}

}  // namespace

int run_utility(const UtilityInfo& info, int argc, char** argv,
                const std::function<void(UtilityContext&)>& body) {
    std::unique_ptr<Communicator> comm;
    try {
        comm = make_communicator(argc, argv);
        stop_on_signals();
        run_body(info, argc, argv, *comm, body);
        return 0;
    } catch (const AgreedError& error) {
        if (comm->rank() == 0) print_agreed_error(info, error, argc, argv);
        return error.exit_code();
    } catch (const LaunchError& error) {
        if (launched_rank() == 0) print_error(info.name, error.what());  // each rank throws it
        return kFailed;
    } catch (...) {
        print_error(info.name, current_error());
        if (comm != nullptr && comm->size() > 1)
            abort_all_ranks(kFailed);  // the others may wait for this rank
        return kFailed;
    }
}

}  // namespace rastertide::utils
