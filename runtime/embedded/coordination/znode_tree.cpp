#include "runtime/embedded/coordination/znode_tree.hpp"

#include <fmt/format.h>

#include "runtime/coordination/znode_checks.hpp"

namespace weir {

namespace {

failure refuse(ec code, const std::string& path, std::string_view text) {
  return fail(code, fmt::format("znode '{}': {}", path, text));
}

std::string below(const std::string& path) {
  return path == "/" ? path : path + "/";
}

} // namespace

const znode_record* znode_tree::find(const std::string& path) const {
  auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::vector<std::string> znode_tree::children(const std::string& path) const {
  auto prefix = below(path);
  std::vector<std::string> out;
  auto i = nodes_.upper_bound(prefix);
  while (i != nodes_.end() && i->first.starts_with(prefix)) {
    auto name = i->first.substr(prefix.size());
    auto slash = name.find('/');
    if (slash == std::string::npos) {
      out.push_back(std::move(name));
      ++i;
    } else {
      // Skip the rest of this subtree: '0' is the character after '/'.
      i = nodes_.lower_bound(prefix + name.substr(0, slash) + '0');
    }
  }
  return out;
}

std::vector<std::string> znode_tree::ephemerals(std::int64_t session) const {
  std::vector<std::string> out;
  for (auto& [path, node] : nodes_)
    if (node.stat.ephemeral_owner == session)
      out.push_back(path);
  return out;
}

result<void> znode_tree::check(const std::string& path,
                               std::int32_t version) const {
  auto* node = find(path);
  if (node == nullptr)
    return refuse(ec::not_found, path, "there is none");
  if (version != any_version && version != node->stat.version)
    return refuse(ec::version_mismatch, path,
                  fmt::format("has version {}, not {}; read it again",
                              node->stat.version, version));
  return {};
}

result<znode_record*> znode_tree::expect(const std::string& path,
                                         std::int32_t version) {
  if (auto ok = check(path, version); !ok)
    return fail(ok.error());
  return &nodes_.find(path)->second;
}

void znode_tree::touch(znode_transaction& in, const std::string& path) {
  auto found = nodes_.find(path);
  in.undo.emplace_back(path, found == nodes_.end()
                                 ? std::nullopt
                                 : std::optional{found->second});
}

result<std::string> znode_tree::create(znode_transaction& in,
                                       const std::string& path,
                                       std::string data, create_mode mode) {
  if (path == "/")
    return refuse(ec::already_exists, path, "exists already");
  auto parent_path = parent_znode(path);
  auto parent = nodes_.find(parent_path);
  if (parent == nodes_.end())
    return refuse(ec::not_found, path, "its parent is missing");
  if (parent->second.stat.ephemeral_owner != 0)
    return refuse(ec::rejected, path,
                  "its parent is ephemeral, which has no children");
  auto name = path;
  if (mode == create_mode::ephemeral_sequential) {
    touch(in, parent_path);
    name += fmt::format("{:010}", parent->second.next_sequence++);
  } else if (nodes_.contains(path)) {
    return refuse(ec::already_exists, path, "exists already");
  }
  touch(in, name);
  auto owner = mode == create_mode::persistent ? 0 : in.session;
  nodes_[name] = {std::move(data), {0, in.zxid, owner}, 0};
  in.changes.push_back({znode_change::kind::created, name});
  in.changes.push_back({znode_change::kind::children_changed, parent_path});
  return name;
}

result<znode_stat> znode_tree::set(znode_transaction& in,
                                   const std::string& path, std::string data,
                                   std::int32_t version) {
  auto node = expect(path, version);
  if (!node)
    return fail(node.error());
  touch(in, path);
  (*node)->data = std::move(data);
  ++(*node)->stat.version;
  in.changes.push_back({znode_change::kind::data_changed, path});
  return (*node)->stat;
}

result<void> znode_tree::remove(znode_transaction& in, const std::string& path,
                                std::int32_t version) {
  if (auto node = expect(path, version); !node)
    return fail(node.error());
  auto prefix = below(path);
  auto next = nodes_.upper_bound(prefix);
  if (next != nodes_.end() && next->first.starts_with(prefix))
    return refuse(ec::not_empty, path, "has children; remove them first");
  touch(in, path);
  nodes_.erase(path);
  in.changes.push_back({znode_change::kind::removed, path});
  in.changes.push_back(
      {znode_change::kind::children_changed, parent_znode(path)});
  return {};
}

result<void> znode_tree::apply(znode_transaction& in, const znode_op& op) {
  auto done = [](auto&& outcome) -> result<void> {
    if (!outcome)
      return fail(outcome.error());
    return {};
  };
  switch (op.what) {
  case znode_op::kind::check:
    return check(op.path, op.version);
  case znode_op::kind::create:
    return done(create(in, op.path, op.data, op.mode));
  case znode_op::kind::set:
    return done(set(in, op.path, op.data, op.version));
  case znode_op::kind::remove:
    return remove(in, op.path, op.version);
  }
  return {};
}

void znode_tree::undo(znode_transaction& all) {
  for (; !all.undo.empty(); all.undo.pop_back()) {
    auto& [path, before] = all.undo.back();
    if (before)
      nodes_[path] = std::move(*before);
    else
      nodes_.erase(path);
  }
  all.changes.clear();
}

} // namespace weir
