#include "runtime/zookeeper/request.hpp"

#include <algorithm>

#include "runtime/zookeeper/client.hpp"

namespace weir::zk {

namespace {

void finish(int code, reply out, const void* data) {
  auto* from = static_cast<request*>(const_cast<void*>(data));
  from->owner->completed(from, code, std::move(out));
}

znode_stat to_stat(const Stat& from) {
  return {from.version, from.czxid, from.ephemeralOwner};
}

} // namespace

void on_void(int code, const void* data) noexcept {
  finish(code, {}, data);
}

void on_multi(int code, const void* data) noexcept {
  auto* from = static_cast<request*>(const_cast<void*>(data));
  // The ops beside the one that failed say ZRUNTIMEINCONSISTENCY.
  for (std::size_t i = 0; code != ZOK && i < from->results.size(); ++i)
    if (from->results[i].err == code) {
      from->path = from->op_paths[i];
      break;
    }
  finish(code, {}, data);
}

void on_text(int code, const char* value, const void* data) noexcept {
  reply out;
  if (code == ZOK && value != nullptr)
    out.text = value;
  finish(code, std::move(out), data);
}

void on_stat(int code, const Stat* stat, const void* data) noexcept {
  reply out;
  if (code == ZOK && stat != nullptr)
    out.stat = to_stat(*stat);
  finish(code, std::move(out), data);
}

void on_data(int code, const char* value, int length, const Stat* stat,
             const void* data) noexcept {
  reply out;
  // A node without data has length -1.
  if (code == ZOK && value != nullptr && length > 0)
    out.text.assign(value, static_cast<std::size_t>(length));
  if (code == ZOK && stat != nullptr)
    out.stat = to_stat(*stat);
  finish(code, std::move(out), data);
}

void on_names(int code, const String_vector* names, const void* data) noexcept {
  reply out;
  if (code == ZOK && names != nullptr)
    out.names.assign(names->data, names->data + names->count);
  std::sort(out.names.begin(), out.names.end());
  finish(code, std::move(out), data);
}

} // namespace weir::zk
