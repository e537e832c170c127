// The word count of the README, for the driver.
#pragma once

#include <sstream>

#include "weir/weir.hpp"

struct how_often {
  std::string word;
};
WEIR_MESSAGE(how_often)

namespace words_test {

inline constexpr weir::input<weir::none, std::string> lines{"lines"};
inline constexpr weir::internal<std::string, weir::none> words{
    "words", weir::from{lines}};
inline constexpr weir::store<std::string, std::int64_t> counts{"counts"};
inline constexpr weir::output<std::string, std::int64_t> totals{"totals"};
inline const weir::job word_job{"words", lines, words, counts, totals};

class word_count : public weir::task {
public:
  explicit word_count(const weir::task_setup& setup) : task(setup) {
    on(lines, [this](const std::string& line) {
      if (line == "bad")
        return reject("a bad line");
      if (line == "throw")
        throw std::runtime_error{"told to throw"};
      std::istringstream in{line};
      for (std::string word; in >> word;)
        words_.emit(word);
    });
    on(words,
       [this](std::string_view word) { totals_.emit(word, ++counts_[word]); });
  }

  std::int64_t count_of(const std::string& word) {
    return counts_.get(word).value_or(0);
  }

private:
  weir::use<words> words_{this};
  weir::use<counts> counts_{this};
  weir::use<totals> totals_{this};
};

/// Can be asked as well.
class answering : public word_count {
public:
  explicit answering(const weir::task_setup& setup) : word_count(setup) {}
  caf::message_handler messages() override {
    return {[this](const how_often& x) -> caf::result<std::int64_t> {
      if (x.word == "throw")
        throw std::runtime_error{"told to throw"};
      return count_of(x.word);
    }};
  }
};

} // namespace words_test
