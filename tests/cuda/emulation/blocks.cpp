// SPDX-License-Identifier: Apache-2.0
// Each thread of a block is a fiber that runs to its next barrier or warp operation and hands over to the
// next fiber that can run. This file must not be instrumented by TSan: it states itself what orders what.
#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <boost/context/detail/fcontext.hpp>
#include <sys/mman.h>

#include "internal.hpp"

// There where the program is linked to a sanitizer: one build of this file serves all flavours.
extern "C" {
#define RASTERTIDE_WEAK __attribute__((weak))
RASTERTIDE_WEAK void __sanitizer_start_switch_fiber(void** save, const void* stack, std::size_t bytes);
RASTERTIDE_WEAK void __sanitizer_finish_switch_fiber(void* saved, const void** stack, std::size_t* bytes);
RASTERTIDE_WEAK void __asan_poison_memory_region(const volatile void* address, std::size_t bytes);
RASTERTIDE_WEAK void* __tsan_get_current_fiber();
RASTERTIDE_WEAK void* __tsan_create_fiber(unsigned flags);
RASTERTIDE_WEAK void __tsan_switch_to_fiber(void* fiber, unsigned flags);
RASTERTIDE_WEAK void __tsan_acquire(void* address);
RASTERTIDE_WEAK void __tsan_release(void* address);
RASTERTIDE_WEAK void AnnotateIgnoreReadsBegin(const char* file, int line);
RASTERTIDE_WEAK void AnnotateIgnoreReadsEnd(const char* file, int line);
RASTERTIDE_WEAK void AnnotateIgnoreWritesBegin(const char* file, int line);
RASTERTIDE_WEAK void AnnotateIgnoreWritesEnd(const char* file, int line);
#undef RASTERTIDE_WEAK
}

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace rastertide_emulation {
namespace {

namespace context = boost::context::detail;
using namespace std::string_literals;

constexpr std::size_t kStackBytes = 128 << 10;  // address space: only what is touched costs memory
constexpr std::size_t kGuardBytes = 4 << 10;
constexpr std::size_t kSharedLimitBytes = 48 << 10;  // of static shared memory, on every device
constexpr unsigned kWarp = 32, kMaxThreads = 1024, kWords = kMaxThreads / 64;
constexpr const char* kOpNames[] = {"__syncwarp", "__ballot_sync", "__any_sync", "__all_sync", "__shfl_sync"};

bool with_asan() { return __sanitizer_start_switch_fiber != nullptr; }
bool with_tsan() { return __tsan_switch_to_fiber != nullptr; }

void acquire(char& what) {
    if (with_tsan()) __tsan_acquire(&what);
}
void release(char& what) {
    if (with_tsan()) __tsan_release(&what);
}

/// What the emulator does to a kernel's memory is no access of the thread that happens to run.
struct Unseen {
    Unseen() {
        if (with_tsan())
            AnnotateIgnoreReadsBegin(__FILE__, __LINE__), AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    }
    ~Unseen() {
        if (with_tsan())
            AnnotateIgnoreWritesEnd(__FILE__, __LINE__), AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
};

enum class Wait { No, AtBarrier, AtWarpOp, Exited };

struct Fiber {
    context::fcontext_t fcontext = nullptr;
    uint3 index{};
    unsigned thread = 0;    // index as one number
    unsigned position = 0;  // in the schedule
    Wait wait = Wait::No;
    Place place;  // where it waits
    // The warp operation that it waits for.
    WarpOp op{};
    unsigned mask = 0;
    int source = 0;
    std::uint64_t value = 0, result = 0;
    Fiber* completer = nullptr;       // the lane that came last
    char arrived = 0, completed = 0;  // their addresses stand for what TSan is told
    // For the sanitizers.
    const void* stack = nullptr;
    std::size_t stack_bytes = 0;
    void *fake_stack = nullptr, *tsan = nullptr;

    Fiber() = default;
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;
};

/// Fibers for one block, used again by later blocks.
struct Pool {
    std::vector<std::unique_ptr<Fiber>> fibers;
    char barriers[2] = {};  // taken in turn: who is early at the next one must not seem ordered by this one
};

struct SharedObject {
    const void* site;
    std::size_t bytes;
    void *memory, *object;
};

enum class Schedule { Forward, Reverse, Random };

// The block that runs. There is one at a time: the runtime holds a lock.
struct Running {
    Pool pools[8];
    Pool* pool = nullptr;
    Fiber host;
    Fiber* current = nullptr;
    unsigned n_threads = 0, n_arrived = 0, n_exited = 0, count = 0;
    unsigned generation = 0;  // of barriers
    int barrier_result = 0;
    Place barrier_place;
    std::uint64_t ready[kWords] = {};  // bits by position; no memchr: TSan takes it for the thread's own
    std::vector<Fiber*> order;         // by position
    unsigned cursor = 0;
    unsigned arrived[kWarp] = {};  // lanes at a warp operation, per warp
    std::vector<SharedObject> shared;
    Schedule schedule = Schedule::Forward;
    std::uint64_t random = 1;
    const std::function<void()>* body = nullptr;
    char launch = 0, end = 0, fence = 0;
};

Running& running() {
    static Running* const the_one = new Running;
    return *the_one;
}

bool same(const Place& a, const Place& b) {
    return a.line() == b.line() && a.column() == b.column() && a.file_name() == b.file_name();
}

std::string where(const Place& place) {
    return std::string(place.file_name()) + ":" + std::to_string(place.line());
}

std::string where(const Fiber& fiber) {
    const std::string thread = "thread " + std::to_string(fiber.thread);
    if (fiber.wait == Wait::Exited) return thread + " has exited";
    return thread + " waits at " + (fiber.wait == Wait::AtBarrier ? "a barrier" : kOpNames[int(fiber.op)]) +
           ", " + where(fiber.place);
}

[[noreturn]] void fail_in_kernel(const Fiber& fiber, const Place& place, const std::string& text) {
    fail("%s; block (%u, %u, %u), thread (%u, %u, %u), %s, in %s", text.c_str(), blockIdx.x, blockIdx.y,
         blockIdx.z, fiber.index.x, fiber.index.y, fiber.index.z, where(place).c_str(),
         place.function_name());
}

std::uint64_t next_random(Running& r) {
    r.random ^= r.random << 13, r.random ^= r.random >> 7, r.random ^= r.random << 17;
    return r.random;
}

template <typename T>
void shuffle_all(Running& r, std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[next_random(r) % i]);
}

/// To be called first on the stack that was switched to.
void after_switch(Running& r, context::transfer_t transfer) {
    Fiber& from = *static_cast<Fiber*>(transfer.data);
    from.fcontext = transfer.fctx;
    if (!with_asan()) return;
    const bool from_host = &from == &r.host;
    __sanitizer_finish_switch_fiber(r.current->fake_stack, from_host ? &r.host.stack : nullptr,
                                    from_host ? &r.host.stack_bytes : nullptr);
}

void switch_to(Running& r, Fiber& to) {
    Fiber& from = *r.current;
    if (&to == &from) return;
    r.current = &to;
    threadIdx = to.index;
    if (with_asan()) {
        const bool last = from.wait == Wait::Exited;
        __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.stack, to.stack_bytes);
    }
    if (with_tsan()) __tsan_switch_to_fiber(to.tsan, 1 /* no synchronisation */);
    after_switch(r, context::jump_fcontext(to.fcontext, &from));
}

/// No thread can go on: says why.
[[noreturn]] void diagnose(Running& r) {
    const Fiber *exited = nullptr, *at_barrier = nullptr;
    for (unsigned i = 0; i < r.n_threads; ++i) {
        const Fiber& fiber = *r.pool->fibers[i];
        if (fiber.wait == Wait::Exited && !exited) exited = &fiber;
        if (fiber.wait == Wait::AtBarrier && !at_barrier) at_barrier = &fiber;
        if (fiber.wait != Wait::AtWarpOp) continue;
        const unsigned first = i / kWarp * kWarp;
        for (unsigned j = first; j < std::min(first + kWarp, r.n_threads); ++j) {
            const Fiber& other = *r.pool->fibers[j];
            if ((fiber.mask >> (j - first) & 1u) == 0 || other.wait == Wait::AtWarpOp) continue;
            char mask[32];
            std::snprintf(mask, sizeof mask, "the mask 0x%08x", fiber.mask);
            const bool gone = other.wait == Wait::Exited;
            fail_in_kernel(fiber, fiber.place,
                           (gone ? "exit before a warp operation: "s : "divergence at a warp operation: "s) +
                               mask + " of " + kOpNames[int(fiber.op)] +
                               " names a thread that does not come: " + where(other));
        }
    }
    if (exited && at_barrier)
        fail_in_kernel(*at_barrier, at_barrier->place, "exit before a barrier: " + where(*exited));
    fail("no thread can go on");
}

void set_ready(Running& r, unsigned position) { r.ready[position / 64] |= std::uint64_t{1} << position % 64; }
void set_waiting(Running& r, unsigned position) {
    r.ready[position / 64] &= ~(std::uint64_t{1} << position % 64);
}

void set_all_ready(Running& r) {
    const unsigned whole = r.n_threads / 64, rest = r.n_threads % 64;
    for (unsigned i = 0; i < whole; ++i) r.ready[i] = ~std::uint64_t{0};
    if (rest != 0) r.ready[whole] = (std::uint64_t{1} << rest) - 1;
    r.cursor = 0;
}

void switch_to_next(Running& r) {
    const unsigned n_words = (r.n_threads + 63) / 64, first = r.cursor / 64;
    std::uint64_t word = r.ready[first] & (~std::uint64_t{0} << r.cursor % 64);
    unsigned i = first;
    for (unsigned n_seen = 0; word == 0; ++n_seen) {
        if (n_seen == n_words) diagnose(r);
        i = i + 1 == n_words ? 0 : i + 1;
        word = r.ready[i];
    }
    r.cursor = i * 64 + static_cast<unsigned>(__builtin_ctzll(word));
    switch_to(r, *r.order[r.cursor]);
}

void set_order(Running& r) {
    if (r.schedule == Schedule::Random) shuffle_all(r, r.order);
    for (unsigned i = 0; i < r.n_threads; ++i) r.order[i]->position = i;
}

void run_fiber(context::transfer_t transfer) {
    Running& r = running();
    after_switch(r, transfer);
    acquire(r.launch);
    (*r.body)();
    release(r.end);
    Fiber& fiber = *r.current;
    fiber.wait = Wait::Exited;
    set_waiting(r, fiber.position);
    if (++r.n_exited == r.n_threads) switch_to(r, r.host);
    switch_to_next(r);
    std::abort();  // an exited fiber is never switched to
}

void add_fibers(Pool& pool, unsigned n) {
    while (pool.fibers.size() < n) {
        auto fiber = std::make_unique<Fiber>();
        void* const memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0)
            fail("no memory for a stack");
        fiber->thread = static_cast<unsigned>(pool.fibers.size());
        // Tops at the same offset within a page would all fight for the same few cache sets.
        fiber->stack = static_cast<char*>(memory) + kGuardBytes;
        fiber->stack_bytes = kStackBytes - fiber->thread * 5 % 64 * 64;
        if (with_tsan()) fiber->tsan = __tsan_create_fiber(0);
        pool.fibers.push_back(std::move(fiber));
    }
}

void run_block(Running& r, Pool& pool) {
    r.pool = &pool;
    r.n_arrived = r.n_exited = r.count = 0;
    std::fill(r.arrived, r.arrived + kWarp, 0u);
    for (unsigned i = 0; i < r.n_threads; ++i) {
        Fiber& fiber = *pool.fibers[i];
        fiber.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
        fiber.wait = Wait::No;
        fiber.fake_stack = nullptr;
        fiber.fcontext =
            context::make_fcontext(static_cast<char*>(const_cast<void*>(fiber.stack)) + fiber.stack_bytes,
                                   fiber.stack_bytes, run_fiber);
        r.order[r.schedule == Schedule::Reverse ? r.n_threads - 1 - i : i] = &fiber;
    }
    set_order(r);
    set_all_ready(r);
    switch_to_next(r);

    const Unseen unseen;
    for (const SharedObject& object : r.shared) std::free(object.memory);
    r.shared.clear();
}

Schedule read_schedule(Running& r) {
    const char* const text = std::getenv("RASTERTIDE_EMULATION_SCHEDULE");
    const std::string name = text ? text : "forward";
    if (name == "forward") return Schedule::Forward;
    if (name == "reverse") return Schedule::Reverse;
    if (name.rfind("random", 0) != 0)
        fail("RASTERTIDE_EMULATION_SCHEDULE is '%s', not forward, reverse, random or random:SEED", text);
    const std::uint64_t seed = name.size() > 7 ? std::strtoull(name.c_str() + 7, nullptr, 10) : 1;
    r.random = (seed + 1) * 0x9E3779B97F4A7C15u;
    return Schedule::Random;
}

template <typename Function>
void for_each_bit(unsigned bits, Function function) {
    for (; bits != 0; bits &= bits - 1) function(static_cast<unsigned>(__builtin_ctz(bits)));
}

/// All `lanes` of the current fiber's warp wait: checks that it is for the same operation, and lets them go
/// on.
void complete_warp_operation(Running& r, unsigned lanes) {
    Fiber& me = *r.current;
    const unsigned warp = me.thread / kWarp;
    std::unique_ptr<Fiber>* const fibers = &r.pool->fibers[warp * kWarp];
    unsigned ballot = 0;
    r.cursor = r.n_threads;
    for_each_bit(lanes, [&](unsigned lane) {
        const Fiber& other = *fibers[lane];
        if (other.op != me.op || other.mask != me.mask || !same(other.place, me.place))
            fail_in_kernel(me, me.place,
                           "divergence at a warp operation: " + where(other) +
                               (other.mask == me.mask ? "" : ", with another mask"));
        ballot |= static_cast<unsigned>(other.value != 0) << lane;
        r.cursor = std::min(r.cursor, other.position);
    });
    for_each_bit(lanes, [&](unsigned lane) {
        Fiber& other = *fibers[lane];
        const unsigned from = static_cast<unsigned>(other.source) % kWarp;
        switch (me.op) {
            case WarpOp::Sync:
                acquire(other.arrived);
                break;
            case WarpOp::Ballot:
                other.result = ballot;
                break;
            case WarpOp::Any:
                other.result = ballot != 0;
                break;
            case WarpOp::All:
                other.result = ballot == lanes;
                break;
            case WarpOp::Shuffle:
                other.result = lanes >> from & 1u ? fibers[from]->value : ~std::uint64_t{0};
                break;
        }
        other.completer = &me;
        set_ready(r, other.position);
    });
    if (me.op == WarpOp::Sync) release(me.completed);
    r.arrived[warp] &= ~lanes;
}

}  // namespace

void fail(const char* format, ...) {
    std::fflush(stdout);
    va_list arguments;
    va_start(arguments, format);
    std::fputs("cuda emulation: error: ", stderr);
    std::vfprintf(stderr, format, arguments);
    std::fputc('\n', stderr);
    va_end(arguments);
    std::abort();
}

void run_grid(const dim3& grid, const dim3& block, const std::function<void()>& thread) {
    Running& r = running();
    r.schedule = read_schedule(r);
    r.body = &thread;
    r.n_threads = block.x * block.y * block.z;
    r.order.resize(r.n_threads);
    r.current = &r.host;
    gridDim = grid;
    blockDim = block;

    // TSan sees a race between two blocks only where they are different fibers.
    const char* const text = std::getenv("RASTERTIDE_EMULATION_POOLS");
    const unsigned n_pools = !with_tsan() ? 1 : text ? std::clamp(std::atoi(text), 1, 8) : 2;
    for (unsigned i = 0; i < n_pools; ++i) add_fibers(r.pools[i], r.n_threads);
    if (with_tsan()) r.host.tsan = __tsan_get_current_fiber();

    std::vector<std::uint64_t> blocks(std::uint64_t{grid.x} * grid.y * grid.z);
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = i;
    if (r.schedule == Schedule::Reverse) std::reverse(blocks.begin(), blocks.end());
    if (r.schedule == Schedule::Random) shuffle_all(r, blocks);

    release(r.launch);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const std::uint64_t rows = blocks[i] / grid.x;
        blockIdx = {static_cast<unsigned>(blocks[i] % grid.x), static_cast<unsigned>(rows % grid.y),
                    static_cast<unsigned>(rows / grid.y)};
        run_block(r, r.pools[i % n_pools]);
    }
    acquire(r.end);
}

int barrier(Barrier kind, int predicate, const Place& place) {
    Running& r = running();
    Fiber& me = *r.current;
    if (r.n_arrived == 0) r.barrier_place = place;
    if (!same(place, r.barrier_place))
        fail_in_kernel(me, place,
                       "divergence at a barrier: others wait at another one, " + where(r.barrier_place));
    me.wait = Wait::AtBarrier;
    me.place = place;
    set_waiting(r, me.position);
    r.count += predicate != 0;
    char& order = r.pool->barriers[r.generation % 2];
    release(order);
    if (++r.n_arrived == r.n_threads) {
        r.barrier_result = kind == Barrier::Count ? static_cast<int>(r.count)
                           : kind == Barrier::And ? r.count == r.n_threads
                                                  : r.count != 0;
        r.n_arrived = r.count = 0;
        ++r.generation;
        if (r.schedule == Schedule::Random) set_order(r);
        set_all_ready(r);
    }
    switch_to_next(r);
    me.wait = Wait::No;
    acquire(order);
    return r.barrier_result;
}

std::uint64_t warp_operation(WarpOp op, unsigned mask, std::uint64_t value, int source, const Place& place) {
    Running& r = running();
    Fiber& me = *r.current;
    const unsigned warp = me.thread / kWarp, lane = me.thread % kWarp;
    if ((mask >> lane & 1u) == 0)
        fail_in_kernel(me, place,
                       "the mask of "s + kOpNames[int(op)] + " leaves out the thread that calls it");
    me.wait = Wait::AtWarpOp;
    me.place = place;
    me.op = op;
    me.mask = mask;
    me.value = value;
    me.source = source;
    set_waiting(r, me.position);
    r.arrived[warp] |= 1u << lane;
    if (op == WarpOp::Sync) release(me.arrived);
    const unsigned n_lanes = std::min(r.n_threads - warp * kWarp, kWarp);
    const unsigned wanted =
        mask & (~0u >> (kWarp - n_lanes));  // lanes that a narrow block has not count as there
    if ((r.arrived[warp] & wanted) == wanted) complete_warp_operation(r, wanted);
    switch_to_next(r);
    me.wait = Wait::No;
    if (op == WarpOp::Sync) acquire(me.completer->completed);
    return me.result;
}

void* shared_object(const void* site, std::size_t bytes, std::size_t alignment) {
    Running& r = running();
    for (const SharedObject& object : r.shared)
        if (object.site == site) return object.object;

    std::size_t total = bytes;
    for (const SharedObject& object : r.shared) total += object.bytes;
    if (total > kSharedLimitBytes)
        fail("a block has %zu bytes of static shared memory, more than %zu", total, kSharedLimitBytes);
    // Aligned to what was asked for and no more, so that UBSan sees a wide access to narrow elements.
    const std::size_t offset = alignment <= 8 ? 8 : 0;
    const Unseen unseen;
    void* memory = nullptr;
    if (posix_memalign(&memory, std::max<std::size_t>(alignment, 16), bytes + offset) != 0) fail("no memory");
    char* const object = static_cast<char*>(memory) + offset;
    if (__asan_poison_memory_region) __asan_poison_memory_region(memory, offset);
    std::memset(object, 0xFF, bytes);
    r.shared.push_back({site, bytes, memory, object});
    return object;
}

void fence() {
    char& order = running().fence;
    release(order);
    acquire(order);
}

}  // namespace rastertide_emulation
