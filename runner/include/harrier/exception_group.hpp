// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace harrier {

/// Several errors at once, in the order in which they happened; some may be groups themselves.
///
/// Threads   as a shared_ptr to something constant.
/// Cost      a look at an error's type is a throw and a catch: a microsecond or two.
class HARRIER_EXPORT exception_group : public std::exception {
 public:
  exception_group(const std::string& message, std::vector<std::exception_ptr> errors);
  exception_group(const exception_group&) noexcept;
  exception_group& operator=(const exception_group&) noexcept;
  ~exception_group() override;

  /// The message, how many errors there are, and what the first of them says.
  const char* what() const noexcept override;

  const std::vector<std::exception_ptr>& errors() const noexcept;
  std::size_t size() const noexcept { return errors().size(); }

  /// Calls `handle(error)` for each error that is an E, those in inner groups included.
  template <class E, class F>
  void for_each(F handle) const {
    for (const std::exception_ptr& each : errors()) {
      try {
        std::rethrow_exception(each);
      } catch (const E& error) {
        handle(error);
      } catch (const exception_group& inner) {
        inner.for_each<E>(std::ref(handle));
      } catch (...) {  // another type: not asked for
      }
    }
  }

  /// Two groups: the errors that are an E, and the others. Inner groups are split alike; a group that
  /// would be empty is absent.
  template <class E>
  std::pair<std::optional<exception_group>, std::optional<exception_group>> split() const {
    return split_by([](const std::exception_ptr& error) noexcept {
      try {
        std::rethrow_exception(error);
      } catch (const E&) {
        return true;
      } catch (...) {  // the question was only whether it is an E
        return false;
      }
    });
  }

 private:
  std::pair<std::optional<exception_group>, std::optional<exception_group>> split_by(
      bool (*matches)(const std::exception_ptr&) noexcept) const;

  struct state;
  std::shared_ptr<const state> state_;
};

}  // namespace harrier
