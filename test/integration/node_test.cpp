// The same job twice in one process, on real servers.
#include "weir/node.hpp"

#include <filesystem>

#include "test/integration/kafka_fixture.hpp"
#include "test/servers/zookeeper_server.hpp"
#include "test/temporary_directory.hpp"
#include "test/unit/driver/words.hpp"

using namespace weir;
using namespace weir::test;
using namespace words_test;

namespace {

class two_members {
public:
  two_members() {
    how_.kafka = shared_kafka_server().brokers();
    how_.zookeeper = zookeeper_.hosts();
    how_.check_interval = 50ms;
    how_.session_timeout = 4s;
    how_.create_inputs = 4;
  }

  node start(int which) {
    auto how = how_;
    how.data_directory = directories_[which].path();
    return need(
        node::start(job{word_job}.rename(name_), task_of<word_count>(), how));
  }

private:
  zookeeper_server zookeeper_;
  temporary_directory directories_[2];
  settings how_;
  std::string name_ = fresh_name("words");
};

std::size_t entries_of(const char* directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{directory}, {}));
}

} // namespace

TEST_CASE("the same job twice in a process: a task is one node's at a time") {
  two_members of;
  std::int64_t sent = 0;
  auto send = [&](node& through) {
    for (int i = 0; i < 20; ++i)
      need(through.enqueue(lines, "round and round"));
    sent += 20;
  };
  std::size_t files = 0, threads = 0;
  for (int i = 0; i < 50; ++i) {
    {
      auto first = of.start(i % 2);
      // It has all tasks before there is another.
      need(first.drain(60s));
      auto second = of.start(1 - i % 2);
      send(first);
      need(first.drain(60s));
      // The other takes over what the first one lets go of.
      first.stop();
      CHECK_FALSE(first.wait().uncommitted);
      send(second);
      need(second.drain(60s));
      CHECK(need(second.get(counts, "round")) == 2 * sent);
      CHECK(need(second.get(counts, "and")) == sent);
    }
    // What the libraries keep is there after the first few.
    if (i == 5) {
      files = entries_of("/proc/self/fd");
      threads = entries_of("/proc/self/task");
    }
  }
  CHECK(entries_of("/proc/self/fd") == files);
  CHECK(entries_of("/proc/self/task") == threads);
}
