// Sequential creates that survive a lost reply (the ZooKeeper recipe
// "Recoverable Errors and the GUID").
//
//   attempt ──answer──> done
//      │ lost
//      v
//   unresolved ──connected again──> look_for: sync, then list the parent
//      ^                               │        │            │
//      └────────────lost───────────────┘        │ guid found │ not there
//                                               v            v
//                                             done        attempt
//
// The sync matters with several servers: the one of the new connection may not
// have seen yet what the old one did. No request of the old connection can be
// carried out after it: a server drops the old connection of a session before
// it lets the new one in.
#include <sys/random.h>

#include <cinttypes>
#include <cstdio>

#include "runtime/base/assert.hpp"
#include "runtime/coordination/znode_checks.hpp"
#include "runtime/zookeeper/session.hpp"

namespace weir::zk {

struct session::guarded_create {
  /// On the server, guid and dash included; the server appends ten digits.
  std::string path;
  create_mode mode;
  std::string data;
  callback<std::string> done;
};

namespace {

/// The name is all that tells this call's node from others, also from those of
/// other processes, so it does not come from a seeded source.
std::string make_guid() {
  std::uint64_t bits[2];
  auto got = getrandom(bits, sizeof bits, 0);
  WEIR_ASSERT(got == sizeof bits, "the kernel gives 16 random bytes at once");
  char text[33];
  std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, bits[0],
                bits[1]);
  return text;
}

bool was_lost(const error& why) {
  return why.code() == ec::unknown_outcome || why.code() == ec::disconnected;
}

} // namespace

void session::create(const std::string& path, std::string data,
                     create_mode mode, callback<std::string> done) {
  if (auto ok = check_znode_request(path, data.size()); !ok) {
    client_.post([done, why = ok.error()] { done(fail(why)); });
    return;
  }
  if (mode == create_mode::ephemeral_sequential) {
    attempt(std::make_shared<guarded_create>(
        guarded_create{path_on_server(path) + make_guid() + "-", mode,
                       std::move(data), std::move(done)}));
    return;
  }
  client_.create(path_on_server(path), data, mode,
                 [this, done = std::move(done)](result<reply> r) {
                   if (r)
                     done(to_user(r->text));
                   else
                     done(fail(r.error()));
                 });
}

void session::attempt(guarded x) {
  client_.create(x->path, x->data, x->mode, [this, x](result<reply> r) {
    if (r)
      x->done(to_user(r->text));
    else if (r.error().code() == ec::unknown_outcome)
      look_for(x);
    else
      x->done(fail(r.error()));
  });
}

void session::look_for(guarded x) {
  if (client_.state() == client::phase::disconnected) {
    unresolved_.push_back(std::move(x));
    return;
  }
  auto parent = parent_znode(x->path);
  auto again = [this, x](const error& why) {
    if (was_lost(why))
      look_for(x);
    else
      x->done(fail(why));
  };
  client_.sync(parent, [this, x, parent, again](const result<reply>& synced) {
    if (!synced) {
      again(synced.error());
      return;
    }
    client_.children(parent, nullptr,
                     [this, x, parent, again](const result<reply>& listed) {
                       if (!listed) {
                         again(listed.error());
                         return;
                       }
                       auto mark = znode_name(x->path);
                       for (auto& name : listed->names)
                         if (name.starts_with(mark)) {
                           auto prefix = parent == "/" ? "/" : parent + "/";
                           x->done(to_user(prefix + name));
                           return;
                         }
                       attempt(x);
                     });
  });
}

void session::give_up_unresolved(ec code, const char* why) {
  for (auto& each : std::exchange(unresolved_, {}))
    each->done(fail(code, "znode '" + each->path + "': " + why));
}

} // namespace weir::zk
