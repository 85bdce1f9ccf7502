// SPDX-License-Identifier: Apache-2.0
// The reader of HDF5 stacks. The input says, a line each, what a file is made of: shapes, types, attributes,
// scales. The bytes of the container are not made up, since the library that reads them is not ours; nor has
// GDAL any driver here.
//   data NAME TYPE N N N     a dataset, TYPE i1 u1 i2 i4 f4 f8 s8 (texts) or v (of any length); with ! after
//   it chunked text OBJECT NAME VALUE   an attribute, \0 and the like as they are texts OBJECT NAME VALUE
//   three times that text, of one length; vtexts: of any length number OBJECT NAME N...  an attribute of
//   numbers scale OBJECT AXIS NAME   makes NAME the axis' dimension scale
#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include <hdf5_hl.h>

#include "fuzz/fuzz_target.hpp"
#include "read/hdf5_calls.hpp"
#include "read/source.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::fuzzing;

constexpr hsize_t kMostStored =
    4096;  // values of a dataset that are in the file; of others all are fill values

hid_t type_of(const std::string& word) {
    if (word == "i1") return H5Tcopy(H5T_STD_I8LE);
    if (word == "u1") return H5Tcopy(H5T_STD_U8LE);
    if (word == "i2") return H5Tcopy(H5T_STD_I16BE);
    if (word == "i4") return H5Tcopy(H5T_STD_I32LE);
    if (word == "f8") return H5Tcopy(H5T_IEEE_F64LE);
    if (word != "s8" && word != "v") return H5Tcopy(H5T_IEEE_F32LE);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, word == "v" ? H5T_VARIABLE : 8);
    return type;
}

/// Makes what one line says; what HDF5 does not take is left out.
class FileMaker {
  public:
    explicit FileMaker(const std::string& path)
        : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}

    void make(const std::string& line) const {
        std::istringstream words(line);
        std::string what, object;
        words >> what >> object;
        if (object.empty() || file_.get() < 0) return;
        if (what == "data") {
            make_dataset(object, words);
        } else if (what == "text" || what == "texts" || what == "vtexts") {
            make_text(what, object, words);
        } else if (what == "number") {
            make_number(object, words);
        } else if (what == "scale") {
            make_scale(object, words);
        }
    }

  private:
    void make_dataset(const std::string& name, std::istringstream& words) const {
        std::string type_word;
        words >> type_word;
        const bool chunked = type_word.ends_with('!');
        if (chunked) type_word.pop_back();
        std::vector<hsize_t> shape;
        hsize_t n_values = 1;
        for (hsize_t n = 0; shape.size() < 5 && words >> n; shape.push_back(n)) {
            n_values = n != 0 && n_values > kMostStored / n ? kMostStored + 1 : n_values * n;
        }
        const bool stored = n_values <= kMostStored;
        const Hdf5Id type(type_of(type_word));
        const int n_axes = static_cast<int>(shape.size());
        const Hdf5Id space(shape.empty() ? H5Screate(H5S_SCALAR)
                                         : H5Screate_simple(n_axes, shape.data(), nullptr));
        const Hdf5Id creation(H5Pcreate(H5P_DATASET_CREATE));
        if ((chunked || !stored) && n_axes > 0) {
            std::vector<hsize_t> chunk = shape;
            for (hsize_t& n : chunk) n = std::clamp<hsize_t>(n, 1, 3);
            H5Pset_chunk(creation.get(), n_axes, chunk.data());
        }
        const Hdf5Id dataset(H5Dcreate2(file_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                        creation.get(), H5P_DEFAULT));
        if (dataset.get() < 0 || !stored || H5Tget_class(type.get()) == H5T_STRING) return;
        std::vector<double> values;
        for (hsize_t i = 0; i < n_values; ++i) values.push_back(static_cast<double>(i));
        H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }

    void make_text(const std::string& what, const std::string& object, std::istringstream& words) const {
        std::string name, value;
        words >> name;
        words.get();
        std::getline(words, value, '\0');
        const hsize_t n = 3;
        const Hdf5Id owner(H5Oopen(file_.get(), object.c_str(), H5P_DEFAULT));
        const Hdf5Id space(what == "text" ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, nullptr));
        const Hdf5Id type(H5Tcopy(H5T_C_S1));
        H5Tset_size(type.get(), what == "vtexts" ? H5T_VARIABLE : std::max<std::size_t>(1, value.size()));
        const Hdf5Id attribute(
            H5Acreate2(owner.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
        if (attribute.get() < 0) return;
        const std::array<const char*, 3> pointers = {value.c_str(), value.c_str(), value.c_str()};
        const std::string thrice = value + value + value + "\0\0";
        H5Awrite(attribute.get(), type.get(),
                 what == "vtexts" ? static_cast<const void*>(pointers.data()) : thrice.data());
    }

    void make_number(const std::string& object, std::istringstream& words) const {
        std::string name;
        words >> name;
        std::vector<double> values;
        for (std::string word; values.size() < 8 && words >> word;)
            values.push_back(std::strtod(word.c_str(), nullptr));
        if (name.empty()) return;
        H5LTset_attribute_double(file_.get(), object.c_str(), name.c_str(), values.data(), values.size());
    }

    void make_scale(const std::string& object, std::istringstream& words) const {
        unsigned axis = 0;
        std::string name;
        words >> axis >> name;
        const Hdf5Id dataset(H5Dopen2(file_.get(), object.c_str(), H5P_DEFAULT));
        const Hdf5Id scale(name.empty() ? H5I_INVALID_HID : H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT));
        if (dataset.get() >= 0 && scale.get() >= 0) H5DSattach_scale(dataset.get(), scale.get(), axis);
    }

    Hdf5Id file_;
};

/// What it says of itself holds, and its corners can be read.
void try_source(RasterSource& source) {
    const SourceInfo& info = source.info();
    require(info.grid.n_cols > 0 && info.grid.n_rows > 0 && !info.bands.empty(), "a stack has pixels");
    require(info.block_n_cols > 0 && info.block_n_rows > 0, "blocks have a size");
    for (const SourceBand& band : info.bands) {
        if (band.date)
            require(parse_date(band.date->iso()) == band.date, "a date's ISO 8601 form is that date");
    }
    ReadScratch scratch;
    std::array<float, 4> pixels{};
    for (const std::int64_t at : {std::int64_t{0}, std::int64_t{1}}) {
        const Window corner = {at * (info.grid.n_cols - 1), at * (info.grid.n_rows - 1), 1, 1};
        const std::array<int, 2> bands = {0, static_cast<int>(info.bands.size()) - 1};
        is_accepted([&] { source.read(corner, bands, pixels.data(), scratch); });
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kMostLines = 24;
    static InputFile file("stack.h5");
    {
        const Hdf5Calls quiet("");
        const FileMaker maker(file.path());
        std::vector<std::string> lines = lines_of(text_of(data, size));
        lines.resize(std::min(lines.size(), kMostLines));
        for (const std::string& line : lines) maker.make(line);
    }
    for (const std::string dataset : {"", "data"}) {
        const SourceOptions options = {{}, dataset, std::nullopt};
        is_accepted([&] { try_source(*open_hdf5_source(file.path(), options)); });
    }
    return 0;
}
