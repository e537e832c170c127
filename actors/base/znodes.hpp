// The znodes of a job: their paths and their versioned JSON (docs/formats.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/job/settings.hpp"
#include "weir/error.hpp"

namespace weir {

/// /weir/<job> and what lies below.
struct znode_paths {
  std::string root;

  explicit znode_paths(const std::string& job) : root("/weir/" + job) {}

  std::string job() const { return root + "/job"; }
  std::string config() const { return root + "/config"; }
  std::string members() const { return root + "/members"; }
  std::string member(const std::string& name) const {
    return members() + "/" + name;
  }
  std::string tasks() const { return root + "/tasks"; }
  std::string claim(int partition) const {
    return tasks() + "/" + std::to_string(partition);
  }
  std::string parked() const { return root + "/parked"; }
  /// Exists as long as the task is parked (actors/failure/parked.hpp).
  std::string parked(int partition) const {
    return parked() + "/" + std::to_string(partition);
  }
};

/// Names a process beyond doubt: a reused process id has another start time,
/// a rebooted host another boot id, a container another namespace (rule C5).
struct process_identity {
  std::string host;
  std::string boot_id;
  std::int64_t pid = 0;
  std::uint64_t start = 0;
  /// Whose table `pid` is in. Empty = unknown, as in older znodes.
  std::string pid_namespace;

  bool operator==(const process_identity&) const = default;
};

/// Whether the process table of one tells of the other: the same boot of the
/// same host, and the same namespace, which must be known.
bool shares_process_table(const process_identity& a, const process_identity& b);

/// "process 4711 on host-a"
std::string to_string(const process_identity& x);

/// Persistent; created once with the job.
struct job_node {
  std::string generation;
  int partitions = 0;
  std::vector<std::string> inputs;
  /// Number of each store: the first byte of its keys. Numbers never change.
  std::map<std::string, int> stores;
  std::int64_t created_ms = 0;
};

/// Ephemeral; one for each running node.
struct member_node {
  process_identity process;
  std::vector<int> tasks;
};

/// Persistent; says which lane may write a task's changelog (design, 5).
struct claim_node {
  std::string producer_id;
  std::uint64_t epoch = 0;
  bool released = false;
  /// Set after the task's first commit succeeded (rule S2).
  bool born = false;
  std::int64_t floor = 0;
  /// `adopt`: the operator accepts that the changelog has no state below this
  /// offset (rule S2).
  std::int64_t empty_below = 0;
  /// `adopt`: commits are counted from here on, so that none has the number of
  /// one that was lost.
  std::uint64_t commits_above = 0;
  std::string generation;
  int partitions = 0;
  /// The owner's member node and process, so that its death is recognised.
  std::string member;
  process_identity process;
};

/// What stands in the config node and is ignored.
struct ignored_setting {
  std::string name;
  /// As it stands there.
  std::string value;
  std::string may_be;

  bool operator==(const ignored_setting&) const = default;
};

/// Settings that change while the job runs. Unset = not mentioned.
struct config_node {
  std::optional<milliseconds> check_interval;
  std::optional<milliseconds> sync_interval;
  std::vector<ignored_setting> ignored;
};

std::string encode(const job_node& x);
std::string encode(const member_node& x);
std::string encode(const claim_node& x);

/// Errors: `bad_format` (hostile or newer data: the text says which).
result<job_node> decode_job(const std::string& json);
result<member_node> decode_member(const std::string& json);
result<claim_node> decode_claim(const std::string& json);
/// Never fails: what is bad keeps its value of `last`, what was read before.
config_node decode_config(const std::string& json,
                          const config_node& last = {});

} // namespace weir
