// A user's first program: one frame to oneself.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

#include "header.hpp"

std::string_view version_seen_by_other();

int main() {
  memlane::Subscriber in{"consumer"};
  memlane::Publisher out{"consumer"};
  auto loan = out.loan<std::uint8_t>({2, 3});
  std::memcpy(loan.data(), "abcdef", 6);
  if (out.send(std::move(loan)) != 1) return std::puts("the frame did not go to one subscriber"), 1;

  const auto sample = in.take(std::chrono::seconds(10));
  if (!sample) return std::puts("no frame came"), 1;
  const auto frame = sample->as_array<std::uint8_t>();
  if (frame.shape().ndim() != 2 || std::memcmp(frame.data(), "abcdef", 6) != 0)
    return std::puts("another frame came"), 1;
  return version_seen_by_other() == memlane::version ? 0 : 1;
}
