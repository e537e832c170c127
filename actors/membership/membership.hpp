// The node's session with the coordination service.
#pragma once

#include "actors/base/messages.hpp"
#include "actors/membership/messages.hpp"

namespace weir {

/// Opens a session, agrees on the job node (creating it with a fresh generation
/// for a new job), registers the member node, and watches members and live
/// settings. One life: ends after `session_lost`, `join_failed` or `left`.
/// Owned by the node actor.
class membership_actor final : public stepping_actor {
public:
  /// `partitions`: of the job's inputs; compared with the job node (R11).
  /// `patient`: a server that is away is waited for (a rejoin), else an error.
  /// `live`: the settings that an earlier life has told of.
  membership_actor(caf::actor_config& config,
                   std::shared_ptr<node_context> context, caf::actor node,
                   int partitions, bool patient, config_node live);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void open();
  void ensure_nodes(std::size_t next);
  void create_job();
  void read_job();
  void agree_on(job_node found, std::int32_t version);
  void register_member();
  void watch_members();
  void watch_config();
  void read_config(const std::string& text);
  void watch_lease();
  void retry(const error& why, void (membership_actor::*step)());
  void give_up(const error& why);
  void on_event(session_event event);
  void lose(const std::string& reason);
  void close_session(std::function<void()> then);

  std::shared_ptr<node_context> context_;
  caf::actor node_;
  znode_paths paths_;
  int partitions_;
  bool patient_;
  bool joined_ = false;
  bool over_ = false;
  int attempts_ = 0;
  config_node live_;
  std::shared_ptr<membership_info> info_;
  /// Cancelled when this ends: no session is wanted any more.
  cancel_token token_ = cancel_token::below();
};

/// The job node that `mine` asks for: found numbers stay, new stores get the
/// next ones. Errors: `bad_argument` where the found job is another one
/// (partition count, inputs), naming what to do.
result<job_node> agree_on_job(const job& mine, int partitions,
                              const job_node& found);
/// The job node of a new job: stores numbered from 1 in order of declaration.
job_node new_job_node(const job& mine, int partitions, std::string generation,
                      std::int64_t now_ms);

} // namespace weir
