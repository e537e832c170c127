// The name of a topic or store, checked when it is compiled.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

/// A literal of 1 to 100 letters, digits, dots, underscores and dashes; another
/// does not compile. What a topic is called in one run is `job::bind`'s.
class name {
public:
  template <std::size_t N>
  consteval name(const char (&text)[N]) : text_(text, N - 1) {
    if (text_.empty() || text_.size() > 100)
      a_name_has_1_to_100_characters();
    for (char c : text_)
      if (!is_legal(c))
        a_name_is_made_of_letters_digits_dot_underscore_and_dash();
  }
  constexpr operator std::string_view() const noexcept { return text_; }

private:
  static constexpr bool is_legal(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  }
  // Not constexpr: a call is the error of the compiler.
  static void a_name_has_1_to_100_characters();
  static void a_name_is_made_of_letters_digits_dot_underscore_and_dash();

  std::string_view text_;
};

} // namespace weir
