#include "actors/membership/membership.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/log.hpp"

namespace weir {

namespace {

constexpr milliseconds retry_pause{500};

bool is_transient(const error& why) {
  return why.code() == ec::disconnected || why.code() == ec::unknown_outcome ||
         why.code() == ec::timed_out;
}

std::vector<std::string> actual_inputs(const job& mine) {
  std::vector<std::string> out;
  for (auto& declared : mine.inputs())
    out.push_back(mine.topic(declared));
  return out;
}

} // namespace

job_node new_job_node(const job& mine, int partitions, std::string generation,
                      std::int64_t now_ms) {
  job_node out;
  out.generation = std::move(generation);
  out.partitions = partitions;
  out.inputs = actual_inputs(mine);
  for (auto& store : mine.stores())
    out.stores.emplace(store, static_cast<int>(out.stores.size()) + 1);
  out.created_ms = now_ms;
  return out;
}

result<job_node> agree_on_job(const job& mine, int partitions,
                              const job_node& found) {
  auto cure = "; `reset` the job or start it under another name";
  if (found.partitions != partitions)
    return fail(ec::bad_argument, "job '" + mine.name() +
                                      "' was created with " +
                                      std::to_string(found.partitions) +
                                      " partitions, its inputs now have " +
                                      std::to_string(partitions) + cure);
  auto inputs = actual_inputs(mine);
  for (auto& topic : found.inputs)
    if (std::find(inputs.begin(), inputs.end(), topic) == inputs.end())
      return fail(ec::bad_argument, "job '" + mine.name() +
                                        "' was created with input '" + topic +
                                        "', which is not an input now" + cure);
  auto out = found;
  out.inputs = inputs;
  int highest = 0;
  for (auto& [name, number] : out.stores)
    highest = std::max(highest, number);
  for (auto& store : mine.stores())
    if (out.stores.emplace(store, highest + 1).second)
      ++highest;
  if (highest > 250)
    return fail(ec::bad_argument, "job '" + mine.name() +
                                      "' has used up the 250 store numbers" +
                                      cure);
  return out;
}

membership_actor::membership_actor(caf::actor_config& config,
                                   std::shared_ptr<node_context> context,
                                   caf::actor node, int partitions,
                                   bool patient, config_node live)
    : stepping_actor(config), context_(std::move(context)),
      node_(std::move(node)), paths_(context_->job.name()),
      partitions_(partitions), patient_(patient), live_(std::move(live)) {
  observe("membership", context_->outside.log, context_->outside.handler_probe);
}

caf::behavior membership_actor::make_behavior() {
  open();
  return {
      [](const continuation& step) { step.run(); },
      [this](const leave_job&) {
        over_ = true;
        close_session([this] {
          tell(node_, left{});
          quit();
        });
      },
  };
}

void membership_actor::on_exit() {
  token_.cancel();
  // The session may block in its destructor.
  if (info_)
    context_->outside.run.bury->post("session.close",
                                     [info = std::move(info_)]() mutable {
                                       if (info->session)
                                         info->session->close();
                                     });
  node_ = nullptr;
}

void membership_actor::open() {
  session_options options;
  options.session_timeout = context_->settings.session_timeout;
  options.on_event = [self = weak_self(), this](session_event event) {
    self.tell(continuation{[this, event] { on_event(event); }});
  };
  run_on(
      *context_->outside.run.net, {"session.open", token_},
      [service = context_->outside.coordination, options] {
        return service->open_session(options);
      },
      [this](result<std::unique_ptr<coordination>>& session) {
        if (over_)
          return;
        if (!session) {
          if (patient_)
            return retry(session.error(), &membership_actor::open);
          return give_up(session.error());
        }
        info_ = std::make_shared<membership_info>();
        info_->session = std::move(*session);
        ensure_nodes(0);
      });
}

void membership_actor::retry(const error& why,
                             void (membership_actor::*step)()) {
  if (over_)
    return;
  if (attempts_++ % 20 == 0)
    log_warning("membership.retry", "why", to_string(why));
  run_after(retry_pause, [this, step] {
    if (!over_)
      (this->*step)();
  });
}

void membership_actor::give_up(const error& why) {
  if (over_)
    return;
  over_ = true;
  tell(node_, join_failed{why});
  quit();
}

void membership_actor::ensure_nodes(std::size_t next) {
  std::string wanted[] = {paths_.members(), paths_.tasks(), paths_.parked(),
                          paths_.config()};
  if (next == std::size(wanted))
    return create_job();
  info_->session->ensure(wanted[next], {},
                         reply<result<void>>([this, next](result<void> made) {
                           if (over_)
                             return;
                           if (made)
                             ensure_nodes(next + 1);
                           else if (is_transient(made.error()))
                             run_after(retry_pause, [this, next] {
                               if (!over_)
                                 ensure_nodes(next);
                             });
                           else
                             give_up(made.error());
                         }));
}

void membership_actor::create_job() {
  auto& world = *context_->outside.world;
  auto fresh = new_job_node(context_->job, partitions_, random_id(world),
                            world.wall_clock_ms());
  info_->session->create(
      paths_.job(), encode(fresh), create_mode::persistent,
      reply<result<std::string>>([this](result<std::string> made) {
        if (over_)
          return;
        // Whatever became of it, what is read there is what holds.
        if (made || made.error().code() == ec::already_exists)
          read_job();
        else if (is_transient(made.error()))
          retry(made.error(), &membership_actor::create_job);
        else
          give_up(made.error());
      }));
}

void membership_actor::read_job() {
  info_->session->get(
      paths_.job(), nullptr, reply<result<znode>>([this](result<znode> node) {
        if (over_)
          return;
        if (!node && is_transient(node.error()))
          return retry(node.error(), &membership_actor::read_job);
        if (!node)
          return give_up(node.error());
        auto found = decode_job(node->data);
        if (!found)
          return give_up(found.error().within(
              "znode '" + info_->session->path_on_server(paths_.job()) + "'"));
        agree_on(*found, node->stat.version);
      }));
}

void membership_actor::agree_on(job_node found, std::int32_t version) {
  auto agreed = agree_on_job(context_->job, partitions_, found);
  if (!agreed)
    return give_up(agreed.error());
  info_->job = *agreed;
  auto text = encode(*agreed);
  if (text == encode(found))
    return register_member();
  info_->session->set(
      paths_.job(), text, version,
      reply<result<znode_stat>>([this](result<znode_stat> done) {
        if (over_)
          return;
        if (done)
          register_member();
        else if (done.error().code() == ec::version_mismatch ||
                 is_transient(done.error()))
          retry(done.error(), &membership_actor::read_job);
        else
          give_up(done.error());
      }));
}

void membership_actor::register_member() {
  member_node me;
  me.process = context_->self;
  info_->session->create(
      paths_.members() + "/m-", encode(me), create_mode::ephemeral_sequential,
      reply<result<std::string>>([this](result<std::string> made) {
        if (over_)
          return;
        if (!made && is_transient(made.error()))
          return retry(made.error(), &membership_actor::register_member);
        if (!made)
          return give_up(made.error());
        info_->member = made->substr(made->rfind('/') + 1);
        log_info("membership.joined", "member", info_->member, "job",
                 context_->job.name(), "generation", info_->job.generation,
                 "at", info_->session->describe());
        watch_members();
      }));
}

void membership_actor::watch_members() {
  if (over_)
    return;
  auto again = [self = weak_self(), this] {
    self.tell(continuation{[this] { watch_members(); }});
  };
  info_->session->children(
      paths_.members(), again,
      reply<result<std::vector<std::string>>>(
          [this](result<std::vector<std::string>> names) {
            if (over_)
              return;
            if (!names)
              return retry(names.error(), &membership_actor::watch_members);
            context_->members.set_members({names->begin(), names->end()});
            if (joined_) {
              tell(node_, members_changed{});
              return;
            }
            joined_ = true;
            tell(node_, joined{info_});
            watch_config();
            watch_lease();
          }));
}

void membership_actor::watch_config() {
  if (over_)
    return;
  auto again = [self = weak_self(), this] {
    self.tell(continuation{[this] { watch_config(); }});
  };
  info_->session->get(
      paths_.config(), again, reply<result<znode>>([this](result<znode> node) {
        if (over_)
          return;
        // Deleted by hand: the watch tells of its return.
        if (!node && node.error().code() == ec::not_found)
          return;
        if (!node)
          return retry(node.error(), &membership_actor::watch_config);
        read_config(node->data);
      }));
}

/// What is bad keeps its last good value; each of its values is told once.
void membership_actor::read_config(const std::string& text) {
  auto known = std::exchange(live_, decode_config(text, live_)).ignored;
  for (auto& each : live_.ignored)
    if (std::find(known.begin(), known.end(), each) == known.end())
      log_warning("config.ignored", "at",
                  info_->session->path_on_server(paths_.config()), "name",
                  each.name, "value", each.value, "may_be", each.may_be);
  tell(node_, live_settings{live_});
}

void membership_actor::watch_lease() {
  if (over_)
    return;
  auto timeout = info_->session->session_timeout();
  // C7: the lease ends before the session can, counted from the sending of the
  // last answered request.
  if (info_->session->since_last_contact() > timeout * 2 / 3)
    return lose("no answer from " + info_->session->describe() + " for " +
                std::to_string(info_->session->since_last_contact().count()) +
                " ms: the lease is over");
  run_after(timeout / 10, [this] { watch_lease(); });
}

void membership_actor::on_event(session_event event) {
  if (over_)
    return;
  switch (event) {
  case session_event::connected:
    log_info("membership.connected");
    break;
  case session_event::disconnected:
    log_warning("membership.disconnected", "at",
                context_->outside.coordination->describe());
    break;
  case session_event::expired:
    lose("the session with " + context_->outside.coordination->describe() +
         " has expired");
    break;
  }
}

void membership_actor::lose(const std::string& reason) {
  if (over_)
    return;
  over_ = true;
  tell(node_, session_lost{reason});
  quit();
}

void membership_actor::close_session(std::function<void()> then) {
  if (!info_)
    return then();
  auto finish = [this, then](int&) { then(); };
  run_on(
      *context_->outside.run.net, "session.close",
      [info = info_] {
        info->session->close();
        return 0;
      },
      finish);
}

} // namespace weir
