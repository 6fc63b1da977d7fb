// The header, as whoever builds this program got it.
#pragma once

#ifdef MEMLANE_SINGLE_HEADER
#include "memlane.hpp"
#else
#include <memlane/memlane.hpp>
#endif
