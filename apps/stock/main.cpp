#include <memory>

#include "apps/stock/csv_ticks.hpp"
#include "apps/stock/stock_task.hpp"
#include "apps/stock/synthetic_ticks.hpp"
#include "runtime/stream/record_source.hpp"

namespace {

using source = weir::result<std::unique_ptr<weir::record_source>>;

template <class Ticks>
source boxed(weir::result<Ticks> ticks) {
  if (!ticks)
    return weir::fail(ticks.error());
  return std::make_unique<Ticks>(std::move(*ticks));
}

source make_source(const weir::generate_request& x) {
  if (x.file)
    return boxed(stock::csv_ticks::open(*x.file));
  if (x.synthetic)
    return boxed(
        stock::synthetic_ticks::make({*x.synthetic, x.symbols, x.seed}));
  return weir::fail(weir::ec::bad_argument,
                    "generate needs --file FILE or --synthetic N");
}

} // namespace

int main(int argc, char** argv) {
  weir::job job{"stock", stock::ticks, stock::quotes, stock::changes};
  return weir::application{job, weir::task_of<stock::stock_task>()}
      .source(make_source)
      .main(argc, argv);
}
