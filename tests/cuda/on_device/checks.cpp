// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include "cuda/kernels/kmeans_cases.hpp"
#include "cuda/kernels/lof_cases.hpp"

namespace rastertide::on_device {
namespace {

using namespace testing_support;

class Checks {
  public:
    explicit Checks(Report& report) : report_(report) {}

    /// @param what  returns what is wrong; nothing is, if that is empty
    void check(const std::string& name, const std::function<std::string()>& what) {
        std::string wrong;
        try {
            wrong = what();
        } catch (const std::exception& error) {
            wrong = error.what();
        }
        std::printf("%-6s %s%s%s\n", wrong.empty() ? "ok" : "FAILED", name.c_str(), wrong.empty() ? "" : ": ",
                    wrong.c_str());
        std::fflush(stdout);
        ++n_;
        if (wrong.empty()) return;
        ++n_failed_;
        report_.line("- FAILED " + name + ": " + wrong);
    }
    void summarize() {
        report_.line(std::to_string(n_ - n_failed_) + " of " + std::to_string(n_) +
                     " checks against the plain double-precision loops passed.");
    }
    bool all_passed() const { return n_failed_ == 0; }

  private:
    Report& report_;
    int n_ = 0, n_failed_ = 0;
};

/// "3 labels, 1 sums" of what should be 0.
std::string name_counts(std::initializer_list<std::pair<std::int64_t, const char*>> counts) {
    std::string text;
    for (const auto& [n, what] : counts) {
        if (n != 0) text += (text.empty() ? "" : ", ") + std::to_string(n) + " " + what;
    }
    return text;
}

std::string wrong_scores(const LofCase& test) {
    const LofDifference difference = lof_difference(test);
    const std::int64_t n_far = difference.n_far > test.n_near_ties ? difference.n_far : 0;
    std::string text = name_counts({{difference.n_nodata, "nodata"}, {n_far, "scores"}});
    if (!text.empty()) {
        text += " of " + std::to_string(difference.n_scores) + ", worst error " +
                std::to_string(difference.worst);
    }
    return text;
}

std::string wrong_bytes() {
    const CutDifference difference = lof_cut_difference();
    return name_counts(
        {{difference.n_again, "scores in a second run"}, {difference.n_in_part, "scores of a part"}});
}

std::string wrong_labels(const KMeansDifference& difference) {
    return name_counts({{difference.n_labels, "labels"},
                        {difference.n_sums, "sums"},
                        {difference.n_changed, "in the count of changes"}});
}

/// In the emulator: seconds.
bool takes_long(const Stack& stack) {
    return stack.n_dates > 64 || stack.n_dates * stack.n_rows * stack.n_cols > 20000;
}

void check_lof(bool small, Checks& checks) {
    for (const LofCase& test : lof_cases()) {
        if (small && takes_long(test.stack())) continue;
        checks.check("lof " + test.name, [&] { return wrong_scores(test); });
    }
    if (!small) checks.check("lof TheSameBytesHoweverItIsCut", wrong_bytes);
}

void check_kmeans(Checks& checks) {
    for (const KMeansCase& test : kmeans_cases()) {
        checks.check("kmeans " + test.name, [&] { return wrong_labels(kmeans_difference(test)); });
    }
    checks.check("kmeans PassesMoveOnlyWhatChanges", [] {
        return wrong_labels(move_difference<std::uint8_t>(6, &cuda::AssignTask::narrow_labels));
    });
    checks.check("kmeans PassesOfManyClusters", [] {
        return wrong_labels(move_difference<std::uint16_t>(260, &cuda::AssignTask::wide_labels));
    });
    for (const int patch : {1, 3, 7, 9}) {
        for (const std::int64_t n_bands : {1, 2}) {
            checks.check("kmeans Distances_" + std::to_string(patch) + "_" + std::to_string(n_bands), [&] {
                return name_counts({{n_far_distances(patch, n_bands), "distances"}});
            });
        }
    }
}

}  // namespace

bool run_checks(bool small, Report& report) {
    report.line("## Checks\n");
    Checks checks(report);
    check_lof(small, checks);
    check_kmeans(checks);
    checks.summarize();
    return checks.all_passed();
}

}  // namespace rastertide::on_device
