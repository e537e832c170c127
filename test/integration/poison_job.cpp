// A job whose records say how they harm it. A record's value is one of
//
//   N           adds N to the sum of its key and emits "<key>=<sum>"
//   reject      is rejected by the task
//   throw       throws after it has written and emitted
//   hang N      does not come back for N milliseconds
//   output N    emits N bytes
//   state N     stores a value of N bytes
//
// and anything else cannot be decoded. In the environment: POISON_TASK=N, task
// N cannot be constructed; POISON_SECOND=TOPIC, there is a second input.
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <thread>

#include "weir/weir.hpp"

namespace {

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t out = 0;
  auto end = text.data() + text.size();
  auto [rest, problem] = std::from_chars(text.data(), end, out);
  if (problem != std::errc{} || rest != end)
    return std::nullopt;
  return out;
}

constexpr weir::input<std::string, std::string> orders{"orders"};
/// Called by the name that POISON_SECOND gives.
constexpr weir::input<std::string, std::string> more_orders{"more-orders"};
constexpr weir::store<std::string, std::string> sums{"sums"};
constexpr weir::output<std::string, std::string> totals{"totals"};

const char* second_input() {
  return std::getenv("POISON_SECOND");
}

class poison_task : public weir::task {
public:
  explicit poison_task(const weir::task_setup& setup) : task(setup) {
    on(orders, &poison_task::obey);
    if (second_input() != nullptr)
      on(more_orders, &poison_task::obey);
    if (auto* task = std::getenv("POISON_TASK"))
      if (whole(task) == partition())
        throw std::runtime_error{"thrown by a constructor"};
  }

private:
  void obey(const weir::record& x) {
    std::string key{x.key().value_or("")};
    auto value = x.value().value_or("");
    if (auto add = whole(value))
      return count(key, *add);
    if (value == "reject")
      return reject("this record asks for it");
    // What it has done by then must be undone.
    count(key, 1'000'000);
    if (value == "throw")
      throw std::runtime_error{"thrown by a record"};
    auto space = value.find(' ');
    auto size =
        space == value.npos ? std::nullopt : whole(value.substr(space + 1));
    auto verb = value.substr(0, space);
    if (size && verb == "hang")
      return std::this_thread::sleep_for(std::chrono::milliseconds{*size});
    if (size && verb == "output")
      return totals_.emit(key,
                          std::string(static_cast<std::size_t>(*size), 'x'),
                          {.partition = partition()});
    if (size && verb == "state")
      return sums_.put(key, std::string(static_cast<std::size_t>(*size), 'x'));
    reject("neither a number nor an order");
  }

  void count(const std::string& key, std::int64_t add) {
    auto sum =
        std::to_string(whole(sums_.get(key).value_or("0")).value_or(0) + add);
    sums_.put(key, sum);
    totals_.emit(key, key + "=" + sum, {.partition = partition()});
  }

  weir::use<sums> sums_{this};
  weir::use<totals> totals_{this};
};

} // namespace

int main(int argc, char** argv) {
  weir::job job{"poison", orders, totals, sums};
  if (auto* second = second_input())
    job = weir::job{"poison", orders, more_orders, totals, sums}.bind(
        more_orders, second);
  return weir::application{job, weir::task_of<poison_task>()}.main(argc, argv);
}
