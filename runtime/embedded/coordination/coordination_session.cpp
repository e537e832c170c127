#include "runtime/embedded/coordination/coordination_session.hpp"

#include <utility>

#include <fmt/format.h>

#include "runtime/coordination/znode_checks.hpp"

namespace weir {

using phase = server_session::phase;

namespace {

/// What a sequential create looks for when a reply was lost.
std::string find_child(const znode_tree& tree, const std::string& parent,
                       std::string_view mark) {
  if (tree.find(parent) != nullptr)
    for (auto& name : tree.children(parent))
      if (name.starts_with(mark))
        return (parent == "/" ? parent : parent + "/") + name;
  return {};
}

error was_closed() {
  return {ec::closed, "embedded coordination: the session was closed"};
}

} // namespace

embedded_session::embedded_session(std::shared_ptr<coordination_server> server,
                                   session_ref state)
    : server_(std::move(server)), state_(std::move(state)) {}

template <class T>
void embedded_session::deliver(callback<T> done, result<T> answer) {
  auto job = [done = std::move(done), answer = std::move(answer)] {
    done(answer);
  };
  server_->queue().post_delivery(state_->lane, job, job);
}

template <class T>
void embedded_session::submit(bool is_write, result<void> checked,
                              coordination_server::operation<T> what,
                              callback<T> done) {
  if (!server_->queue().hears(state_->lane))
    return;
  if (!checked) {
    deliver<T>(std::move(done), fail(checked.error()));
    return;
  }
  bool was_connected = state_->seen == phase::connected;
  server_->queue().post_request(
      state_->lane,
      [this, is_write, was_connected, what = std::move(what), done] {
        deliver<T>(done, server_->carry_out<T>(*state_, is_write, was_connected,
                                               what));
      },
      [done] { done(fail(was_closed())); });
}

void embedded_session::get(const std::string& path, watcher watch,
                           callback<znode> done) {
  submit<znode>(
      false, check_znode_path(path),
      [path, watch = std::move(watch)](auto& tree, auto&,
                                       auto& session) -> result<znode> {
        if (watch)
          session.data_watches[path].push_back(watch);
        auto* node = tree.find(path);
        if (node == nullptr)
          return fail(ec::not_found, "znode '" + path + "': there is none");
        return znode{node->data, node->stat};
      },
      std::move(done));
}

void embedded_session::set(const std::string& path, std::string data,
                           std::int32_t version, callback<znode_stat> done) {
  auto checked = check_znode_request(path, data.size());
  submit<znode_stat>(
      true, std::move(checked),
      [path, data = std::move(data), version](auto& tree, auto& in, auto&) {
        return tree.set(in, path, data, version);
      },
      std::move(done));
}

void embedded_session::remove(const std::string& path, std::int32_t version,
                              callback<void> done) {
  submit<void>(
      true, check_znode_removal(path),
      [path, version](auto& tree, auto& in, auto&) {
        return tree.remove(in, path, version);
      },
      std::move(done));
}

void embedded_session::children(const std::string& path, watcher watch,
                                callback<std::vector<std::string>> done) {
  using names = std::vector<std::string>;
  submit<names>(
      false, check_znode_path(path),
      [path, watch = std::move(watch)](auto& tree, auto&,
                                       auto& session) -> result<names> {
        if (tree.find(path) == nullptr)
          return fail(ec::not_found, "znode '" + path + "': there is none");
        if (watch)
          session.child_watches[path].push_back(watch);
        return tree.children(path);
      },
      std::move(done));
}

void embedded_session::multi(std::vector<znode_op> ops, callback<void> done) {
  auto checked = check_znode_multi(ops);
  submit<void>(
      true, std::move(checked),
      [ops = std::move(ops)](auto& tree, auto& in, auto&) -> result<void> {
        for (auto& each : ops)
          if (auto ok = tree.apply(in, each); !ok)
            return ok;
        return {};
      },
      std::move(done));
}

void embedded_session::sync(const std::string& path, callback<void> done) {
  submit<void>(
      false, check_znode_path(path),
      [](auto&, auto&, auto&) { return result<void>{}; }, std::move(done));
}

// -- create

void embedded_session::create(const std::string& path, std::string data,
                              create_mode mode, callback<std::string> done) {
  auto checked = check_znode_request(path, data.size());
  if (checked && mode == create_mode::ephemeral_sequential) {
    create_sequential(path, std::move(data), std::move(done));
    return;
  }
  submit<std::string>(
      true, std::move(checked),
      [path, data = std::move(data), mode](auto& tree, auto& in, auto&) {
        return tree.create(in, path, data, mode);
      },
      std::move(done));
}

/// A create whose name carries a guid, so that its node can be found again.
struct embedded_session::guarded_create {
  std::string path;
  std::string data;
  callback<std::string> done;
  /// As long as the first attempt; later ones happen on a connection.
  bool was_connected;
};

void embedded_session::create_sequential(const std::string& path,
                                         std::string data,
                                         callback<std::string> done) {
  if (!server_->queue().hears(state_->lane))
    return;
  // Unique in this database for ever, and the same in every run of a seed.
  auto guid = fmt::format("{:016x}{:016x}", state_->id, ++guids_);
  auto x = std::make_shared<guarded_create>(
      guarded_create{path + guid + "-", std::move(data), std::move(done),
                     state_->seen == phase::connected});
  server_->queue().post_request(
      state_->lane, [this, x] { attempt(x); },
      [x] { x->done(fail(was_closed())); });
}

void embedded_session::attempt(std::shared_ptr<guarded_create> x) {
  auto made = server_->carry_out<std::string>(
      *state_, true, x->was_connected,
      [&x](auto& tree, auto& in, auto&) -> result<std::string> {
        auto found =
            find_child(tree, parent_znode(x->path), znode_name(x->path));
        if (!found.empty())
          return found;
        return tree.create(in, x->path, x->data,
                           create_mode::ephemeral_sequential);
      });
  if (made || made.error().code() != ec::unknown_outcome) {
    deliver<std::string>(x->done, std::move(made));
    return;
  }
  x->was_connected = true;
  server_->park(*state_, {[this, x] { attempt(x); },
                          [x](error why) { x->done(fail(std::move(why))); }});
}

// -- the session

std::chrono::milliseconds
embedded_session::since_last_contact() const noexcept {
  if (state_->seen == phase::connected)
    return std::chrono::milliseconds::zero();
  return server_->now() - state_->alone_since.load();
}

void embedded_session::close() {
  if (!closed_.exchange(true))
    server_->close(state_);
}

} // namespace weir
