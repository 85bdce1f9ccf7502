// SPDX-License-Identifier: Apache-2.0
#include "write/hdf5_file.hpp"

#include <algorithm>

#include <hdf5_hl.h>

namespace rastertide {

void set_attribute(const Hdf5Calls& calls, hid_t object, const std::string& name, const std::string& value) {
    const Hdf5Id type = calls.own(H5Tcopy(H5T_C_S1));
    calls.check(H5Tset_size(type.get(), std::max<std::size_t>(1, value.size())));
    calls.check(H5Tset_cset(type.get(), H5T_CSET_UTF8));
    const Hdf5Id space = calls.own(H5Screate(H5S_SCALAR));
    const Hdf5Id attribute =
        calls.own(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT));
    calls.check(H5Awrite(attribute.get(), type.get(), value.c_str()));
}

void set_attribute(const Hdf5Calls& calls, hid_t object, const std::string& name, double value) {
    const Hdf5Id space = calls.own(H5Screate(H5S_SCALAR));
    const Hdf5Id attribute =
        calls.own(H5Acreate2(object, name.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT));
    calls.check(H5Awrite(attribute.get(), H5T_NATIVE_DOUBLE, &value));
}

Hdf5Id make_timeless_creation(const Hdf5Calls& calls) {
    Hdf5Id creation = calls.own(H5Pcreate(H5P_DATASET_CREATE));
    calls.check(H5Pset_obj_track_times(creation.get(), false));
    return creation;
}

Hdf5Id make_coordinate(const Hdf5Calls& calls, hid_t file, const std::string& name,
                       const std::vector<double>& values) {
    const hsize_t size = values.size();
    const Hdf5Id space = calls.own(H5Screate_simple(1, &size, nullptr));
    const Hdf5Id creation = make_timeless_creation(calls);
    Hdf5Id variable = calls.own(H5Dcreate2(file, name.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                           creation.get(), H5P_DEFAULT));
    calls.check(H5Dwrite(variable.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
    calls.check(H5DSset_scale(variable.get(), name.c_str()));
    return variable;
}

}  // namespace rastertide
