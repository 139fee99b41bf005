// SPDX-License-Identifier: Apache-2.0
// Where errors go that nobody can receive.
#include <harrier/cancellation.hpp>
#include <harrier/event_loop.hpp>

#include <cstdio>
#include <exception>
#include <source_location>
#include <string>
#include <utility>

namespace harrier::detail {

namespace {

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (const cancelled& thrown) {
    return thrown.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

std::string place(const std::source_location& at) {
  return std::string(at.file_name()) + ":" + std::to_string(at.line());
}

void print(const error_report& report) noexcept {
  try {
    const std::string what = report.error ? ": " + describe(report.error) : std::string();
    const std::string whom = report.task_name.empty() ? "" : " (task " + report.task_name + ")";
    std::string where;
    for (const std::source_location& each : report.waits_at) {
      where += (where.empty() ? ", waits at " : " in ") + place(each);
    }
    if (report.spawned_at) {
      where += ", spawned at " + place(*report.spawned_at);
    }
    std::fprintf(stderr, "harrier: %s%s%s%s\n", report.message.c_str(), whom.c_str(), where.c_str(),
                 what.c_str());
  } catch (...) {  // no memory even for the message
    std::fprintf(stderr, "harrier: %s\n", report.message.c_str());
  }
}

}  // namespace

void report_to(const event_loop::exception_handler* handler, const error_report& report) noexcept {
  if (handler == nullptr) {
    print(report);
    return;
  }
  try {
    (*handler)(report);
  } catch (...) {  // a handler that throws: both reports go to stderr
    print(report);
    try {
      print(error_report("the exception handler threw", std::current_exception(), {}));
    } catch (...) {  // no memory for the second one
      std::fprintf(stderr, "harrier: the exception handler threw\n");
    }
  }
}

void report_error(const char* message, std::exception_ptr error, std::string task_name) noexcept {
  report_error(error_report(message, std::move(error), std::move(task_name)));
}

void report_error(error_report report) noexcept {
  execution* at = here();
  if (at != nullptr && at->loop != nullptr) {
    at->loop->report(std::move(report));
  } else {
    report_to(nullptr, report);
  }
}

}  // namespace harrier::detail
