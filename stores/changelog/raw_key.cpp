#include "stores/changelog/raw_key.hpp"

#include "runtime/base/assert.hpp"

namespace weir {

std::string after_prefix(std::string_view prefix) {
  WEIR_ASSERT(is_store_key(prefix), "a prefix starts with a store number");
  auto last = prefix.find_last_not_of('\xff');
  std::string out{prefix.substr(0, last + 1)};
  out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
  return out;
}

} // namespace weir
