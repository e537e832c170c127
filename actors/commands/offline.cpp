#include "actors/commands/offline.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>

#include <fmt/format.h>

#include "actors/base/ready_signal.hpp"

namespace weir {

namespace {

/// Longer than a session lives: by then every call has its answer.
constexpr std::chrono::seconds answer_limit{30};

/// For the next records of a partition that has not ended.
constexpr std::chrono::seconds read_limit{60};

/// Waits for a callback's answer.
template <class T, class Start>
result<T> await(Start start) {
  auto promise = std::make_shared<std::promise<result<T>>>();
  auto answer = promise->get_future();
  start([promise](result<T> x) { promise->set_value(std::move(x)); });
  if (answer.wait_for(answer_limit) != std::future_status::ready)
    return fail(ec::timed_out, "the coordination service does not answer");
  return answer.get();
}

/// Shows `visit` what is in each child of a folder; one that is missing, and
/// what goes meanwhile, is none.
result<void> read_folder(waiting_session& session, const std::string& folder,
                         const std::function<void(const std::string&)>& visit) {
  auto names = session.children(folder);
  if (!names && names.error().code() == ec::not_found)
    return {};
  if (!names)
    return fail(names.error());
  for (auto& name : *names)
    if (auto node = session.get(folder + "/" + name))
      visit(node->data);
    else if (node.error().code() != ec::not_found)
      return fail(node.error());
  return {};
}

result<std::vector<process_identity>> read_members(waiting_session& session,
                                                   const job& of) {
  std::vector<process_identity> out;
  auto read = read_folder(session, znode_paths{of.name()}.members(),
                          [&out](const std::string& data) {
                            if (auto member = decode_member(data))
                              out.push_back(member->process);
                          });
  if (!read)
    return fail(read.error());
  return out;
}

/// Of the claims that are not released.
result<std::vector<process_identity>> read_owners(waiting_session& session,
                                                  const job& of) {
  std::vector<process_identity> out;
  auto read = read_folder(session, znode_paths{of.name()}.tasks(),
                          [&out](const std::string& data) {
                            auto claim = decode_claim(data);
                            if (claim && !claim->released)
                              out.push_back(claim->process);
                          });
  if (!read)
    return fail(read.error());
  return out;
}

} // namespace

waiting_session::waiting_session(std::unique_ptr<coordination> session)
    : session_(std::move(session)) {}

waiting_session::~waiting_session() {
  session_->close();
}

result<std::unique_ptr<waiting_session>>
waiting_session::open(coordination_service& service) {
  auto session = service.open_session({});
  if (!session)
    return fail(session.error());
  return std::unique_ptr<waiting_session>{
      new waiting_session{std::move(*session)}};
}

result<znode> waiting_session::get(const std::string& path) {
  return await<znode>(
      [&](auto done) { session_->get(path, nullptr, std::move(done)); });
}

result<std::vector<std::string>>
waiting_session::children(const std::string& path) {
  return await<std::vector<std::string>>(
      [&](auto done) { session_->children(path, nullptr, std::move(done)); });
}

result<void> waiting_session::remove(const std::string& path) {
  return await<void>(
      [&](auto done) { session_->remove(path, any_version, std::move(done)); });
}

result<void> waiting_session::set(const std::string& path,
                                  const std::string& data,
                                  std::int32_t version) {
  auto stat = await<znode_stat>(
      [&](auto done) { session_->set(path, data, version, std::move(done)); });
  if (!stat)
    return fail(stat.error());
  return {};
}

result<void> waiting_session::create(const std::string& path,
                                     const std::string& data) {
  auto made = await<std::string>([&](auto done) {
    session_->create(path, data, create_mode::persistent, std::move(done));
  });
  if (!made)
    return fail(made.error());
  return {};
}

std::string waiting_session::where(const std::string& path) const {
  return "znode '" + session_->path_on_server(path) + "'";
}

result<job_node> read_job_node(waiting_session& session, const job& of) {
  auto path = znode_paths{of.name()}.job();
  auto node = session.get(path);
  if (!node && node.error().code() == ec::not_found)
    return fail(ec::not_found, "there is no job '" + of.name() +
                                   "' here: it was never run with these "
                                   "options, or was reset");
  if (!node)
    return fail(node.error());
  auto found = decode_job(node->data);
  if (!found)
    return fail(found.error().within(session.where(path)));
  return found;
}

result<std::optional<found_claim>> read_claim(waiting_session& session,
                                              const job& of, int partition) {
  auto path = znode_paths{of.name()}.claim(partition);
  auto node = session.get(path);
  if (!node && node.error().code() == ec::not_found)
    return std::optional<found_claim>{};
  if (!node)
    return fail(node.error());
  auto claim = decode_claim(node->data);
  if (!claim)
    return fail(claim.error().within(session.where(path)));
  return std::optional{found_claim{std::move(*claim), node->stat.version}};
}

result<std::vector<std::string>>
live_members(waiting_session& session, const job& of, outside_world& world) {
  std::vector<std::string> out;
  auto here = identify_process(world);
  auto add = [&out](const process_identity& x) {
    auto name = to_string(x);
    if (std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(name);
  };
  auto is_alive = [&](const process_identity& x) {
    return world.process_start(x.pid) == x.start;
  };
  auto members = read_members(session, of);
  if (!members)
    return fail(members.error());
  // A killed process leaves its member node behind until its session ends.
  for (auto& process : *members)
    if (!shares_process_table(process, here) || is_alive(process))
      add(process);
  // One whose session has ended has no member node, until it joins again.
  auto owners = read_owners(session, of);
  if (!owners)
    return fail(owners.error());
  for (auto& process : *owners)
    if (shares_process_table(process, here) && is_alive(process))
      add(process);
  return out;
}

result<void> refuse_live(waiting_session& session, const job& of,
                         outside_world& world) {
  auto live = live_members(session, of, world);
  if (!live)
    return fail(live.error());
  if (live->empty())
    return {};
  return fail(ec::locked, fmt::format("job '{}' is running ({}): stop it",
                                      of.name(), fmt::join(*live, ", ")));
}

result<void>
read_partition(stream_system& streams, reader_options where, std::int64_t end,
               const std::function<result<bool>(const record&)>& visit) {
  auto name = where.topic + "/" + std::to_string(where.partition);
  auto ready = std::make_shared<ready_signal>();
  where.on_ready = [ready] { ready->set(); };
  auto reader = streams.open_reader(std::move(where));
  if (!reader)
    return fail(reader.error());
  record_batch batch;
  auto give_up = std::chrono::steady_clock::now() + read_limit;
  while ((*reader)->position() < end) {
    if (auto polled = (*reader)->poll(batch, 1'000); !polled)
      return polled;
    for (auto& each : batch.records()) {
      if (each.offset() >= end)
        return {};
      auto go_on = visit(each);
      if (!go_on)
        return fail(go_on.error());
      if (!*go_on)
        return {};
    }
    auto now = std::chrono::steady_clock::now();
    if (!batch.empty())
      give_up = now + read_limit;
    else if (now > give_up)
      return fail(ec::timed_out,
                  name + " cannot be read to its end; if the broker is up, a "
                         "transaction in it hangs");
    else
      ready->wait(std::chrono::milliseconds{100});
  }
  return {};
}

result<std::unique_ptr<task_database>>
open_stopped(const configuration& how, const outside_systems& systems,
             const job_node& job, int partition) {
  task_database_options options;
  options.directory = task_directory(how.settings, how.job.name(), partition);
  auto path = options.directory + "/db";
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT)
      return std::unique_ptr<task_database>{};
    return fail(ec::io_error, "cannot open the database '" + path +
                                  "': " + std::strerror(errno));
  }
  options.generation = job.generation;
  options.database.files = systems.files;
  return task_database::open(options, systems.world);
}

} // namespace weir
