// SPDX-License-Identifier: Apache-2.0
// heat as a loop on one thread: the floor.
#include "config.hpp"

namespace bench::heat {
namespace {

const contender serial("heat", "serial", {1}, [](std::size_t) {
  return measure([](grids& both, std::size_t steps) {
    for (; steps > 0; --steps) {
      both.relax(0, both.rows());
      both.end_step();
    }
  });
});

}  // namespace
}  // namespace bench::heat
