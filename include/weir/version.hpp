// Which weir this is. The build reads it here.
#pragma once

#define WEIR_VERSION "0.1.0"
