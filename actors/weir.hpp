// Everything an application needs: `#include <actors/weir.hpp>`.
#pragma once

#include "actors/application.hpp"
#include "actors/task/task.hpp"
