// SPDX-License-Identifier: Apache-2.0
#include <harrier/checkpoint.hpp>

#include <harrier/detail/checkpoint_core.hpp>

#include <utility>

namespace harrier {

checkpoint::checkpoint(const std::string& path, batch_identity of, checkpoint_options options)
    : core_(std::make_shared<detail::checkpoint_core>(path, std::move(of), std::move(options))) {}

checkpoint::~checkpoint() = default;

bool checkpoint::is_resumed() const noexcept { return core_->is_resumed(); }
index_set checkpoint::finished() const { return core_->finished(); }
std::uint64_t checkpoint::output_bytes() const { return core_->output_bytes(); }

void checkpoint::finish(std::uint64_t index, std::string_view output) {
  core_->finish(index_range(index, index + 1), output);
}
void checkpoint::finish(index_range items, std::string_view output) {
  core_->finish(items, output);
}

void checkpoint::replace_output(const std::function<index_set(const output_sink&)>& write) {
  core_->replace_output(write);
}

void checkpoint::save() { core_->save(); }
std::uint64_t checkpoint::saves() const noexcept { return core_->saves(); }
std::uint64_t checkpoint::failed_saves() const noexcept { return core_->failed_saves(); }

dispatch_options& dispatch_options::with_checkpoint(checkpoint& of) {
  recorder = of.core_;
  return *this;
}

}  // namespace harrier
