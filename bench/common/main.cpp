// SPDX-License-Identifier: Apache-2.0
// The main() of every benchmark program. Takes Google Benchmark's flags; sizes and numbers of
// workers come from the environment (parameters.hpp). HARRIER_BENCH_ONCE=1 runs one round of each
// contender, HARRIER_BENCH_COLD=1 leaves out the warm-up.
//
// A contender is prepared when its turn comes and dropped when the next one's comes, so that no two
// runtimes live at once. One round, or
// what it offers instead, warms it up before anything counts.
#include "contender.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <optional>

namespace bench {
namespace {

class entry {
 public:
  entry(std::string full_name, std::size_t worker_count)
      : name(std::move(full_name)), workers(worker_count) {}
  std::string name;
  std::size_t workers;
  contender::prepare prepare;  // a contender, or
  quantity::measure measure;  // a quantity in `unit`
  std::string unit;
};

std::deque<entry>& entries() {
  static std::deque<entry> all;
  return all;
}

entry& add(const std::string& workload, const std::string& name, std::size_t workers) {
  return entries().emplace_back(workload + "/" + name + "/" + std::to_string(workers), workers);
}

const entry* prepared_entry = nullptr;
std::optional<measurement> prepared;

const measurement& prepare(const entry& wanted) {
  if (prepared_entry != &wanted) {
    prepared.reset();
    prepared_entry = &wanted;
    prepared.emplace(wanted.prepare(wanted.workers));
    if (std::getenv("HARRIER_BENCH_COLD") == nullptr) prepared->warm_up();
  }
  return *prepared;
}

void run_contender(benchmark::State& state, const entry& wanted) {
  const measurement& measured = prepare(wanted);
  for (auto turn : state) {
    static_cast<void>(turn);
    state.SetIterationTime(std::chrono::duration<double>(measured.run_round()).count());
  }
  using counter = benchmark::Counter;
  state.counters["per_op"] =
      counter(measured.operations(), counter::kIsIterationInvariantRate | counter::kInvert);
  state.counters["ops"] = counter(measured.operations());
  state.counters["peak_rss"] = counter(static_cast<double>(peak_resident_bytes()));
  state.counters["payload"] = counter(measured.payload_bytes());
  for (const auto& [name, read] : measured.counters()) state.counters[name] = counter(read());
}

void run_quantity(benchmark::State& state, const entry& wanted) {
  prepared.reset();
  double value = 0;
  for (auto turn : state) {
    static_cast<void>(turn);
    const duration taken = timed([&] { value = wanted.measure(wanted.workers); });
    state.SetIterationTime(std::chrono::duration<double>(taken).count());
  }
  state.counters["value"] = benchmark::Counter(value);
  state.counters["peak_rss"] = benchmark::Counter(static_cast<double>(peak_resident_bytes()));
  state.SetLabel(wanted.unit);
}

void register_all(bool once) {
  for (const entry& each : entries()) {
    const bool is_quantity = static_cast<bool>(each.measure);
    auto* registered = benchmark::RegisterBenchmark(
        each.name.c_str(), [&each, is_quantity](benchmark::State& state) {
          is_quantity ? run_quantity(state, each) : run_contender(state, each);
        });
    registered->UseManualTime();
    if (once || is_quantity) registered->Iterations(1);
  }
}

std::uint64_t status_bytes(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field, 0) != 0) continue;
    return std::strtoull(line.c_str() + std::strlen(field), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

contender::contender(const std::string& workload, const std::string& name,
                     const std::vector<std::size_t>& workers, const prepare& make) {
  for (const std::size_t count : workers) add(workload, name, count).prepare = make;
}

quantity::quantity(const std::string& workload, const std::string& name,
                   const std::vector<std::size_t>& workers, const std::string& unit,
                   const measure& measure_once) {
  for (const std::size_t count : workers) {
    entry& added = add(workload, name, count);
    added.measure = measure_once;
    added.unit = unit;
  }
}

void check(bool holds, const char* message) {
  if (holds) return;
  std::fprintf(stderr, "wrong result: %s\n", message);
  std::_Exit(3);
}

std::uint64_t peak_resident_bytes() { return status_bytes("VmHWM:"); }
std::uint64_t resident_bytes() { return status_bytes("VmRSS:"); }

}  // namespace bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  bench::register_all(std::getenv("HARRIER_BENCH_ONCE") != nullptr);
  benchmark::RunSpecifiedBenchmarks();
  bench::prepared.reset();
  benchmark::Shutdown();
  return 0;
}
