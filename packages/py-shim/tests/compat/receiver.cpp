// A receiver as programs of the older library are written: it asks until it may read, and ends when the status is 3.
// Usage: receiver KEY SIZE
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <iostream>

#include "share_memory.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto size = std::strtoul(argv[2], nullptr, 10);
  ShareMem::ShareMemory share(std::atoi(argv[1]));
  std::cout << "ready" << std::endl;
  int frames = 0;
  for (int status = share.FlagStatus(); status != 3; status = share.FlagStatus()) {
    if (status != CAN_READ) continue;
    const u_char* image = share.GetShareBodyAddress();
    const auto torn = share.GetShareBodySize() != size || std::any_of(image, image + size, [&](u_char value) {
                        return value != static_cast<u_char>(frames % 251);
                      });
    if (torn) {
      std::cout << "frame " << frames << " is not whole" << std::endl;
      return 1;
    }
    frames += 1;
    share.SetStatus(CAN_WRITE);
  }
  share.DestroyShare();
  std::cout << "received " << frames << '\n';
}
