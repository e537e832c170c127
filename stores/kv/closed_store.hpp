// Stores that cannot be used, for a task of which only the constructor runs.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "runtime/leveldb/backend.hpp"
#include "stores/kv/store_context.hpp"
#include "stores/kv/store_core.hpp"

namespace weir::detail {

/// Every call of a store throws `store_error` and says where its place is.
class closed_stores {
public:
  closed_stores();
  /// Lives as long as this object.
  store_core& open(std::string_view name, const store_spec& spec);

private:
  class nothing final : public backend {
  public:
    result<bool> get(std::string_view, std::string&) override;
    result<void> write(const change_batch&, bool) override;
    result<void>
    scan(std::string_view, std::string_view,
         const std::function<bool(std::string_view, std::string_view)>&)
        override;
  };

  nothing database_;
  store_context context_;
  std::vector<std::unique_ptr<store_core>> stores_;
};

} // namespace weir::detail
