// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch_stream.hpp>
#include <harrier/detail/batch_making.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/dispatch_options.hpp>

#include <utility>

namespace harrier {

/// A stage of a pipeline: what then() gives.
template <class Factory>
class pipeline_stage {
 public:
  pipeline_stage(Factory make, dispatch_options how)
      : factory(std::move(make)), options(std::move(how)) {}
  Factory factory;
  dispatch_options options;
};

/// The next stage of a pipeline: `rt.stream(source, f) | then(g) | then(h, options)`. A result of one
/// stage is an element of the next, and keeps its index. Items flow from stage to stage without
/// waiting for each other; each stage has a window of its own, and a slow one slows those before it.
///
/// Lifetime  the last stage is the handle of all. The runtime outlives the call.
/// Errors    a stage that fails cancels those before it and fails those after it with its error; a
///           stage ends after those before it have ended. What collect_all collects in a
///           stage that is not the last goes to the exception handler.
template <class Factory>
pipeline_stage<Factory> then(Factory factory, dispatch_options options = {}) {
  return pipeline_stage<Factory>(std::move(factory), std::move(options));
}

template <class T, class Factory>
auto operator|(batch_stream<T>&& from, pipeline_stage<Factory> stage) {
  detail::runtime_core& runtime = from.harrier_runtime();
  detail::item_work<detail::stream_input<T>, Factory> work(std::move(from).harrier_input(),
                                                           std::move(stage.factory),
                                                           std::move(stage.options), fail_fast);
  using result = typename decltype(work)::result;
  auto* core = detail::make_batch<detail::stream_of<result>>(std::move(work));
  runtime.hand_over(*core);
  return batch_stream<result>(*core);
}

}  // namespace harrier
