// SPDX-License-Identifier: Apache-2.0
#include <harrier/exception_group.hpp>

namespace harrier {

struct exception_group::state {
  std::string message;
  std::string text;
  std::vector<std::exception_ptr> errors;
};

namespace {

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {  // it has no text
    return "not a std::exception";
  }
}

/// The inner group that `error` is, if it is one.
std::optional<exception_group> inner_group(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const exception_group& group) {
    return group;
  } catch (...) {  // the question was only whether it is a group
    return std::nullopt;
  }
}

}  // namespace

exception_group::exception_group(const std::string& message,
                                 std::vector<std::exception_ptr> errors) {
  std::string text = message + " (" + std::to_string(errors.size()) +
                     (errors.size() == 1 ? " error" : " errors") + ")";
  if (!errors.empty()) {
    text += ": " + text_of(errors.front());
  }
  auto made = std::make_shared<state>();
  made->message = message;
  made->text = std::move(text);
  made->errors = std::move(errors);
  state_ = std::move(made);
}

exception_group::exception_group(const exception_group&) noexcept = default;
exception_group& exception_group::operator=(const exception_group&) noexcept = default;
exception_group::~exception_group() = default;

const char* exception_group::what() const noexcept { return state_->text.c_str(); }

const std::vector<std::exception_ptr>& exception_group::errors() const noexcept {
  return state_->errors;
}

std::pair<std::optional<exception_group>, std::optional<exception_group>> exception_group::split_by(
    bool (*matches)(const std::exception_ptr&) noexcept) const {
  std::vector<std::exception_ptr> matching;
  std::vector<std::exception_ptr> others;
  for (const std::exception_ptr& each : errors()) {
    if (matches(each)) {
      matching.push_back(each);
    } else if (std::optional<exception_group> inner = inner_group(each)) {
      auto parts = inner->split_by(matches);
      if (parts.first) {
        matching.push_back(std::make_exception_ptr(*parts.first));
      }
      if (parts.second) {
        others.push_back(std::make_exception_ptr(*parts.second));
      }
    } else {
      others.push_back(each);
    }
  }
  std::pair<std::optional<exception_group>, std::optional<exception_group>> parts;
  if (!matching.empty()) {
    parts.first.emplace(state_->message, std::move(matching));
  }
  if (!others.empty()) {
    parts.second.emplace(state_->message, std::move(others));
  }
  return parts;
}

}  // namespace harrier
