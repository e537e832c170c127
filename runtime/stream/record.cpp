#include "weir/record.hpp"

namespace weir {

std::vector<header> record::headers() const {
  std::vector<weir::header> out;
  if (read_headers_ != nullptr)
    read_headers_(native_, out);
  return out;
}

std::optional<std::string_view> record::header(std::string_view name) const {
  std::optional<std::string_view> out;
  for (auto& each : headers())
    if (each.name == name)
      out = each.value;
  return out;
}

std::string record::id() const {
  return std::string{topic_} + "/" + std::to_string(partition_) + "@" +
         std::to_string(offset_);
}

} // namespace weir
