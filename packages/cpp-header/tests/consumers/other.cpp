// A second translation unit, for what a header must not define twice.
#include "header.hpp"

std::string_view version_seen_by_other();

std::string_view version_seen_by_other() {
  return memlane::version;
}
