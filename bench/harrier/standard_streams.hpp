// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace harrier::cli {

/// Makes sure that descriptors 0 to 2 are taken, so that no file opened later is mistaken for a
/// stream the caller had closed. What is put in their place refuses to be written or read.
void occupy_standard_streams() noexcept;

}  // namespace harrier::cli
