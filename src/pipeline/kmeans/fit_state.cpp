// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/fit_state.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <rastertide/core/error.hpp>

namespace rastertide {
namespace {

std::string path_of(const KMeansRun& run) { return run.folder.file(FitState::kFileName); }

Json fit_json(const KMeansFit& fit) {
    return {{"k", fit.centers.n_clusters},
            {"iterations", fit.iterations},
            {"converged", fit.converged},
            {"centers", fit.centers.values}};
}

/// get() would cast any number.
std::int64_t whole_number(const Json& json) {
    if (!json.is_number_integer()) throw InvalidArgument("is no whole number");
    return json.get<std::int64_t>();
}

KMeansFit fit_of(const Json& json, int patch_size, std::int64_t n_sample_bands) {
    PatchCenters centers{patch_size, n_sample_bands, whole_number(json.at("k")),
                         json.at("centers").get<std::vector<double>>()};
    centers.validate();
    KMeansFit fit = new_fit(std::move(centers));
    fit.iterations = whole_number(json.at("iterations"));
    fit.converged = json.at("converged").get<bool>();
    return fit;
}

/// n_init fits for each number of clusters, in order, as choose_starts() makes them.
bool are_of_run(const std::vector<KMeansFit>& fits, const RunKMeansOptions& options) {
    const std::int64_t n_k = options.max_clusters - options.min_clusters + 1;
    if (fits.empty() || static_cast<std::int64_t>(fits.size()) % n_k != 0) return false;
    const std::int64_t n_init = static_cast<std::int64_t>(fits.size()) / n_k;
    for (std::size_t i = 0; i < fits.size(); ++i) {
        const KMeansFit& fit = fits[i];
        if (fit.centers.n_clusters != options.min_clusters + static_cast<std::int64_t>(i) / n_init)
            return false;
        if (fit.iterations < 0 || fit.iterations > options.max_iter) return false;
    }
    return true;
}

}  // namespace

std::vector<KMeansFit> fits_of_text(const std::string& text, const RunKMeansOptions& options,
                                    std::int64_t n_sample_bands) {
    std::vector<KMeansFit> fits;
    try {
        for (const Json& json : Json::parse(text))
            fits.push_back(fit_of(json, options.patch_size, n_sample_bands));
    } catch (const Json::exception&) {
        fits.clear();
    } catch (const Error&) {
        fits.clear();
    }
    if (!are_of_run(fits, options)) throw InvalidArgument("is not the state of this run's fits");
    return fits;
}

std::string text_of_fits(const std::vector<KMeansFit>& fits) {
    Json json = Json::array();
    for (const KMeansFit& fit : fits) json.push_back(fit_json(fit));
    return json.dump();
}

std::vector<KMeansFit> FitState::read() {
    std::vector<KMeansFit> fits;
    if (!run_.resumed) return fits;
    // What the first rank reads is what all ranks go on from.
    std::string text;
    together(run_.comm, [&] {
        if (run_.comm.rank() == 0 && std::filesystem::exists(path_of(run_)))
            text = read_text_file(path_of(run_));
    });
    text = run_.comm.gather(text).front();
    if (text.empty()) return fits;
    together(run_.comm, [&] {
        try {
            fits = fits_of_text(text, run_.options, run_.n_sample_bands());
        } catch (const InvalidArgument& error) {
            throw InvalidArgument("'" + path_of(run_) + "': " + error.what() +
                                  "; without the file they begin anew");
        }
    });
    return fits;
}

void FitState::keep(const std::vector<KMeansFit>& fits) {
    constexpr int kLeastRatio = 50;  // of the time between two writes to that of one
    const auto now = std::chrono::steady_clock::now();
    if (run_.comm.rank() != 0 || now - kept_ < kLeastRatio * cost_) return;
    write_text_file(path_of(run_), text_of_fits(fits));
    kept_ = std::chrono::steady_clock::now();
    cost_ = kept_ - now;
}

void FitState::remove(const KMeansRun& run) {
    std::error_code none_there;
    std::filesystem::remove(path_of(run), none_there);
}

}  // namespace rastertide
