// SPDX-License-Identifier: Apache-2.0
// What every documented fragment may take for granted.
#pragma once

#include <harrier/runner.hpp>
#include <harrier/runtime.hpp>
#include <harrier/version.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>
