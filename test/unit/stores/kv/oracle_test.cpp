// Random operations on a task's state against plain maps that cannot be wrong.
#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "runtime/bytes/checksum.hpp"
#include "runtime/leveldb/leveldb_backend.hpp"
#include "weir/store.hpp"
#include "stores/kv/task_state.hpp"
#include "test/driver/memory_backend.hpp"
#include "test/temporary_directory.hpp"

namespace weir {
namespace {

using state_map = std::map<std::string, std::string>;

/// Two neighbouring stores, a cache that holds a handful of entries, and what
/// they should hold: one map (raw key to encoded value) for what is current,
/// what is sealed and what is committed.
class oracle_run {
public:
  oracle_run(backend& database, unsigned seed)
      : random_(seed), database_(database) {
    reopen();
  }

  void step() {
    switch (pick(40)) {
    case 0:
    case 1:
      return state_->sealed() ? apply() : seal();
    case 2:
      return begin_or_end_record();
    case 3:
      return pick(12) == 0 ? reopen() : pick(6) == 0 ? drop() : end_record();
    case 4:
    case 5:
      return check_range();
    case 6:
      return check_prefix();
    case 7:
      return change_during_scan();
    case 8:
      return check_committed();
    case 9:
      return release_spare();
    default:
      return pick(2) == 0 ? check_get() : change();
    }
  }

  void finish() {
    end_record();
    if (state_->sealed())
      apply();
    seal();
    apply();
    CHECK(current_ == committed_);
  }

private:
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }

  /// Few keys, so that they meet; some at the borders of the stores.
  std::string pick_text() {
    static const char* const special[] = {"", "\xff", "\xff\xff", "a\xff", "a"};
    if (pick(8) == 0)
      return special[pick(5)];
    std::string out;
    for (auto n = 1 + pick(2); n > 0; --n)
      out += "abc\xff"[pick(4)];
    return out;
  }
  std::int32_t pick_number() {
    return static_cast<std::int32_t>(pick(40)) - 20;
  }
  std::string pick_value() {
    return std::string(pick(40), char('a' + pick(26)));
  }

  static std::string raw(const std::string& key) { return "\x01" + key; }
  static std::string raw(std::int32_t key) {
    std::string out = "\x02";
    detail::key_order<std::int32_t>::put(key, out);
    return out;
  }
  static std::string decoded(const std::string& raw) { return raw.substr(1); }

  static std::uint64_t digest_of(const state_map& state) {
    std::uint64_t sum = 0;
    for (auto& [key, value] : state)
      sum += entry_hash(key, value);
    return sum;
  }

  static std::optional<std::string> at(const state_map& map,
                                       const std::string& key) {
    auto found = map.find(key);
    return found == map.end() ? std::nullopt : std::optional{found->second};
  }

  // -- operations

  void change_in_place() {
    auto more = pick_value();
    if (pick(2) == 0) {
      auto key = pick_text();
      (*texts_)[key] += more;
      current_[raw(key)] += more;
    } else {
      auto key = pick_number();
      (*numbers_)[key] += more;
      current_[raw(key)] += more;
    }
  }

  void change() {
    if (pick(3) == 0)
      return change_in_place();
    bool put = pick(3) != 0;
    auto value = pick_value();
    if (pick(2) == 0) {
      auto key = pick_text();
      put ? texts_->put(key, value) : texts_->erase(key);
      note(raw(key), put, value);
    } else {
      auto key = pick_number();
      put ? numbers_->put(key, value) : numbers_->erase(key);
      note(raw(key), put, value);
    }
  }

  void note(const std::string& key, bool put, const std::string& value) {
    if (put)
      current_[key] = value;
    else
      current_.erase(key);
  }

  void check_get() {
    auto text = pick_text();
    REQUIRE(texts_->get(text) == at(current_, raw(text)));
    auto number = pick_number();
    REQUIRE(numbers_->get(number) == at(current_, raw(number)));
  }

  void check_committed() {
    auto text = pick_text();
    REQUIRE(texts_->committed(text) == at(committed_, raw(text)));
    state_map seen;
    numbers_->for_each_committed([&](std::int32_t key, const std::string& x) {
      REQUIRE(seen.emplace(raw(key), x).second);
    });
    REQUIRE(seen == slice(committed_, "\x02", "\x03"));
  }

  static state_map slice(const state_map& map, const std::string& from,
                         const std::string& to) {
    return from < to ? state_map{map.lower_bound(from), map.lower_bound(to)}
                     : state_map{};
  }

  void check_range() {
    auto low = pick_number(), high = pick_number();
    state_map seen;
    std::string last;
    numbers_->range(low, high, [&](std::int32_t key, const std::string& x) {
      REQUIRE(last < raw(key));
      last = raw(key);
      seen.emplace(last, x);
    });
    REQUIRE(seen == slice(current_, raw(low), raw(high)));
    auto from = pick_text(), to = pick_text();
    seen.clear();
    texts_->range(from, to, [&](const std::string& key, const std::string& x) {
      seen.emplace(raw(key), x);
    });
    REQUIRE(seen == slice(current_, raw(from), raw(to)));
  }

  void check_prefix() {
    auto start = pick_text();
    state_map seen, expected;
    texts_->prefix(start, [&](const std::string& key, const std::string& x) {
      seen.emplace(raw(key), x);
    });
    for (auto& [key, value] : slice(current_, "\x01", "\x02"))
      if (decoded(key).starts_with(start))
        expected.emplace(key, value);
    REQUIRE(seen == expected);
  }

  void change_during_scan() {
    auto expected = slice(current_, "\x01", "\x02");
    state_map seen;
    std::string last;
    texts_->for_each([&](const std::string& key, const std::string& x) {
      REQUIRE(last < raw(key));
      last = raw(key);
      seen.emplace(last, x);
      for (auto n = pick(3); n > 0; --n)
        change();
      if (pick(3) == 0)
        check_get();
    });
    REQUIRE(seen == expected);
  }

  void begin_or_end_record() {
    if (before_record_)
      return end_record();
    before_record_ = current_;
    state_->begin_record();
  }

  void end_record() {
    if (!before_record_)
      return;
    if (pick(2) == 0) {
      state_->accept_record();
    } else {
      state_->undo_record();
      current_ = *before_record_;
    }
    before_record_.reset();
  }

  void seal() {
    end_record();
    record_checksum checksum;
    state_map after = committed_, keys;
    auto done = state_->seal([&](auto key, auto value) {
      checksum.add(key, value);
      REQUIRE(keys.emplace(key, "").second);
      if (value)
        after.insert_or_assign(std::string{key}, std::string{*value});
      else
        REQUIRE(after.erase(std::string{key}) == 1);
    });
    REQUIRE(done);
    REQUIRE(after == current_);
    REQUIRE(done->records == keys.size());
    REQUIRE(done->checksum == checksum.value());
    REQUIRE(done->digest == digest_of(current_));
    sealed_ = current_;
  }

  void apply() {
    change_batch metadata;
    metadata.put(std::string(1, '\0'), std::to_string(++commits_));
    REQUIRE(state_->apply(metadata));
    committed_ = sealed_;
    REQUIRE(state_->digest() == digest_of(committed_));
    REQUIRE(state_->verify_digest());
    if (!before_record_ && current_ == committed_)
      REQUIRE(state_->cache_bytes() <= cache_bound);
    std::string value;
    REQUIRE(database_.get(std::string(1, '\0'), value).value());
    REQUIRE(value == std::to_string(commits_));
  }

  void release_spare() {
    end_record();
    state_->release_spare();
    REQUIRE(state_->cache_bytes() == 0);
  }

  void drop() {
    state_->drop();
    current_ = committed_;
    before_record_.reset();
  }

  /// A crash of the process: only the database is left.
  void reopen() {
    auto digest = state_ ? state_->digest() : 0;
    state_ = std::make_unique<task_state>(
        database_, task_state_options{cache_bound}, digest);
    texts_.emplace(state_->open<std::string, std::string>(1, "texts"));
    numbers_.emplace(state_->open<std::int32_t, std::string>(2, "numbers"));
    current_ = committed_;
    before_record_.reset();
  }

  static constexpr std::size_t cache_bound = 1500;

  std::mt19937_64 random_;
  backend& database_;
  std::unique_ptr<task_state> state_;
  std::optional<kv_store<std::string, std::string>> texts_;
  std::optional<kv_store<std::int32_t, std::string>> numbers_;
  state_map current_, sealed_, committed_;
  std::optional<state_map> before_record_;
  int commits_ = 0;
};

void run_oracle(backend& database, unsigned seed, int steps) {
  oracle_run run{database, seed};
  for (int i = 0; i < steps; ++i) {
    INFO("seed " << seed << ", step " << i);
    run.step();
  }
  run.finish();
}

} // namespace

TEST_CASE("random operations agree with a plain map", "[oracle]") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    memory_backend database;
    run_oracle(database, seed, 3000);
  }
}

TEST_CASE("random operations on LevelDB agree with a plain map", "[oracle]") {
  test::temporary_directory scratch;
  leveldb_options options;
  options.files = make_posix_environment();
  // Small, so that flushes and compactions happen under the operations.
  options.write_buffer_bytes = 64u << 10;
  options.table_bytes = 64u << 10;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    auto directory = scratch.path() + "/" + std::to_string(seed);
    auto database = leveldb_backend::open(directory, options);
    REQUIRE(database);
    run_oracle(**database, seed, 5000);
  }
}

} // namespace weir
