// SPDX-License-Identifier: Apache-2.0
#include <rastertide/core/error.hpp>
#include <rastertide/write/stack_writer.hpp>

#include "write/hdf5_stack_file.hpp"
#include "write/stack_layout.hpp"
#include "write/temporary_file.hpp"

namespace rastertide {
namespace {

class Hdf5Stack final : public StackWriter {
  public:
    Hdf5Stack(const std::string& path, const StackLayout& layout) : temporary_(path) {
        make_hdf5_file(path, temporary_.path(), layout);
        pixels_ = open_hdf5_pixels(path, temporary_.path(), layout, nullptr);
    }

    void write(const Window& window, const float* values) override { pixels_->write(window, values); }

    void close() override {
        pixels_->close();
        temporary_.commit();
    }

  private:
    TemporaryFile temporary_;  // first: the file is closed before it is removed
    std::unique_ptr<StackWriter> pixels_;
};

}  // namespace

std::unique_ptr<StackWriter> make_hdf5_stack(const std::string& path, const StackLayout& layout) {
    check_layout(path, layout);
    if (!layout.grid.has_geotransform || !layout.grid.geotransform.is_north_up()) {
        throw InvalidArgument("'" + path + "': x and y coordinates need a north-up geotransform");
    }
    check_absent(path, layout.overwrite);
    return std::make_unique<Hdf5Stack>(path, layout);
}

}  // namespace rastertide
