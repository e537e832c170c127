// One asynchronous request of the C client, and the answer copied out of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <zookeeper/zookeeper.h>

#include "runtime/coordination/coordination.hpp"
#include "weir/error.hpp"

namespace weir::zk {

class client;
struct watch;

/// The parts of a reply that weir uses; a request fills those that it has.
struct reply {
  /// Data of a node, or the path of a created one.
  std::string text;
  znode_stat stat;
  std::vector<std::string> names;
};

using answer = std::function<void(result<reply>)>;

/// The `data` pointer of a completion. The client calls each completion at most
/// once, at the latest in zookeeper_close; it owns the request until then.
struct request {
  client* owner = nullptr;
  /// Counts the requests of a client.
  std::uint64_t ticket = 0;
  std::string path;
  bool is_write = false;
  /// The watch that exists only if this request succeeds.
  watch* sets = nullptr;
  /// It also exists when the node does not: it waits for the creation.
  bool sets_on_missing = false;
  /// On the clock of boot_time().
  std::chrono::milliseconds sent_at{0};
  /// Empty when the request was answered already, because the session expired.
  answer done;
  /// Where the client puts the results of a multi; index by op.
  std::vector<zoo_op_result_t> results;
  std::vector<std::string> op_paths;
};

// The completions to pass to zoo_a*, with a `request` as their data. They hand
// over to client::completed; what they would throw ends the process, for the
// client is C.
void on_void(int code, const void* data) noexcept;
void on_multi(int code, const void* data) noexcept;
void on_text(int code, const char* value, const void* data) noexcept;
void on_stat(int code, const Stat* stat, const void* data) noexcept;
void on_data(int code, const char* value, int length, const Stat* stat,
             const void* data) noexcept;
void on_names(int code, const String_vector* names, const void* data) noexcept;

} // namespace weir::zk
