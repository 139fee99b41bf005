// SPDX-License-Identifier: Apache-2.0
#include "hash_listing.hpp"

#include "hexadecimal.hpp"

#include <nlohmann/json.hpp>

namespace harrier::cli {

namespace {

using json = nlohmann::ordered_json;

// Errors wait for the end of the object, so their number must have a bound for memory to have one.
constexpr std::size_t most_listed_errors = 1000;

// A path that is not UTF-8 cannot be a JSON string: what is wrong in it is replaced by U+FFFD, and
// its bytes are given beside it.
std::string path_object(const std::string& path, json rest) {
  json object;
  object["path"] = path;
  object.update(rest);
  try {
    return object.dump();
  } catch (const json::type_error&) {
    object["path_hex"] = hexadecimal(path);
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

}  // namespace

std::string escaped_path(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    switch (c) {
      case '\\':
        escaped += "\\\\";
        break;
      case '\n':
        escaped += "\\n";
        break;
      case '\r':
        escaped += "\\r";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string checksum_line(const file_digest& digest) {
  const auto path = escaped_path(digest.path);
  const bool is_escaped = path.size() != digest.path.size();
  return (is_escaped ? "\\" : "") + digest.sha256_hex + "  " + path + "\n";
}

void checksum_listing::add(const file_digest& digest) { out_.write(checksum_line(digest)); }

void checksum_listing::add_error(const std::string&, const std::string&) {}

void checksum_listing::end(const hash_totals&) {}

void json_listing::add(const file_digest& digest) {
  out().write(is_first_ ? "{\"files\":[\n" : ",\n");
  out().write(
      path_object(digest.path, json{{"sha256", digest.sha256_hex}, {"bytes", digest.bytes}}));
  is_first_ = false;
}

void json_listing::add_error(const std::string& path, const std::string& message) {
  if (errors_.size() < most_listed_errors) errors_.emplace_back(path, message);
}

void json_listing::end(const hash_totals& totals) {
  out().write(is_first_ ? "{\"files\":[" : "\n");
  out().write("],\"errors\":[");
  const char* separator = "";
  for (const auto& [path, message] : errors_) {
    out().write(separator + path_object(path, json{{"message", message}}));
    separator = ",\n";
  }
  json rest{{"file_count", totals.files}, {"error_count", totals.errors},
            {"bytes", totals.bytes},      {"seconds", totals.seconds},
            {"workers", totals.workers},  {"peak_rss_bytes", totals.peak_rss_bytes}};
  if (totals.reused) rest["reused_count"] = *totals.reused;
  out().write("]," + rest.dump().substr(1) + "\n");
}

}  // namespace harrier::cli
