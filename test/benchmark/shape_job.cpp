// weir's side of the benchmark shapes: counts keys, keeps their last value, and
// copies each record to an output if there is one.
#include <optional>

#include "actors/weir.hpp"
#include "test/benchmark/shape.hpp"

namespace {

const weir::bench::shape& wanted() {
  static const auto out = weir::bench::shape_from_environment();
  return out;
}

class shape_task : public weir::task {
public:
  explicit shape_task(const weir::task_setup& setup)
      : task(setup), seen_(store<std::string, std::string>("seen")),
        work_us_(wanted().work_of(partition())) {
    if (!wanted().output.empty())
      copies_ = output<std::string, std::string>(wanted().output);
  }

  void process(const weir::record& x) override {
    if (!x.key() || !x.value())
      return reject("a record without key or value");
    weir::bench::use_processor(work_us_);
    key_ = *x.key();
    auto* known = seen_.find(key_);
    state_ = known != nullptr ? *known : std::string{};
    weir::bench::count_and_keep(state_, *x.value());
    seen_.put(key_, state_);
    if (copies_)
      copies_->emit(*x.key(), *x.value());
  }

private:
  weir::kv_store<std::string, std::string> seen_;
  std::optional<weir::output<std::string, std::string>> copies_;
  std::int64_t work_us_;
  std::string key_;
  std::string state_;
};

} // namespace

int main(int argc, char** argv) {
  weir::job job{"shape"};
  for (auto& each : wanted().inputs)
    job.input(each);
  if (!wanted().output.empty())
    job.output(wanted().output);
  job.store("seen");
  return weir::run<shape_task>(job, argc, argv);
}
