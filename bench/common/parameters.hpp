// SPDX-License-Identifier: Apache-2.0
// Parameters of the benchmark programs. Every size has three values, and HARRIER_BENCH_SIZE picks
//   one: quick seconds for the whole set, for tests default one iteration well under a second
//   official the sizes of the public suites and of the project's targets (bench/report uses these)
// A single one is set by name, as in HARRIER_BENCH_FIB_N=32; HARRIER_BENCH_WORKERS=1,2,4 sets the
// numbers of workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bench {

/// The value of HARRIER_BENCH_<name>, else the one for HARRIER_BENCH_SIZE. Exits with a message
/// when either is set to something else than a number or a known size.
std::uint64_t parameter(std::string_view name, std::uint64_t quick, std::uint64_t standard,
                        std::uint64_t official);

/// The numbers of workers to measure: 1 and 2 unless HARRIER_BENCH_WORKERS says otherwise. They may
/// exceed the number of cores.
std::vector<std::size_t> worker_counts();

/// Far more workers than a machine of two cores has: 64, at the quick size 8, or
/// HARRIER_BENCH_OVERSUBSCRIBED_WORKERS.
std::vector<std::size_t> oversubscribed_workers();

}  // namespace bench
