// SPDX-License-Identifier: Apache-2.0
#include "read/variables_source.hpp"

#include <algorithm>

#include <rastertide/core/error.hpp>

#include "read/block_pieces.hpp"
#include "read/one_grid.hpp"
#include "read/open_source.hpp"

namespace rastertide {
namespace {

std::string date_text(const std::optional<Date>& date) { return date ? date->iso() : "none"; }

/// Why a variable does not lie beside the first one; empty if it does.
std::string difference(const SourceInfo& found, const SourceInfo& first) {
    const std::string grid = first_difference(found.grid, first.grid);
    if (!grid.empty()) return grid;
    if (found.bands.size() != first.bands.size()) {
        return "has " + std::to_string(found.bands.size()) + " dates, expected " +
               std::to_string(first.bands.size());
    }
    for (std::size_t i = 0; i < first.bands.size(); ++i) {
        if (found.bands[i].date == first.bands[i].date) continue;
        return "date " + std::to_string(i + 1) + " is " + date_text(found.bands[i].date) + ", expected " +
               date_text(first.bands[i].date);
    }
    return "";
}

class VariablesSource final : public RasterSource {
  public:
    VariablesSource(const std::string& name, const std::vector<std::string>& variables,
                    SourceOptions options) {
        for (const std::string& variable : variables) {
            options.dataset = variable;
            sources_.push_back(open_source(name, options));
            add(sources_.back()->info(), variable);
        }
    }

    const SourceInfo& info() const override { return info_; }

    void read(const Window& window, std::span<const int> bands, float* out, ReadScratch& scratch) override {
        for (std::size_t i = 0; i < sources_.size(); ++i)
            read_variable(static_cast<int>(i), window, bands, out, scratch);
    }

    std::vector<std::string> files() override {
        std::vector<std::string> files;
        for (const auto& source : sources_) {
            for (const std::string& file : source->files()) {
                if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
            }
        }
        return files;
    }

    void release() override {
        for (const auto& source : sources_) source->release();
    }

  private:
    void add(const SourceInfo& variable, const std::string& label) {
        if (sources_.size() == 1) {
            info_ = variable;
        } else {
            const std::string text = difference(variable, sources_.front()->info());
            if (!text.empty()) {
                throw InvalidArgument("'" + variable.name + "', dataset '" + label + "': " + text +
                                      " as in dataset '" + info_.variables.front() + "'");
            }
            info_.bands.insert(info_.bands.end(), variable.bands.begin(), variable.bands.end());
        }
        info_.variables.push_back(label.substr(label.rfind('/') + 1));
    }

    /// The wanted bands that are the variable's. All dates by one call, since a chunk may hold many; by
    /// pieces, since they do not lie beside each other in `out`.
    void read_variable(int variable, const Window& window, std::span<const int> bands, float* out,
                       ReadScratch& scratch) {
        const auto n_dates = static_cast<int>(info_.n_dates());
        std::vector<int> own;
        std::vector<float*> targets;
        for (std::size_t i = 0; i < bands.size(); ++i) {
            if (bands[i] / n_dates != variable) continue;
            own.push_back(bands[i] % n_dates);
            targets.push_back(out + static_cast<std::int64_t>(i) * window.n_pixels());
        }
        if (own.empty()) return;
        RasterSource& source = *sources_[static_cast<std::size_t>(variable)];
        const auto n_own = static_cast<std::int64_t>(own.size());
        for (const Window& piece : block_pieces(window, n_own, source.info())) {
            float* values = scratch.piece(n_own * piece.n_pixels());
            source.read(piece, own, values, scratch);
            for (float* band : targets) values = put(window, piece, values, band);
        }
    }

    /// Returns where the next band's values are.
    static float* put(const Window& window, const Window& piece, float* values, float* band) {
        float* pixels = pixels_of_piece(window, piece, band);
        for (std::int64_t row = 0; row < piece.n_rows; ++row) {
            std::copy_n(values, piece.n_cols, pixels);
            values += piece.n_cols;
            pixels += window.n_cols;
        }
        return values;
    }

    std::vector<std::unique_ptr<RasterSource>> sources_;
    SourceInfo info_;
};

}  // namespace

std::unique_ptr<RasterSource> open_variables(const std::string& name,
                                             const std::vector<std::string>& variables,
                                             const SourceOptions& options) {
    return std::make_unique<VariablesSource>(name, variables, options);
}

}  // namespace rastertide
