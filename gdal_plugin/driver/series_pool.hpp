// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <rastertide/read/open_series.hpp>

namespace rastertide::plugin {

/// One stack, opened as often as threads read it at once.
class SeriesPool {
  public:
    SeriesPool(const SeriesOptions& options, RasterSeries opened) : options_(options) {
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

    /// @throws Error  as open_series()
    Lease take() {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<RasterSeries> series = std::move(idle_.back());
                idle_.pop_back();
                return {*this, std::move(series)};
            }
        }
        return {*this, std::make_unique<RasterSeries>(open_series(options_))};
    }

    /// Lets go of the files that nobody reads now: they are opened anew.
    void clear() {
        const std::lock_guard lock(mutex_);
        idle_.clear();
    }

  private:
    void give_back(std::unique_ptr<RasterSeries> series) {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(series));
    }

    SeriesOptions options_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<RasterSeries>> idle_;
};

}  // namespace rastertide::plugin
