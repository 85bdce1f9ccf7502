// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <rastertide/core/error.hpp>
#include <rastertide/read/open_series.hpp>

#include "core/number_text.hpp"

namespace rastertide::plugin {

/// One stack, opened as often as threads read it at once.
class SeriesPool {
  public:
    SeriesPool(const SeriesOptions& options, RasterSeries opened)
        : options_(options), contents_(contents(opened)) {
        idle_.push_back(std::make_unique<RasterSeries>(std::move(opened)));
    }

    /// A stack for one thread, given back at its end.
    class Lease {
      public:
        Lease(SeriesPool& pool, std::unique_ptr<RasterSeries> series)
            : pool_(pool), series_(std::move(series)) {}
        ~Lease() { pool_.give_back(std::move(series_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        RasterSeries* operator->() const { return series_.get(); }

      private:
        SeriesPool& pool_;
        std::unique_ptr<RasterSeries> series_;
    };

    /// @throws Error  as open_series(); the stack is another than when it was opened first
    Lease take() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<RasterSeries> series = std::move(idle_.back());
                idle_.pop_back();
                return {*this, std::move(series)};
            }
        }
        auto series = std::make_unique<RasterSeries>(open_series(options_));
        check_contents(*series);
        return {*this, std::move(series)};
    }

    /// Lets go of the files that nobody reads now: they are opened anew.
    void clear() {
        const std::lock_guard lock(mutex_);
        idle_.clear();
    }

  private:
    /// What bands, dates, sizes and places were told after.
    static std::vector<std::string> contents(const RasterSeries& series) {
        std::vector<std::string> texts;
        for (const SceneInfo& scene : series.scenes())
            texts.push_back("'" + scene.name + "'" + (scene.date ? " of " + scene.date->iso() : ""));
        for (const std::string& name : series.band_names()) texts.push_back("the band '" + name + "'");
        const Grid& grid = series.grid();
        std::string place =
            "a grid of " + std::to_string(grid.n_cols) + " x " + std::to_string(grid.n_rows) + " pixels at (";
        for (const double coefficient : grid.geotransform.c) place += number_text(coefficient) + " ";
        place.back() = ')';
        texts.push_back(place);
        texts.push_back("the CRS " + grid.crs_wkt);
        return texts;
    }

    void check_contents(const RasterSeries& series) const {
        const std::vector<std::string> found = contents(series);
        const auto [was, is] = std::ranges::mismatch(contents_, found);
        if (was == contents_.end() && is == found.end()) return;
        const auto name = [](auto item, const std::vector<std::string>& of) {
            return item == of.end() ? std::string("nothing") : *item;
        };
        throw InvalidArgument("the stack is not what it was when it was opened: found " + name(is, found) +
                              ", expected " + name(was, contents_) + "; open it again");
    }

    void give_back(std::unique_ptr<RasterSeries> series) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(series));
    }

    SeriesOptions options_;
    std::vector<std::string> contents_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<RasterSeries>> idle_;
};

}  // namespace rastertide::plugin
