#include "test/benchmark/plain_work.hpp"

#include <charconv>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/stock/tick.hpp"
#include "test/benchmark/shape.hpp"

namespace weir::bench {

namespace {

struct view_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view x) const noexcept {
    return std::hash<std::string_view>{}(x);
  }
};

/// States by key, with those that changed since the last commit.
template <class State>
class table {
public:
  struct entry {
    State state{};
    int partition = 0;
    bool changed = false;
  };

  State& change(std::string_view key, int partition) {
    auto found = all_.find(key);
    if (found == all_.end())
      found = all_.emplace(std::string{key}, entry{}).first;
    auto& x = found->second;
    if (!x.changed) {
      x.changed = true;
      x.partition = partition;
      changed_.push_back(&*found);
    }
    return x.state;
  }

  template <class Take>
  bool take_changes(Take&& take) {
    for (auto* x : changed_) {
      take(x->second.partition, x->first, x->second.state);
      x->second.changed = false;
    }
    auto any = !changed_.empty();
    changed_.clear();
    return any;
  }

private:
  using entries =
      std::unordered_map<std::string, entry, view_hash, std::equal_to<>>;
  entries all_;
  std::vector<typename entries::value_type*> changed_;
};

struct quote {
  double price = 0;
  std::int64_t quantity = 0;
  double change_rate = 0;
};

/// The number behind `"name":`, without any check of the document.
template <class Number>
Number scan(std::string_view json, std::string_view name) {
  auto at = json.find(name);
  Number out{};
  if (at != std::string_view::npos)
    std::from_chars(json.data() + at + name.size(), json.data() + json.size(),
                    out);
  return out;
}

char* put(char* at, std::string_view text) {
  return at + text.copy(at, text.size());
}

template <class Number>
char* put_number(char* at, Number x) {
  return std::to_chars(at, at + 32, x).ptr;
}

struct tick {
  double price = 0;
  std::int64_t quantity = 0;
};

class scanner {
public:
  tick read(std::string_view, std::string_view json) {
    return {scan<double>(json, "\"price\":"),
            scan<std::int64_t>(json, "\"quantity\":")};
  }
};

/// As the application reads it.
class parser {
public:
  tick read(std::string_view key, std::string_view json) {
    if (auto done = format_.decode(json, x_); !done)
      die("a record is not a tick: " + done.error().text());
    if (auto good = stock::check(key, x_); !good)
      die("a record is not a tick: " + good.error().text());
    return {x_.price, x_.quantity};
  }

private:
  weir::json<stock::tick> format_;
  stock::tick x_;
};

template <class Reader>
class stock_work final : public plain_work {
public:
  std::optional<std::string_view>
  process(const rd_kafka_message_t& x) override {
    auto key = key_of(x);
    auto& q = quotes_.change(key, x.partition);
    auto [price, quantity] = reader_.read(key, value_of(x));
    q.change_rate = q.price > 0 ? (price - q.price) / q.price * 100 : 0;
    q.price = price;
    q.quantity += quantity;
    if (key.size() > 256)
      die("a key is longer than this loop expects");
    auto at = put(put(put(text_, "{\"symbol\":\""), key), "\",\"price\":");
    at = put(put_number(at, q.price), ",\"quantity\":");
    at = put(put_number(at, q.quantity), ",\"change_rate\":");
    at = put(put_number(at, q.change_rate), "}");
    return std::string_view{text_, static_cast<std::size_t>(at - text_)};
  }

  bool take_changes(const change& take) override {
    return quotes_.take_changes(
        [&](int partition, std::string_view key, const quote& q) {
          char bytes[24];
          std::memcpy(bytes, &q.price, 8);
          std::memcpy(bytes + 8, &q.quantity, 8);
          std::memcpy(bytes + 16, &q.change_rate, 8);
          take(partition, key, {bytes, 24});
        });
  }

private:
  Reader reader_;
  table<quote> quotes_;
  char text_[512];
};

class shape_work final : public plain_work {
public:
  std::optional<std::string_view>
  process(const rd_kafka_message_t& x) override {
    use_processor(shape_.work_of(x.partition));
    count_and_keep(seen_.change(key_of(x), x.partition), value_of(x));
    if (shape_.output.empty())
      return std::nullopt;
    return value_of(x);
  }

  bool take_changes(const change& take) override {
    return seen_.take_changes(take);
  }

private:
  shape shape_ = shape_from_environment();
  table<std::string> seen_;
};

} // namespace

std::unique_ptr<plain_work> make_stock_work() {
  return std::make_unique<stock_work<scanner>>();
}

std::unique_ptr<plain_work> make_parsing_stock_work() {
  return std::make_unique<stock_work<parser>>();
}

std::unique_ptr<plain_work> make_shape_work() {
  return std::make_unique<shape_work>();
}

} // namespace weir::bench
