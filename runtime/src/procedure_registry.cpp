// SPDX-License-Identifier: Apache-2.0
#include <harrier/procedure_registry.hpp>

#include <harrier/item_seed.hpp>
#include <harrier/runtime.hpp>

#include <exception>
#include <utility>

namespace harrier {

namespace {

std::string text_of(const item_error& failure, std::uint64_t first) {
  const std::string item = "item " + std::to_string(first + failure.index) + ": ";
  try {
    std::rethrow_exception(failure.error);
  } catch (const cancelled&) {
    return item + "cancelled";
  } catch (const std::exception& error) {
    return item + error.what();
  } catch (...) {  // not a std::exception: it has no text
    return item + "an exception of another kind";
  }
}

task<acknowledgement> carry_out(const procedure_registry* registry, runtime* rt, chunk of,
                                dispatch_options options) {
  auto items = registry->dispatch(*rt, of, std::move(options));
  try {
    co_await items;
  } catch (...) {  // told in the acknowledgement, unless it was this coroutine that was cancelled
    if (!items.done()) {
      throw;
    }
  }
  acknowledgement end(std::move(of));
  const batch_counts counts = items.counts();
  end.completed = counts.completed + counts.skipped;
  end.failed = counts.failed + counts.cancelled;
  if (const auto failure = items.first_error()) {
    end.error = text_of(*failure, end.of.items.first);
  } else if (end.failed != 0) {
    end.error = "cancelled";
  }
  co_return end;
}

}  // namespace

unknown_procedure::unknown_procedure(const std::string& name)
    : std::runtime_error("no procedure '" + name + "' is registered") {}

procedure_registry::procedure_registry() = default;
procedure_registry::~procedure_registry() = default;

void procedure_registry::add(std::string name, procedure body) {
  auto kept = std::make_shared<const procedure>(std::move(body));
  const std::scoped_lock guard(mutex_);
  const auto [at, is_new] = procedures_.try_emplace(std::move(name), std::move(kept));
  if (!is_new) {
    throw std::invalid_argument("procedure_registry: there is a '" + at->first + "' already");
  }
}

bool procedure_registry::contains(const std::string& name) const {
  const std::scoped_lock guard(mutex_);
  return procedures_.count(name) != 0;
}

std::shared_ptr<const procedure_registry::procedure> procedure_registry::find(
    const std::string& name) const {
  const std::scoped_lock guard(mutex_);
  const auto at = procedures_.find(name);
  if (at == procedures_.end()) {
    throw unknown_procedure(name);
  }
  return at->second;
}

batch<void> procedure_registry::dispatch(runtime& rt, const chunk& of,
                                         dispatch_options options) const {
  auto make = [body = find(of.procedure), first = of.items.first, seed = of.seed,
               attempt = of.attempt](std::uint64_t position) {
    const std::uint64_t index = first + position;
    return (*body)(chunk_item(index, item_seed(seed, index), attempt));
  };
  return rt.dispatch(of.items.size(), std::move(make), std::move(options));
}

task<acknowledgement> procedure_registry::execute(runtime& rt, chunk of,
                                                  dispatch_options options) const {
  return carry_out(this, &rt, std::move(of), std::move(options));
}

}  // namespace harrier
