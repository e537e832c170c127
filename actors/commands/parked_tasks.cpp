#include "actors/commands/parked_tasks.hpp"

#include <charconv>

#include <pwd.h>
#include <unistd.h>

namespace weir {

namespace {

/// Writers are the owner, once, and operators.
constexpr int most_tries = 10;

std::string user_name() {
  if (auto* user = ::getpwuid(::geteuid()))
    return user->pw_name;
  return std::to_string(::geteuid());
}

std::string size_of(const char* what, std::int64_t bytes) {
  return bytes < 0 ? std::string{"no "} + what
                   : what + (" of " + std::to_string(bytes)) + " bytes";
}

/// Whether a write may have happened, or another one came before it.
bool worth_a_look(ec code) {
  return code == ec::version_mismatch || code == ec::unknown_outcome ||
         code == ec::disconnected;
}

} // namespace

result<std::optional<found_parked>> read_parked(waiting_session& session,
                                                const job& of, int partition) {
  auto path = znode_paths{of.name()}.parked(partition);
  auto node = session.get(path);
  if (!node && node.error().code() == ec::not_found)
    return std::optional<found_parked>{};
  if (!node)
    return fail(node.error());
  auto parked = decode_parked(node->data);
  if (!parked)
    return fail(parked.error().within(session.where(path)));
  return std::optional{found_parked{std::move(*parked), node->stat.version}};
}

result<std::map<int, result<found_parked>>>
read_all_parked(waiting_session& session, const job& of) {
  std::map<int, result<found_parked>> out;
  auto names = session.children(znode_paths{of.name()}.parked());
  // A job of before there were parked tasks.
  if (!names && names.error().code() == ec::not_found)
    return out;
  if (!names)
    return fail(names.error());
  for (auto& name : *names) {
    int partition = -1;
    auto end = name.data() + name.size();
    auto [rest, problem] = std::from_chars(name.data(), end, partition);
    if (problem != std::errc{} || rest != end)
      continue;
    auto node = read_parked(session, of, partition);
    if (!node)
      out.emplace(partition, fail(node.error()));
    else if (*node)
      out.emplace(partition, std::move(**node));
  }
  return out;
}

std::string cause_of(const parked_node& x) {
  std::string out{to_string(x.kind)};
  if (!x.has_record())
    return out;
  out += " at " + place_of(x);
  if (x.kind != parked_kind::lost_input)
    out += " (" + size_of("key", x.key_bytes) + ", " +
           size_of("value", x.value_bytes) + ")";
  return out;
}

decision_note decide_now(parked_decision what, const std::string& reason,
                         outside_world& world) {
  return {what, user_name() + "@" + world.host_name(), world.wall_clock_ms(),
          reason};
}

result<parked_node> write_decision(waiting_session& session, const job& of,
                                   int partition, const decision_note& note) {
  auto task = "task " + std::to_string(partition);
  error last{ec::timed_out, task + ": its node changes again and again"};
  for (int i = 0; i < most_tries; ++i) {
    auto found = read_parked(session, of, partition);
    if (!found)
      return fail(found.error());
    if (!*found)
      return fail(ec::not_found, task + " is not parked");
    auto& node = (*found)->node;
    if (node.decision == note.what)
      return node;
    if (node.decided())
      return fail(ec::already_exists,
                  node.decided_by + " has decided '" +
                      std::string{to_string(node.decision)} + "' for " + task +
                      "; its next owner carries that out");
    if (auto fits = check_decision(node, note.what); !fits)
      return fail(fits.error().within(task));
    node.decision = note.what;
    node.decided_by = note.by;
    node.decided_ms = note.at_ms;
    node.reason = note.reason;
    auto path = znode_paths{of.name()}.parked(partition);
    auto written = session.set(path, encode(node), (*found)->version);
    if (written)
      return node;
    if (!worth_a_look(written.error().code()))
      return fail(written.error());
    last = written.error();
  }
  return fail(last);
}

} // namespace weir
