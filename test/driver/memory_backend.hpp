// A database in memory, for the tests of tasks and stores.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "runtime/leveldb/backend.hpp"

namespace weir {

/// Keeps everything in a std::map; a crash takes all of it. One thread at a
/// time.
class memory_backend final : public backend {
public:
  result<bool> get(std::string_view key, std::string& value) override;
  result<void> write(const change_batch& changes, bool sync) override;
  result<void>
  scan(std::string_view from, std::string_view to,
       const std::function<bool(std::string_view key, std::string_view value)>&
           visit) override;

  /// Lets every call from now on fail as after a failed write.
  void close() noexcept { closed_ = true; }
  std::size_t size() const noexcept { return entries_.size(); }

private:
  result<void> check_open() const;

  std::map<std::string, std::string, std::less<>> entries_;
  bool closed_ = false;
};

} // namespace weir
