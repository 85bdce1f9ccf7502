// SPDX-License-Identifier: Apache-2.0
#include "algorithms.hpp"

#include <gdal_priv.h>

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 11, 0)
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gdalalgorithm.h>

#include "common/lazy_stack.hpp"
#include "driver/lazy_request.hpp"
#include "write/product_layouts.hpp"

namespace rastertide::plugin {
namespace {

using utils::OptionSpec;

struct Command {
    const char* name;
    const char* description;
    const char* product;                ///< fixed; null: an option
    std::vector<const char*> left_out;  ///< options that are none of its own
};

const std::vector<Command>& commands() {
    static const std::vector<Command> kCommands = {
        {"lof",
         "Anomalies of a raster time series by the local outlier factor",
         nullptr,
         {"model", "budget"}},
        {"kmeans",
         "Labels of a raster time series by the centres of a rastertide_kmeans run",
         kLabelProduct,
         {"product", "patch", "neighbors", "threshold", "summary", "sample", "scale", "budget"}}};
    return kCommands;
}

/// An option by the rules of the `gdal` command: dashes, and a word for those of one letter.
std::string long_name(const std::string& option) {
    if (option == "b") return "band";
    if (option == "r") return "resampling";
    if (option == "oo") return "open-option";
    std::string name = option;
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

std::string stack_name(const std::vector<std::string>& inputs) {
    std::string name = kPrefix;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        char* escaped = CPLEscapeString(inputs[i].c_str(), -1, CPLES_URL);
        name += (i == 0 ? "?input=" : "&input=") + std::string(escaped);
        CPLFree(escaped);
    }
    return name;
}

/// A product of the driver, copied to a file.
class StackAlgorithm final : public GDALAlgorithm {
  public:
    explicit StackAlgorithm(const Command& command)
        : GDALAlgorithm(command.name, command.description, ""), product_(command.product) {
        AddProgressArg();
        AddArg("input", 0, "Scenes, a folder of scenes, or one raster with a band a date", &inputs_)
            .SetPositional()
            .SetRequired()
            .SetMinCount(1)
            .SetAutoOpenDataset(false);
        AddOutputDatasetArg(&output_, GDAL_OF_RASTER);
        AddOutputFormatArg(&format_);
        AddCreationOptionsArg(&creation_options_);
        AddOverwriteArg(&overwrite_);
        for (const OptionSpec& option : utils::lazy_option_specs()) {
            const auto is_it = [&](const char* name) { return option.name == name; };
            if (std::any_of(command.left_out.begin(), command.left_out.end(), is_it)) continue;
            AddArg(long_name(option.name), option.name.size() == 1 ? option.name.front() : '\0',
                   option.help + (option.values.empty() ? "" : " (" + option.values + ")"),
                   &values_[option.name]);
        }
    }

  private:
    std::unique_ptr<GDALDataset> open() const {
        CPLStringList options;
        for (const auto& [name, value] : values_) {
            if (!value.empty()) options.SetNameValue(CPLString(name).toupper().c_str(), value.c_str());
        }
        if (product_ != nullptr) options.SetNameValue("PRODUCT", product_);
        return std::unique_ptr<GDALDataset>(GDALDataset::Open(
            stack_name(inputs_).c_str(), GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, nullptr, options.List()));
    }

    GDALDriver* output_driver() {
        std::string format = format_;
        if (format.empty()) {
            const CPLStringList formats(
                GDALGetOutputDriversForDatasetName(output_.GetName().c_str(), GDAL_OF_RASTER, true, true));
            if (formats.empty()) {
                ReportError(CE_Failure, CPLE_AppDefined, "no format for '%s': name one with --format",
                            output_.GetName().c_str());
                return nullptr;
            }
            format = formats[0];
        }
        GDALDriver* driver = GetGDALDriverManager()->GetDriverByName(format.c_str());
        if (driver == nullptr) ReportError(CE_Failure, CPLE_AppDefined, "no driver '%s'", format.c_str());
        return driver;
    }

    bool RunImpl(GDALProgressFunc progress, void* progress_data) override {
        const std::unique_ptr<GDALDataset> source = open();
        GDALDriver* driver = source != nullptr ? output_driver() : nullptr;
        if (driver == nullptr) return false;
        const CPLStringList options(creation_options_);
        std::unique_ptr<GDALDataset> copy(driver->CreateCopy(output_.GetName().c_str(), source.get(), false,
                                                             options.List(), progress, progress_data));
        if (copy == nullptr) return false;
        output_.Set(std::move(copy));
        return true;
    }

    const char* product_;
    std::vector<std::string> inputs_;
    GDALArgDatasetValue output_;
    std::string format_;
    std::vector<std::string> creation_options_;
    bool overwrite_ = false;
    std::map<std::string, std::string> values_;  ///< of the driver's options; their places must not move
};

}  // namespace

void register_algorithms() {
    for (const Command& command : commands()) {
        GDALGlobalAlgorithmRegistry::GetSingleton().DeclareAlgorithm(
            {"raster", command.name}, [&command]() -> std::unique_ptr<GDALAlgorithm> {
                return std::make_unique<StackAlgorithm>(command);
            });
    }
}

}  // namespace rastertide::plugin

#else

namespace rastertide::plugin {
void register_algorithms() {}
}  // namespace rastertide::plugin

#endif
