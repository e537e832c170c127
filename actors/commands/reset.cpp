// `reset`: deletes a stopped job's state; inputs and outputs stay.
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "actors/commands/commands.hpp"
#include "actors/commands/offline.hpp"

namespace weir {

namespace {

bool confirmed(const configuration& how) {
  std::fprintf(stderr,
               "This deletes the state, changelog and positions of job '%s'. "
               "Type its name to go on: ",
               how.job.name().c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == how.job.name();
}

result<void> refuse_live(waiting_session& session, const configuration& how,
                         outside_world& world) {
  auto live = live_members(session, how.job, world);
  if (!live)
    return fail(live.error());
  if (live->empty())
    return {};
  std::string all;
  for (auto& each : *live)
    all += (all.empty() ? "" : ", ") + each;
  return fail(ec::locked,
              "job '" + how.job.name() + "' is running (" + all + "): stop it");
}

bool missing(const result<void>& x) {
  return !x && x.error().code() == ec::not_found;
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
  auto directory = how.settings.data_directory + "/tasks/" + how.job.name();
  std::filesystem::remove_all(directory, problem);
  if (problem)
    return fail(ec::io_error, directory + ": " + problem.message());
  return {};
}

result<void> reset_job(const configuration& how, outside_systems& systems) {
  auto opened = waiting_session::open(*systems.coordination);
  if (!opened)
    return fail(opened.error());
  auto& session = **opened;
  if (auto ok = refuse_live(session, how, *systems.world); !ok)
    return ok;
  znode_paths paths{how.job.name()};
  std::optional<job_node> job;
  if (auto found = read_job_node(session, how.job))
    job = *found;
  if (auto done = remove_local(how, systems, job); !done)
    return done;
  // The changelog before the claims: if we die in between, the claims (born)
  // still say that there was state, and reset can be repeated.
  std::vector<std::string> state{how.job.changelog()};
  for (auto& each : how.job.internals())
    state.push_back(how.job.topic(each));
  for (auto& topic : state) {
    auto gone = systems.streams->delete_topic(topic);
    if (!gone && !missing(gone))
      return gone;
  }
  if (auto done = systems.streams->delete_group(how.job.name()); !done)
    return done;
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

} // namespace

int reset_command(const configuration& how, bool yes) {
  if (!yes && !confirmed(how)) {
    std::fprintf(stderr, "weir: nothing was deleted\n");
    return exit_code::failed;
  }
  auto systems = open_systems(how.settings);
  if (!systems)
    return report(systems.error());
  auto done = reset_job(how, *systems);
  close_systems(*systems);
  if (!done)
    return report(done.error());
  std::fprintf(stderr, "weir: job '%s' is reset; inputs and outputs are kept\n",
               how.job.name().c_str());
  return exit_code::ok;
}

} // namespace weir
