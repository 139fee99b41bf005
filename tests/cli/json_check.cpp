// SPDX-License-Identifier: Apache-2.0
// Checks a JSON object for shell scripts, as a clean machine has neither jq nor python.
//
//   json_check FIELD...       standard input is one JSON object, on its own, with exactly these
//                             fields; NAME:TYPE (integer, number, string, array, object) also
//                             checks the type, NAME=VALUE the value as JSON text
//   json_check --get POINTER  prints the value there (RFC 6901); a string without its quotes, the
//                             number of members with POINTER followed by `/#`
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  return type == value.type_name();
}

// What separates the name from the rest is the first of ':' and '='.
class field {
 public:
  explicit field(const std::string& text)
      : name(text.substr(0, text.find_first_of(":="))),
        kind(name.size() < text.size() ? text[name.size()] : ' '),
        rest(kind == ' ' ? "" : text.substr(name.size() + 1)) {}

  void check(const json& object) const {
    if (!object.contains(name)) throw std::runtime_error("no field " + name);
    const auto& value = object[name];
    if (kind == ':' && !has_type(value, rest)) {
      throw std::runtime_error(name + " is not of type " + rest + ": " + value.dump());
    }
    if (kind == '=' && value != json::parse(rest)) {
      throw std::runtime_error(name + " is " + value.dump() + ", not " + rest);
    }
  }

  std::string name;
  char kind;
  std::string rest;
};

void check_fields(const json& object, const std::vector<std::string>& wanted) {
  if (!object.is_object()) throw std::runtime_error("not an object");
  std::vector<std::string> names;
  for (const auto& text : wanted) {
    const field one(text);
    one.check(object);
    names.push_back(one.name);
  }
  for (const auto& [name, value] : object.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw std::runtime_error("unexpected field " + name);
    }
  }
}

void print(const json& object, std::string pointer) {
  const bool is_size = pointer.ends_with("/#");
  if (is_size) pointer.resize(pointer.size() - 2);
  const auto& value = object.at(json::json_pointer(pointer));
  if (is_size) {
    std::cout << value.size() << '\n';
  } else {
    std::cout << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    const auto object = json::parse(std::cin);
    if (arguments.size() == 2 && arguments[0] == "--get") {
      print(object, arguments[1]);
    } else {
      check_fields(object, arguments);
    }
  } catch (const std::exception& error) {
    std::cerr << "json_check: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
