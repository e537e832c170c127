// Writes a claim so that a lost reply is resolved (rule C3).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/claim/claim.hpp"
#include "runtime/coordination/coordination.hpp"

namespace weir {

/// Creates the claim (no `version`) or sets it by version, and answers with the
/// version that it has now. An unknown outcome is resolved by sync and read: if
/// the znode names this id with this epoch, the claim holds. `done` runs on the
/// session's thread.
/// Errors: `version_mismatch`, `already_exists`, `not_found` (somebody else
/// wrote: look again), those of the session.
void write_claim(std::shared_ptr<coordination> session, std::string path,
                 std::optional<std::int32_t> version, claim_node claim,
                 std::function<void(result<std::int32_t>)> done);

} // namespace weir
