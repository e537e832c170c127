#include "actors/commands/offline.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <future>

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

result<job_node> read_job_node(waiting_session& session, const job& of) {
  auto node = session.get(znode_paths{of.name()}.job());
  if (!node && node.error().code() == ec::not_found)
    return fail(ec::not_found, "there is no job '" + of.name() +
                                   "' here: it was never run with these "
                                   "options, or was reset");
  if (!node)
    return fail(node.error());
  return decode_job(node->data);
}

result<std::optional<found_claim>> read_claim(waiting_session& session,
                                              const job& of, int partition) {
  auto node = session.get(znode_paths{of.name()}.claim(partition));
  if (!node && node.error().code() == ec::not_found)
    return std::optional<found_claim>{};
  if (!node)
    return fail(node.error());
  auto claim = decode_claim(node->data);
  if (!claim)
    return fail(claim.error());
  return std::optional{found_claim{std::move(*claim), node->stat.version}};
}

result<std::vector<std::string>>
live_members(waiting_session& session, const job& of, outside_world& world) {
  znode_paths paths{of.name()};
  std::vector<std::string> out;
  auto names = session.children(paths.members());
  if (!names && names.error().code() == ec::not_found)
    return out;
  if (!names)
    return fail(names.error());
  auto here = identify_process(world);
  for (auto& name : *names) {
    auto node = session.get(paths.member(name));
    if (!node)
      continue;
    auto member = decode_member(node->data);
    if (!member)
      continue;
    auto& process = member->process;
    // A killed process leaves its member node behind until its session ends.
    bool dead = shares_process_table(process, here) &&
                world.process_start(process.pid) != process.start;
    if (!dead)
      out.push_back(to_string(process));
  }
  return out;
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
