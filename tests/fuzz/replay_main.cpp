// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: every file of its corpus, and mutations of them that are the same
// every time.
//   replay_X N_MUTATIONS FOLDER
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz_target.hpp"

namespace {

namespace fs = std::filesystem;

struct Seed {
    std::string name;
    std::string bytes;
};

std::vector<Seed> seeds_in(const std::string& folder) {
    std::vector<Seed> seeds;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        std::ifstream file(entry.path(), std::ios::binary);
        seeds.push_back(
            {entry.path().filename().string(), std::string(std::istreambuf_iterator<char>(file), {})});
    }
    std::sort(seeds.begin(), seeds.end(), [](const Seed& a, const Seed& b) { return a.name < b.name; });
    return seeds;
}

class Mutator {
  public:
    explicit Mutator(const std::vector<Seed>& seeds) : seeds_(seeds) {}

    /// Some edits of one of the seeds.
    std::string next() {
        std::string bytes = any_seed();
        for (std::uint64_t left = 1 + below(4); left > 0; --left) edit(bytes);
        return bytes;
    }

  private:
    /// The draws of one generator, in order: std::mt19937 would do, its distributions differ between
    /// libraries.
    std::uint64_t below(std::uint64_t n) {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return (state_ >> 33U) % n;
    }

    const std::string& any_seed() { return seeds_[below(seeds_.size())].bytes; }
    std::string part_of(const std::string& bytes) {
        if (bytes.empty()) return "";
        return bytes.substr(below(bytes.size()), 1 + below(16));
    }

    void edit(std::string& bytes) {
        static const std::vector<std::string> kWords = {"\"",   "\\",  "\n", "[",     "{",
                                                        "}",    "]",   "-1", "1e999", "18446744073709551615",
                                                        "null", "../", "",   " "};
        const std::size_t at = below(bytes.size() + 1);
        switch (below(6)) {
            case 0:
                bytes.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 1:
                bytes.erase(at, 1 + below(8));
                break;
            case 2:
                bytes.insert(at, kWords[below(kWords.size())]);
                break;
            case 3:
                bytes.insert(at, part_of(any_seed()));
                break;
            case 4:
                bytes.replace(at, 1, 1, static_cast<char>(below(256)));
                break;
            default:
                bytes.replace(at, below(8), part_of(bytes));
        }
    }

    const std::vector<Seed>& seeds_;
    std::uint64_t state_ = 1;
};

std::string current_name;
std::string current_bytes;

/// Whatever ends the process, a sanitizer included, says on which input it was at work.
void say_where() {
    std::fprintf(stderr, "input: %s, %zu bytes:\n", current_name.c_str(), current_bytes.size());
    std::fwrite(current_bytes.data(), 1, std::min<std::size_t>(current_bytes.size(), 4096), stderr);
    std::fputc('\n', stderr);
}

void try_input(const std::string& name, const std::string& bytes) {
    current_name = name;
    current_bytes = bytes;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

int main(int argc, char** argv) {
    if (argc != 3) return 2;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_death_callback(say_where);
#endif
    std::set_terminate([] {
        say_where();
        std::abort();
    });
    const std::vector<Seed> seeds = seeds_in(argv[2]);
    if (seeds.empty()) return 2;
    for (const Seed& seed : seeds) try_input(seed.name, seed.bytes);
    Mutator mutator(seeds);
    const long n_mutations = std::atol(argv[1]);
    for (long i = 1; i <= n_mutations; ++i) try_input("mutation " + std::to_string(i), mutator.next());
    std::printf("%zu files, %ld mutations\n", seeds.size(), n_mutations);
    return 0;
}
