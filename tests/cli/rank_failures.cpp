// SPDX-License-Identifier: Apache-2.0
// A utility whose ranks fail as they are told: `-fail KIND` on the rank `-rank R`.
#include <new>
#include <stdexcept>

#include <rastertide/core/error.hpp>

#include "common/stack_options.hpp"
#include "common/utility.hpp"
#include "pipeline/tile_loop.hpp"

namespace {

using namespace rastertide;
using namespace rastertide::utils;

void fail(const std::string& kind) {
    if (kind == "usage") throw InvalidArgument("bad value");
    if (kind == "comm") throw CommError("MPI_Allreduce: broken");
    if (kind == "silent") throw std::runtime_error("");
    if (kind == "number") throw 42;
    if (kind == "memory") throw std::bad_alloc();
}

void body(UtilityContext& context) {
    const std::string kind = context.args.get("fail", "");
    const std::string where = context.args.get("where", "alone");
    const auto fail_here = [&] {
        if (context.comm.rank() == context.args.integer("rank", 0)) fail(kind);
    };
    if (where == "options") as_usage(fail_here);
    together(context.comm, [&] {
        if (where == "together") fail_here();
    });
    if (where == "alone") fail_here();
    context.on_first_rank([&] {
        if (where == "first") fail(kind);
    });
}

}  // namespace

int main(int argc, char** argv) {
    return run_utility({"rank_failures",
                        "fails",
                        "",
                        {{"fail", 1, "KIND", "usage, comm, silent, number or memory"},
                         {"where", 1, "PLACE", "options, together, alone or first"},
                         {"rank", 1, "R", "the rank that fails"}}},
                       argc, argv, body);
}
