// SPDX-License-Identifier: Apache-2.0
#include "asyncio_contenders.hpp"

#include "asyncio_script.hpp"
#include "child_process.hpp"

#include <nlohmann/json.hpp>

#include <system_error>

namespace harrier::cli {

namespace {

child_result run_python(const comparison_plan& plan) {
  // -I: neither the user's environment nor the current folder can change what is measured.
  return run_program({"python3", "-I", "-", std::to_string(plan.most_coroutines),
                      std::to_string(plan.rounds), std::to_string(plan.round_time.count())},
                     asyncio_script);
}

void read_figures(const std::string& text, asyncio_figures& into) {
  const auto object = nlohmann::json::parse(text);
  into.python_version = object.at("version").get<std::string>();
  for (const auto& entry : object.at("contenders")) {
    contender_figures figures;
    figures.name = entry.at("name").get<std::string>();
    figures.ns_per_coroutine = entry.at("ns_per_coroutine").get<double>();
    figures.loops_created = entry.at("loops_created").get<std::uint64_t>();
    figures.coroutines = entry.at("coroutines").get<std::uint64_t>();
    into.contenders.push_back(figures);
  }
  if (into.contenders.empty()) {
    into.problem = "python3 is " + into.python_version + "; asyncio.Runner needs 3.11 or later";
  }
}

}  // namespace

asyncio_figures measure_asyncio(const comparison_plan& plan) {
  asyncio_figures figures;
  try {
    const auto python = run_python(plan);
    if (python.exit_status == 0) {
      read_figures(python.output, figures);
    } else {
      figures.problem =
          "python3 could not run it (exit status " + std::to_string(python.exit_status) + ")";
    }
  } catch (const std::system_error& error) {
    figures.problem = std::string("cannot start ") + error.what();
  } catch (const nlohmann::json::exception& error) {
    figures.contenders.clear();
    figures.problem = std::string("cannot read what python3 printed: ") + error.what();
  }
  return figures;
}

}  // namespace harrier::cli
