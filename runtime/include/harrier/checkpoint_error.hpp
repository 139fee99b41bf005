// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace harrier {

/// Why a checkpoint was refused.
enum class checkpoint_refusal : std::uint8_t {
  not_a_checkpoint,  ///< the file is something else
  other_version,  ///< written by another version of the format
  truncated,  ///< shorter than when it was written
  damaged,  ///< its checksum does not fit
  other_batch,  ///< the name, total, seed or fingerprint is that of another batch
  other_output,  ///< the output is missing, shorter or other than when the checkpoint was written
  in_use,  ///< another process, or this one, has it open
};

/// A checkpoint cannot be used. What is on disk was not touched: whoever wants to start anew removes
/// the file.
class HARRIER_EXPORT checkpoint_error : public std::runtime_error {
 public:
  /// `reason` in words follows the path.
  checkpoint_error(checkpoint_refusal refusal, const std::string& path, const std::string& reason);

  checkpoint_refusal why() const noexcept { return why_; }

 private:
  checkpoint_refusal why_;
};

}  // namespace harrier
