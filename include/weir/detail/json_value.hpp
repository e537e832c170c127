// A JSON document that is being read, and what is written of one, without the
// library that does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "weir/detail/export.hpp"
#include "weir/serde.hpp"

namespace weir::detail {

class json_value;

/// A field of an object, and where it goes.
struct json_field {
  std::string_view name;
  bool (*read)(json_value& in, void* to);
  /// The field lacks; null = it may not.
  void (*absent)(void* to);
};

/// One value of a document. Read once, in the document's order, by one of these
/// calls; false: it is something else, and the parser knows what is wrong.
class WEIR_EXPORT json_value {
public:
  bool is_null();
  bool get(bool& x);
  bool get(std::int64_t& x);
  bool get(std::uint64_t& x);
  bool get(double& x);
  /// Valid as long as the document's text, and until the parser reads the next
  /// one.
  bool get(std::string_view& x);
  bool get_base64(bytes& x);
  /// Of at most 64 fields.
  bool object(std::span<const json_field> fields, void* to);
  bool array(void* to,
             bool (*element)(void* to, std::size_t index, json_value& x));
  /// Says what is wrong with this value, "is …", and answers false.
  bool refuse(std::string_view why);

private:
  friend class json_parser;
  enum class number_as { real, signed_integer, unsigned_integer };
  bool get_number(number_as as, void* x);
  json_value(void* native, void* parser) noexcept
      : native_(native), parser_(parser) {}
  void* native_;
  void* parser_;
};

/// Keeps its memory from one document to the next. One thread.
class WEIR_EXPORT json_parser {
public:
  json_parser() noexcept;
  json_parser(json_parser&&) noexcept;
  json_parser& operator=(json_parser&&) noexcept;
  ~json_parser();

  /// `read` reads the document's value into `to`; it may be called twice.
  /// Errors: `bad_format`.
  result<void> read(std::string_view text, void* to,
                    bool (*read)(json_value& in, void* to));

private:
  friend class json_value;
  struct WEIR_HIDDEN state;
  std::unique_ptr<state> state_;
};

/// The shortest form that is read back as the same. Throws for what is not
/// finite.
WEIR_EXPORT void json_number(double x, std::string& out);
WEIR_EXPORT void json_number(float x, std::string& out);
WEIR_EXPORT void json_number(std::int64_t x, std::string& out);
WEIR_EXPORT void json_number(std::uint64_t x, std::string& out);
/// With its quotes. Throws for what is not UTF-8.
WEIR_EXPORT void json_text(std::string_view x, std::string& out);
WEIR_EXPORT void json_base64(const bytes& x, std::string& out);

} // namespace weir::detail
