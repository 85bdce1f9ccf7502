// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kmeans/patch_assigner.hpp"

#include <optional>

namespace rastertide {
namespace {

/// The kind of memory that pays best of those that fit.
std::optional<PatchMemoryKind> affordable_kind(const PatchCenters& centers, Backend backend,
                                               std::int64_t n_patches, std::int64_t memory_bytes) {
    // Only CPUs work with margins.
    const PatchMemoryKind fastest = backend == Backend::Cuda
                                        ? PatchMemoryKind::Labels
                                        : PatchMemory::fastest_kind(centers.n_clusters, centers.n_features());
    for (const PatchMemoryKind kind : {fastest, PatchMemoryKind::Labels}) {
        if (PatchMemory::bytes_for(n_patches, centers.n_clusters, kind) <= memory_bytes) return kind;
    }
    return std::nullopt;
}

}  // namespace

PatchAssigner::PatchAssigner(const KMeansRun& run, Communicator& comm, PatchPieces& pieces,
                             const FixedPoint& fixed, std::vector<KMeansFit>& fits, std::int64_t memory_bytes,
                             Stage stage)
    : run_(run), comm_(comm), pieces_(pieces), fixed_(fixed), fits_(fits), stage_(stage) {
    for (const KMeansFit& fit : fits) {
        Memory memory{{}, PatchSums(fit.centers.n_clusters, fit.centers.n_features())};
        for (std::int64_t place = 0; place < pieces.n_pieces(); ++place) {
            const std::int64_t n_patches = pieces.n_patches(place);
            const std::optional<PatchMemoryKind> kind =
                affordable_kind(fit.centers, run.options.compute.backend, n_patches, memory_bytes);
            if (!kind) break;
            memory_bytes -= PatchMemory::bytes_for(n_patches, fit.centers.n_clusters, *kind);
            memory.pieces.emplace_back(*kind);
        }
        memories_.push_back(std::move(memory));
    }
}

void PatchAssigner::assign(const std::vector<std::size_t>& places) {
    for (const std::size_t i : places)
        fits_[i].sums = PatchSums(fits_[i].centers.n_clusters, fits_[i].centers.n_features());
    together(comm_, [&] {
        pieces_.for_each([&](std::int64_t place, const PixelStack& piece) {
            const StageClock::Timer timer(run_.clock, stage_);
            for (const std::size_t i : places) assign_piece(place, piece, fits_[i], memories_[i]);
        });
    });
    for (const std::size_t i : places) {
        fits_[i].sums.merge(memories_[i].sums);
        comm_.sum(fits_[i].sums.state());
    }
}

void PatchAssigner::assign_piece(std::int64_t place, const PixelStack& piece, KMeansFit& fit,
                                 Memory& memory) const {
    if (place < static_cast<std::int64_t>(memory.pieces.size())) {
        reassign_patches(piece, fit.centers, fixed_, memory.pieces[static_cast<std::size_t>(place)],
                         memory.sums, run_.options.compute);
    } else {
        assign_patches(piece, fit.centers, fixed_, {}, &fit.sums, run_.options.compute);
    }
}

}  // namespace rastertide
