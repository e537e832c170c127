// `reset`: deletes a stopped job's state; inputs and outputs stay.
#include <cstdio>
#include <filesystem>

#include "actors/commands/commands.hpp"
#include "actors/commands/confirm.hpp"
#include "actors/commands/offline.hpp"

namespace weir {

namespace {

bool missing(const result<void>& x) {
  return !x && x.error().code() == ec::not_found;
}

/// Of all tasks.
std::string local_state(const configuration& how) {
  return how.settings.data_directory + "/tasks/" + how.job.name();
}

result<void> remove_local(const configuration& how,
                          const outside_systems& systems,
                          const std::optional<job_node>& job) {
  // Taking each lock shows that no process has the state open.
  if (job)
    for (int p = 0; p < job->partitions; ++p) {
      auto database = open_stopped(how, systems, *job, p);
      if (!database && database.error().code() == ec::locked)
        return fail(database.error());
    }
  std::error_code problem;
  auto directory = local_state(how);
  std::filesystem::remove_all(directory, problem);
  if (problem)
    return fail(ec::io_error, directory + ": " + problem.message());
  return {};
}

/// What `reset` deletes beside znodes: the changelog and internal topics.
std::vector<std::string> state_topics(const job& of) {
  std::vector<std::string> out{of.changelog()};
  for (auto& each : of.internals())
    out.push_back(of.topic(each));
  return out;
}

/// The job's node; none where only its state is left.
/// Errors: `not_found` where nothing is.
result<std::optional<job_node>> find_job(waiting_session& session,
                                         const configuration& how,
                                         outside_systems& systems) {
  auto found = read_job_node(session, how.job);
  if (found)
    return std::optional{*found};
  // A node that cannot be read is one that `reset` cures.
  if (found.error().code() == ec::bad_format)
    return std::optional<job_node>{};
  if (found.error().code() != ec::not_found)
    return fail(found.error());
  std::error_code ignored;
  if (std::filesystem::exists(local_state(how), ignored))
    return std::optional<job_node>{};
  for (auto& topic : state_topics(how.job)) {
    auto there = systems.streams->describe_topic(topic);
    if (!there)
      return fail(there.error());
    if (*there)
      return std::optional<job_node>{};
  }
  return fail(found.error());
}

result<void> reset_job(waiting_session& session, const configuration& how,
                       outside_systems& systems,
                       const std::optional<job_node>& job) {
  if (auto done = remove_local(how, systems, job); !done)
    return done;
  // The changelog before the claims: if we die in between, the claims (born)
  // still say that there was state, and reset can be repeated.
  for (auto& topic : state_topics(how.job)) {
    auto gone = systems.streams->delete_topic(topic);
    if (!gone && !missing(gone))
      return gone;
  }
  if (auto done = systems.streams->delete_group(how.job.name()); !done)
    return done;
  znode_paths paths{how.job.name()};
  // What stopped a task was about the state that goes.
  for (auto& folder : {paths.parked(), paths.tasks()})
    if (auto names = session.children(folder))
      for (auto& name : *names) {
        auto done = session.remove(folder + "/" + name);
        if (!done && !missing(done))
          return done;
      }
  auto done = session.remove(paths.job());
  if (!done && !missing(done))
    return done;
  return {};
}

/// The exit code.
result<int> reset_stopped(const configuration& how, outside_systems& systems,
                          bool yes) {
  auto session = waiting_session::open(*systems.coordination);
  if (!session)
    return fail(session.error());
  if (auto ok = refuse_live(**session, how.job, *systems.world); !ok)
    return fail(ok.error());
  auto job = find_job(**session, how, systems);
  if (!job)
    return fail(job.error());
  if (!yes) {
    auto wanted = confirm("This deletes the state, changelog and positions of "
                          "job '" +
                              how.job.name() + "'",
                          how.job.name());
    if (!wanted)
      return fail(wanted.error());
    if (!*wanted) {
      std::fprintf(stderr, "weir: nothing was deleted\n");
      return exit_code::failed;
    }
    // Somebody may have started it meanwhile.
    if (auto ok = refuse_live(**session, how.job, *systems.world); !ok)
      return fail(ok.error());
  }
  if (auto done = reset_job(**session, how, systems, *job); !done)
    return fail(done.error());
  std::fprintf(stderr, "weir: job '%s' is reset; inputs and outputs are kept\n",
               how.job.name().c_str());
  return exit_code::ok;
}

} // namespace

int reset_command(const configuration& how, bool yes) {
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  auto code = reset_stopped(how, *systems, yes);
  close_systems(*systems);
  return code ? *code : report(code.error());
}

} // namespace weir
