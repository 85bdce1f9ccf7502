// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include <rastertide/pipeline/summary.hpp>

namespace rastertide {

/// The index of the knee: the k after which more clusters save little.
///
/// Kneedle (Satopaa et al. 2011) for a convex, decreasing curve, without its smoothing and its sensitivity:
/// with k and energy scaled to 0..1, the knee is the point farthest below the chord from the first point to
/// the last; of several, that with the smallest k.
///
/// @param points  k strictly ascending; another order is the caller's error and gives an index without
///                meaning
/// @return nothing for fewer than 3 points, an energy that is not finite, a curve whose last energy is not
///         below its first, and a curve without a point below the chord (a straight line, a concave curve)
std::optional<std::size_t> knee(std::span<const ElbowPoint> points);

/// elbow.csv: k, energy, iterations, knee (1 for the knee, else 0); a line a point. Energies are in the
/// shortest form (17 digits at most) that reads back to the same double; empty if not a number.
std::string elbow_csv(std::span<const ElbowPoint> points);

/// elbow.svg: the energy over k as a line, the knee marked. Points whose energy is not finite are left out.
std::string elbow_svg(std::span<const ElbowPoint> points);

}  // namespace rastertide
