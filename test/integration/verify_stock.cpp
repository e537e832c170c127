// Judges a run of the stock job by its topics: reads input and output
// read-committed with librdkafka alone and compares them with a plain fold.
//
//   weir-verify-stock check --kafka H:P [--at-least-once] [--dump FILE]
//   weir-verify-stock watch --kafka H:P
//
// `watch` follows the output and prints "<monotonic seconds> <records>" when
// committed records arrive, for scripts that want to know when.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "test/benchmark/kafka_client.hpp"
#include "test/integration/stock_oracle.hpp"

namespace {

using namespace weir::bench;
using weir::test::seen_record;
using weir::test::stock_oracle;

struct options {
  std::string brokers;
  std::string input = "ticks";
  std::string output = "changes";
  std::string dump;
  stock_oracle::options oracle;
};

std::vector<int> all_partitions(const handle& client,
                                const std::string& topic) {
  std::vector<int> out(static_cast<std::size_t>(partitions_of(client, topic)));
  if (out.empty())
    die("topic " + topic + " does not exist");
  std::iota(out.begin(), out.end(), 0);
  return out;
}

/// Calls `visit` for every committed record of a topic that nobody writes to.
template <class Visit>
void read_all(const options& o, const std::string& topic, Visit visit) {
  auto consumer = make_consumer(o.brokers, {{"enable.partition.eof", "true"}});
  rd_kafka_poll_set_consumer(consumer.get());
  auto partitions = all_partitions(consumer, topic);
  assign(
      consumer, topic, partitions,
      std::vector<std::int64_t>(partitions.size(), RD_KAFKA_OFFSET_BEGINNING));
  for (auto open = partitions.size(); open > 0;) {
    message x{rd_kafka_consumer_poll(consumer.get(), 30'000)};
    if (!x)
      die("topic " + topic + ": nothing came for 30 s");
    if (x->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      --open;
      continue;
    }
    if (x->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      die(rd_kafka_message_errstr(x.get()));
    visit(seen_record{key_of(*x), value_of(*x),
                      rd_kafka_message_timestamp(x.get(), nullptr),
                      x->partition});
  }
}

/// Prints one PASS or FAIL line for the failures since the last call.
bool verdict(const stock_oracle& oracle, std::size_t& told,
             const std::string& what, std::uint64_t before) {
  auto passed = oracle.failures() == before;
  std::cout << (passed ? "PASS " : "FAIL ") << what;
  if (!passed)
    std::cout << ": " << oracle.failures() - before << " failures";
  std::cout << '\n';
  for (; told < oracle.texts().size(); ++told)
    std::cout << "     " << oracle.texts()[told] << '\n';
  return passed;
}

int check(const options& o) {
  stock_oracle oracle{o.oracle};
  read_all(o, o.input, [&](const seen_record& x) { oracle.input(x); });
  read_all(o, o.output, [&](const seen_record& x) { oracle.output(x); });
  oracle.outputs_end();
  std::size_t told = 0;
  auto ticks = std::to_string(oracle.inputs() - oracle.skipped()) + " ticks, " +
               std::to_string(oracle.skipped()) + " bad inputs, " +
               std::to_string(oracle.keys()) + " keys, " +
               std::to_string(oracle.outputs()) + " outputs (" +
               std::to_string(oracle.repeated()) + " repeated)";
  auto passed = verdict(oracle, told,
                        (o.oracle.at_least_once
                             ? "at least one output a tick, in order: "
                             : "exactly one output a tick, in order: ") +
                            ticks,
                        0);
  if (!o.dump.empty()) {
    auto before = oracle.failures();
    std::ifstream dump{o.dump};
    if (!dump)
      die("cannot open " + o.dump);
    oracle.state(dump);
    passed &=
        verdict(oracle, told, "the stored state is that of the input", before);
  }
  return passed ? 0 : 1;
}

int watch(const options& o) {
  auto consumer = make_consumer(o.brokers);
  rd_kafka_poll_set_consumer(consumer.get());
  auto partitions = all_partitions(consumer, o.output);
  assign(
      consumer, o.output, partitions,
      std::vector<std::int64_t>(partitions.size(), RD_KAFKA_OFFSET_BEGINNING));
  queue_handle queue{rd_kafka_queue_get_consumer(consumer.get())};
  std::vector<rd_kafka_message_t*> batch(10'000);
  for (;;) {
    std::uint64_t count = 0;
    // A longer wait for a batch would collect until the batch is full.
    auto got = rd_kafka_consume_batch_queue(queue.get(), 5, batch.data(),
                                            batch.size());
    for (int i = 0; i < static_cast<int>(got); ++i) {
      message x{batch[static_cast<std::size_t>(i)]};
      if (x->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        ++count;
      else if (x->err != RD_KAFKA_RESP_ERR__TRANSPORT &&
               x->err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        die(rd_kafka_message_errstr(x.get()));
    }
    if (count == 0)
      continue;
    auto now = std::chrono::duration<double>(
        std::chrono::steady_clock::now().time_since_epoch());
    // A reader that is gone ends this program.
    if (std::printf("%.3f %llu\n", now.count(),
                    static_cast<unsigned long long>(count)) < 0 ||
        std::fflush(stdout) != 0)
      std::_Exit(0);
  }
}

void add_topics(CLI::App* command, options& o) {
  command->add_option("--kafka", o.brokers)->required();
  command->add_option("--output-topic", o.output);
}

} // namespace

int main(int argc, char** argv) {
  options o;
  CLI::App app{"judges a run of the stock job by its topics"};
  app.require_subcommand(1);
  auto* checking = app.add_subcommand("check", "compare with a plain fold");
  add_topics(checking, o);
  checking->add_option("--input-topic", o.input);
  checking->add_option("--dump", o.dump, "what `weir-stock dump` printed");
  checking->add_flag("--at-least-once", o.oracle.at_least_once,
                     "outputs may repeat");
  checking->add_flag("--skip-bad", o.oracle.skip_bad,
                     "inputs that are no ticks have no output");
  auto* watching = app.add_subcommand("watch", "print when outputs arrive");
  add_topics(watching, o);
  CLI11_PARSE(app, argc, argv);
  return checking->parsed() ? check(o) : watch(o);
}
