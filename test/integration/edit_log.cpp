// Does to a topic of a stopped job what must never happen to it, so that a test
// can see what the job says:
//
//   weir-edit-log --kafka H:P | --data DIR  VERB TOPIC …
//
// `list` prints the committed records as JSON, keys and values in hex; those of
// a changelog with the commit that they belong to.
#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "runtime/base/clock.hpp"
#include "runtime/bytes/checksum.hpp"
#include "stores/changelog/commit_record.hpp"
#include "test/integration/open_streams.hpp"
#include "test/servers/log_editor.hpp"

namespace {

using namespace weir;
using test::must;

struct arguments {
  test::log_place place;
  std::string topic;
  int partition = 0;
  int partitions = 1;
  std::int64_t offset = 0;
  std::vector<std::string> config;
  std::uint64_t epoch = 1;
  std::string generation;
  bool no_header = false;
  bool torn = false;
};

struct owned_record {
  std::int64_t offset;
  std::string key;
  std::optional<std::string> value;
  std::optional<origin> by;
};

/// Everything that is committed, up to the end as it is now.
std::vector<owned_record> read_all(stream_system& streams, const arguments& x) {
  auto limits = must(streams.query_watermarks(x.topic, x.partition,
                                              isolation::read_committed));
  std::atomic<int> wakes{0};
  reader_options options;
  options.topic = x.topic;
  options.partition = x.partition;
  options.start = limits.low;
  options.on_ready = [&] {
    ++wakes;
    wakes.notify_one();
  };
  auto reader = must(streams.open_reader(std::move(options)));
  std::vector<owned_record> out;
  record_batch batch;
  while (reader->position() < limits.high) {
    auto before = wakes.load();
    must(reader->poll(batch, 1'000));
    for (auto& each : batch.records()) {
      owned_record record{each.offset(), std::string{each.key().value_or("")},
                          std::nullopt, std::nullopt};
      if (each.value())
        record.value = *each.value();
      if (auto by = origin_of(each))
        record.by = *by;
      if (each.offset() < limits.high)
        out.push_back(std::move(record));
    }
    if (batch.empty() && reader->position() < limits.high)
      wakes.wait(before);
  }
  batch.clear();
  return out;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (unsigned char each : bytes) {
    out += digits[each >> 4];
    out += digits[each & 15];
  }
  return out;
}

void list(const arguments& x) {
  auto streams = must(test::open_streams(x.place));
  for (auto& each : read_all(*streams, x)) {
    nlohmann::json line{
        {"offset", each.offset}, {"key", hex(each.key)}, {"value", nullptr}};
    if (each.value)
      line["value"] = hex(*each.value);
    if (each.by) {
      line["epoch"] = each.by->epoch;
      line["sequence"] = each.by->sequence;
      line["commit"] = each.key == commit_key;
    }
    std::printf("%s\n", line.dump().c_str());
  }
}

void create(const arguments& x) {
  topic_settings settings;
  settings.partitions = x.partitions;
  for (auto& each : x.config) {
    auto equals = each.find('=');
    settings.config[each.substr(0, equals)] = each.substr(equals + 1);
  }
  must(must(test::open_streams(x.place))->create_topic(x.topic, settings));
}

/// A record of an entry that is there already, with another value; with a
/// header that says which commit it belongs to; and with the commit record of
/// that commit, which follows the last one. Each of the two can be left out.
void append(const arguments& x) {
  auto streams = must(test::open_streams(x.place));
  std::string key;
  std::string value;
  std::optional<commit_record> last;
  for (auto& each : read_all(*streams, x))
    if (each.key == commit_key)
      last = must(decode_commit(each.value.value_or("")));
    else if (each.value)
      std::tie(key, value) = std::tie(each.key, *each.value);
  if (!last || key.empty())
    must(result<void>{fail(ec::not_found, "the changelog has no commit")});
  value.front() = static_cast<char>(value.front() ^ 1);

  auto world = make_outside_world();
  auto lane = random_id(*world);
  record_checksum sum;
  sum.add(key, value);
  commit_record commit = *last;
  commit.by = {must(parse_lane_id(lane)), x.epoch, 1};
  commit.number = last->number + 1;
  commit.previous = checksum(*last);
  commit.record_count = sum.count();
  commit.records_checksum = sum.value();
  if (!x.generation.empty())
    commit.generation = x.generation;

  producer_options options;
  options.transactional_id = "edit-log." + lane;
  auto producer = must(streams->open_producer(options));
  auto encoded_by = encode(commit.by);
  header mark{origin_header, encoded_by};
  outgoing out;
  out.topic = must(producer->open_topic(x.topic));
  out.partition = x.partition;
  if (!x.no_header)
    out.headers = {&mark, 1};
  must(producer->begin());
  out.key = key;
  out.value = value;
  must(producer->send(out));
  auto encoded_commit = encode(commit);
  out.key = commit_key;
  out.value = encoded_commit;
  if (!x.torn)
    must(producer->send(out));
  must(producer->commit());
}

/// Another last byte, which no stored checksum of the log tells.
void rewrite(test::log_editor& editor, const arguments& x) {
  for (auto& each : must(editor.records(x.topic, x.partition)))
    if (each.offset == x.offset && each.value && !each.value->empty()) {
      each.value->back() = static_cast<char>(each.value->back() ^ 1);
      return must(editor.rewrite(x.topic, x.partition, each));
    }
  must(result<void>{fail(ec::not_found, "there is no such record")});
}

} // namespace

int main(int argc, char** argv) {
  arguments x;
  CLI::App cli{"edits a topic behind a job's back"};
  test::add_options(cli, x.place);
  cli.require_subcommand(1);
  auto verb = [&](const char* name, auto action) {
    auto* out = cli.add_subcommand(name);
    out->add_option("TOPIC", x.topic)->required();
    out->callback([&x, action] { action(x); });
    return out;
  };
  auto on_partition = [&](const char* name, auto action) {
    auto* out = verb(name, action);
    out->add_option("PARTITION", x.partition)->required();
    return out;
  };
  auto* creating = verb("create", create);
  creating->add_option("PARTITIONS", x.partitions)->required();
  creating->add_option("CONFIG", x.config, "NAME=VALUE");
  verb("delete", [](const arguments& x) {
    must(must(test::open_streams(x.place))->delete_topic(x.topic));
  });
  on_partition("list", list);
  auto* appending = on_partition("append", append);
  appending->add_option("--epoch", x.epoch);
  appending->add_option("--generation", x.generation);
  appending->add_flag("--no-header", x.no_header);
  appending->add_flag("--torn", x.torn, "without a commit record");

  // The embedded log's own: what no producer can do.
  auto edit = [&](const char* name, auto action) {
    on_partition(name,
                 [action](const arguments& x) {
                   test::log_editor editor{must(test::open_database(x.place))};
                   action(editor, x);
                 })
        ->add_option("OFFSET", x.offset)
        ->required();
  };
  edit("rewrite", rewrite);
  edit("remove", [](test::log_editor& editor, const arguments& x) {
    must(editor.tear_out(x.topic, x.partition, x.offset));
  });
  edit("drop-head", [](test::log_editor& editor, const arguments& x) {
    must(editor.drop_head(x.topic, x.partition, x.offset));
  });
  edit("drop-tail", [](test::log_editor& editor, const arguments& x) {
    must(editor.drop_tail(x.topic, x.partition, x.offset));
  });
  edit("compact", [](test::log_editor& editor, const arguments& x) {
    must(editor.compact(x.topic, x.partition, 0, x.offset));
  });
  CLI11_PARSE(cli, argc, argv);
}
