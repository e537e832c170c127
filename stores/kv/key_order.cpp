#include "weir/detail/key_order.hpp"

#include "stores/kv/store_error.hpp"

namespace weir::detail {

namespace {

constexpr char end_mark = '\x01';
constexpr char zero_mark = '\xff';

} // namespace

void put_escaped(std::string_view x, std::string& out) {
  for (char each : x) {
    out.push_back(each);
    if (each == '\0')
      out.push_back(zero_mark);
  }
  out.push_back('\0');
  out.push_back(end_mark);
}

bool take_escaped(std::string_view& in, std::string& x) {
  x.clear();
  for (;;) {
    auto zero = in.find('\0');
    if (zero == std::string_view::npos || zero + 1 == in.size())
      return false;
    x += in.substr(0, zero);
    auto mark = in[zero + 1];
    in.remove_prefix(zero + 2);
    if (mark == end_mark)
      return true;
    if (mark != zero_mark)
      return false;
    x += '\0';
  }
}

void refuse_nan_key() {
  throw store_error{ec::bad_argument,
                    "NaN cannot be a key: it equals nothing, itself included"};
}

} // namespace weir::detail
