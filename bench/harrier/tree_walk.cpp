// SPDX-License-Identifier: Apache-2.0
#include "tree_walk.hpp"

#include <algorithm>
#include <utility>

namespace harrier::cli {

namespace {

// So few that ordinary trees never read a directory twice.
constexpr std::size_t always_kept_entries = 16384;

}  // namespace

tree_walk::tree_walk(std::string root, error_sink on_error)
    : path_(std::move(root)), on_error_(std::move(on_error)) {
  if (path_.empty() || path_.back() != '/') path_ += '/';
  enter();
}

std::optional<std::string> tree_walk::next() {
  while (!levels_.empty()) {
    auto& at = levels_.back();
    path_.resize(at.path_bytes);
    if (at.is_dropped) read_listing(at);
    if (at.position == at.listing.size()) {
      leave();
      continue;
    }
    const auto name = at.listing.name(at.position++);
    path_ += name;
    if (name.back() != '/') return path_;
    enter();
  }
  return std::nullopt;
}

// Makes the directory at path_ the current one. Its listing is read by next(), like a dropped one.
void tree_walk::enter() {
  level entered;
  entered.path_bytes = path_.size();
  entered.is_dropped = true;
  levels_.push_back(std::move(entered));
}

void tree_walk::leave() {
  kept_entries_ -= levels_.back().listing.size();
  levels_.pop_back();
  first_kept_ = std::min(first_kept_, levels_.size());
}

void tree_walk::read_listing(level& at) {
  at.is_dropped = false;
  at.position = 0;
  if (const int error = at.listing.read(path_, at.last_name); error != 0) {
    on_error_(path_.substr(0, std::max<std::size_t>(path_.find_last_not_of('/') + 1, 1)), error);
  }
  kept_entries_ += at.listing.size();
  largest_entries_ = std::max(largest_entries_, at.listing.size());
  first_kept_ = std::min(first_kept_, levels_.size() - 1);
  drop_outer_listings();
}

void tree_walk::drop_outer_listings() {
  const auto limit = std::max(2 * largest_entries_, always_kept_entries);
  while (kept_entries_ > limit && first_kept_ + 1 < levels_.size()) {
    auto& outer = levels_[first_kept_++];
    kept_entries_ -= outer.listing.size();
    outer.last_name = outer.listing.name(outer.position - 1);
    outer.listing = directory_listing();
    outer.is_dropped = true;
  }
}

}  // namespace harrier::cli
