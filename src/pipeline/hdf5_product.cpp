// SPDX-License-Identifier: Apache-2.0
#include "pipeline/hdf5_product.hpp"

#include <optional>

#include <rastertide/write/hdf5_copy.hpp>

namespace rastertide {
namespace {

Hdf5Writers writers_of(const Communicator& comm) {
    if (comm.size() == 1 || comm.group() == nullptr || !has_parallel_hdf5()) return {};
    return {comm.rank(), comm.size(), comm.group()};
}

void say_writers(const StackRun& run, const std::string& path, const Hdf5Writers& writers) {
    std::string who = writers.n_ranks == 1 ? "one rank" : std::to_string(writers.n_ranks) + " ranks together";
    if (writers.n_ranks < run.comm.size()) who += ": this HDF5 is not parallel";
    run.say(LogLevel::Info, "'" + path + "': written by " + who);
}

/// The file is closed by all ranks, whether filling it has failed or not.
void fill_and_close(const StackRun& run, Hdf5Copy& copy, const std::string& vrt, const Hdf5Writers& writers) {
    Communicator& comm = run.comm;
    const bool is_writer = comm.rank() < writers.n_ranks;
    std::optional<AgreedError> failed;
    try {
        together(comm, [&] {
            if (is_writer) copy.fill(vrt);
        });
    } catch (const AgreedError& error) {
        failed = error;
    } catch (...) {
        copy.abandon();  // the others may not come to close it
        throw;
    }
    if (writers.group != nullptr && comm.rank() == 0 && !copy.can_close()) {
        copy.abandon();
        throw CommError(failed ? failed->what() : "'" + vrt + "': its HDF5 file cannot be written any more");
    }
    together(comm, [&] {
        if (is_writer) copy.close();
    });
    if (failed) throw AgreedError(*failed);
}

}  // namespace

void write_hdf5_product(const StackRun& run, const std::string& vrt, const std::string& path,
                        const Product& product, const std::vector<Date>& dates) {
    Communicator& comm = run.comm;
    const Hdf5Writers writers = writers_of(comm);
    const bool is_writer = comm.rank() < writers.n_ranks;
    Hdf5Copy copy(path, product, run.series.grid(), dates);
    std::string made;
    together(comm, [&] {
        if (comm.rank() == 0) made = copy.make();
    });
    made = comm.gather(made).front();
    together(comm, [&] {
        if (is_writer) copy.require_writable(made);
    });
    together(comm, [&] {
        if (is_writer) copy.open(made, writers);
    });
    fill_and_close(run, copy, vrt, writers);
    together(comm, [&] {
        if (comm.rank() == 0) copy.commit();
    });
    say_writers(run, path, writers);
}

}  // namespace rastertide
