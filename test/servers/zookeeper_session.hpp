// Ends somebody else's ZooKeeper session.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace weir::test {

/// Opens a second client with the id of `session` and closes it, until the
/// server says that the session is gone: its ephemerals are gone then too. If
/// the owner is connected it notices at once; cut it off first to have it learn
/// of it later. Throws std::runtime_error after `limit`.
void expire_session(const std::string& hosts, std::int64_t session,
                    std::chrono::milliseconds limit = std::chrono::seconds{60});

} // namespace weir::test
