// The requests of `client`, each one zoo_a* call.
#include "runtime/zookeeper/client.hpp"
#include "runtime/zookeeper/trampoline.hpp"

namespace weir::zk {

namespace {

int flags_of(create_mode mode) {
  switch (mode) {
  case create_mode::persistent:
    return ZOO_PERSISTENT;
  case create_mode::ephemeral:
    return ZOO_EPHEMERAL;
  case create_mode::ephemeral_sequential:
    return ZOO_EPHEMERAL_SEQUENTIAL;
  }
  return ZOO_PERSISTENT;
}

int size_of(const std::string& data) {
  return static_cast<int>(data.size());
}

/// `out` keeps views into `op`.
void fill(zoo_op_t& out, const znode_op& op) {
  switch (op.what) {
  case znode_op::kind::check:
    zoo_check_op_init(&out, op.path.c_str(), op.version);
    break;
  case znode_op::kind::create:
    zoo_create_op_init(&out, op.path.c_str(), op.data.data(), size_of(op.data),
                       &ZOO_OPEN_ACL_UNSAFE, flags_of(op.mode), nullptr, 0);
    break;
  case znode_op::kind::set:
    zoo_set_op_init(&out, op.path.c_str(), op.data.data(), size_of(op.data),
                    op.version, nullptr);
    break;
  case znode_op::kind::remove:
    zoo_delete_op_init(&out, op.path.c_str(), op.version);
    break;
  }
}

} // namespace

watch* client::add_watch(coordination::watcher fire) {
  if (!fire)
    return nullptr;
  auto added = std::make_unique<watch>(watch{std::move(fire)});
  auto* out = added.get();
  std::lock_guard guard{mutex_};
  watches_.emplace(out, std::move(added));
  return out;
}

void client::create(const std::string& path, const std::string& data,
                    create_mode mode, answer done) {
  start(make_request(path, true, std::move(done)),
        [&](zhandle_t* handle, request* r) {
          return zoo_acreate(handle, path.c_str(), data.data(), size_of(data),
                             &ZOO_OPEN_ACL_UNSAFE, flags_of(mode), &on_text, r);
        });
}

void client::exists(const std::string& path, coordination::watcher fire,
                    answer done) {
  auto r = make_request(path, false, std::move(done));
  r->sets = add_watch(std::move(fire));
  r->sets_on_missing = true;
  start(std::move(r), [&](zhandle_t* handle, request* x) {
    return zoo_awexists(handle, path.c_str(),
                        x->sets != nullptr ? &trampoline::node : nullptr,
                        x->sets, &on_stat, x);
  });
}

void client::get(const std::string& path, answer done) {
  start(make_request(path, false, std::move(done)),
        [&](zhandle_t* handle, request* r) {
          return zoo_awget(handle, path.c_str(), nullptr, nullptr, &on_data, r);
        });
}

void client::set(const std::string& path, const std::string& data,
                 std::int32_t version, answer done) {
  start(make_request(path, true, std::move(done)),
        [&](zhandle_t* handle, request* r) {
          return zoo_aset(handle, path.c_str(), data.data(), size_of(data),
                          version, &on_stat, r);
        });
}

void client::remove(const std::string& path, std::int32_t version,
                    answer done) {
  start(make_request(path, true, std::move(done)),
        [&](zhandle_t* handle, request* r) {
          return zoo_adelete(handle, path.c_str(), version, &on_void, r);
        });
}

void client::children(const std::string& path, coordination::watcher fire,
                      answer done) {
  auto r = make_request(path, false, std::move(done));
  r->sets = add_watch(std::move(fire));
  start(std::move(r), [&](zhandle_t* handle, request* x) {
    return zoo_awget_children(handle, path.c_str(),
                              x->sets != nullptr ? &trampoline::node : nullptr,
                              x->sets, &on_names, x);
  });
}

void client::multi(const std::vector<znode_op>& ops, answer done) {
  auto r =
      make_request(ops.empty() ? "/" : ops.front().path, true, std::move(done));
  for (auto& each : ops)
    r->op_paths.push_back(each.path);
  r->results.resize(ops.size());
  std::vector<zoo_op_t> native(ops.size());
  for (std::size_t i = 0; i < ops.size(); ++i)
    fill(native[i], ops[i]);
  start(std::move(r), [&](zhandle_t* handle, request* x) {
    return zoo_amulti(handle, static_cast<int>(native.size()), native.data(),
                      x->results.data(), &on_multi, x);
  });
}

void client::sync(const std::string& path, answer done) {
  start(make_request(path, false, std::move(done)),
        [&](zhandle_t* handle, request* r) {
          return zoo_async(handle, path.c_str(), &on_text, r);
        });
}

} // namespace weir::zk
