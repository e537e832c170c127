// docs/guide/settings.md, made of the table of options: prints it, or compares
// it with the file that is given.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "actors/commands/options.hpp"

namespace {

constexpr const char* beginning =
    R"(<!-- Made by weir-settings-page of actors/commands/option_table.cpp: change it
there, then build/dev/bin/weir-settings-page > docs/guide/settings.md -->

# Settings

The commands of an application's binary take these options, each those that it
uses: `COMMAND --help` shows them. The file that `--config FILE` names (TOML) may
have all of them, by the same names; what the command line says wins over it:

```toml
data = "/var/lib/stock"
kafka = "10.0.0.1:9092,10.0.0.2:9092"
zookeeper = "10.0.0.1:2181/weir"
check-interval = "200ms"
threads = 4
until-drained = false

[kafka-properties]
"security.protocol" = "ssl"
```

Numbers (`N`) and switches (`true`, `false`) stand there bare, everything else in
quotes. An unknown name and a value of the wrong kind end the command with exit
code 2. A DURATION is a whole number with its unit: `100ms`, `5s`, `5m`, `1h`.

The default is in parentheses.

| Option | What it does |
|---|---|
)";

constexpr const char* while_it_runs = R"(
## Bounds

| Setting | From | To |
|---|---|---|
)";

constexpr const char* live =
    R"(| `threads` | 1 | 256 |

## While the job runs

Two settings can be changed without a restart, for all processes of the job at
once, by the data of the znode `/weir/<job>/config` (below the chroot, if there
is one), a JSON object:

```json
{"check_interval": "200ms", "sync_interval": "1m"}
```

What stands there wins over command line and file. What cannot be understood is
logged (`config.ignored`), and the last good value stays. On the embedded log there is nobody to
write that znode: there a restart changes them.
)";

/// A bar would end the cell.
std::string cell(const std::string& text) {
  std::string out;
  for (char each : text)
    out += each == '|' ? std::string{"\\|"} : std::string{each};
  return out;
}

std::string bound(const char* name, const weir::duration_limits& x) {
  return std::string{"| `"} + name + "` | " + weir::format_duration(x.least) +
         " | " + weir::format_duration(x.most) + " |\n";
}

std::string page() {
  std::string out = beginning;
  for (auto& each : weir::option_table())
    out += "| `--" + each.name +
           (each.value.empty() ? "" : " " + cell(each.value)) + "` | " +
           cell(each.help) + " |\n";
  out += while_it_runs;
  out += bound("check-interval", weir::check_interval_limits);
  out += bound("sync-interval", weir::sync_interval_limits);
  out += bound("session-timeout", weir::session_timeout_limits);
  out += bound("stop-limit", weir::stop_limit_limits);
  out += bound("producer-linger", weir::producer_linger_limits);
  return out + live;
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(page().c_str(), stdout);
    return 0;
  }
  std::ifstream in{argv[1]};
  if (std::string{std::istreambuf_iterator<char>{in}, {}} == page())
    return 0;
  std::fprintf(stderr,
               "%s is not what the table of options says; renew it with\n"
               "  %s > %s\n",
               argv[1], argv[0], argv[1]);
  return 1;
}
