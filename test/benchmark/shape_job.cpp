// weir's side of the benchmark shapes: counts keys, keeps their last value, and
// copies each record to an output if there is one.
#include <optional>

#include <weir/weir.hpp>

#include "test/benchmark/shape.hpp"

namespace {

const weir::bench::shape& wanted() {
  static const auto out = weir::bench::shape_from_environment();
  return out;
}

/// As many of them as the shape has, by other names.
constexpr weir::input<std::string, std::string> inputs[] = {
    {"in-0"}, {"in-1"}, {"in-2"}, {"in-3"},
    {"in-4"}, {"in-5"}, {"in-6"}, {"in-7"}};
constexpr weir::store<std::string, std::string> seen{"seen"};
constexpr weir::output<std::string, std::string> copies{"copies"};

class shape_task : public weir::task {
public:
  explicit shape_task(const weir::task_setup& setup)
      : task(setup), work_us_(wanted().work_of(partition())) {
    for (std::size_t i = 0; i < wanted().inputs.size(); ++i)
      on(inputs[i], &shape_task::count);
    if (!wanted().output.empty())
      copies_.emplace(this);
  }

private:
  void count(std::string_view key, std::string_view value) {
    weir::bench::use_processor(work_us_);
    weir::bench::count_and_keep(seen_[key], value);
    if (copies_)
      copies_->emit(key, value);
  }

  weir::use<seen> seen_{this};
  std::optional<weir::use<copies>> copies_;
  std::int64_t work_us_;
};

weir::job make_job() {
  std::vector<weir::part> parts{weir::detail::describe(seen)};
  auto count = wanted().inputs.size();
  if (count > std::size(inputs))
    throw std::runtime_error{"WEIR_SHAPE_INPUTS: at most 8"};
  for (std::size_t i = 0; i < count; ++i)
    parts.push_back(weir::detail::describe(inputs[i]));
  if (!wanted().output.empty())
    parts.push_back(weir::detail::describe(copies));
  weir::job out{"shape", std::move(parts)};
  for (std::size_t i = 0; i < count; ++i)
    out.bind(inputs[i], wanted().inputs[i]);
  if (!wanted().output.empty())
    out.bind(copies, wanted().output);
  return out;
}

} // namespace

int main(int argc, char** argv) {
  return weir::application{make_job(), weir::task_of<shape_task>()}.main(argc,
                                                                         argv);
}
