// A sender as programs of the older library are written: it asks until it may write, and says 3 at the end.
// Usage: sender KEY ROWS COLS COUNT
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "share_memory.h"

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int rows = std::atoi(argv[2]);
  const int cols = std::atoi(argv[3]);
  const int count = std::atoi(argv[4]);
  const auto size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols) * 3;
  std::vector<unsigned char> image(size);

  ShareMem::ShareMemory share(std::atoi(argv[1]));
  share.SetStatus(CAN_WRITE);
  share.SetShareHead(static_cast<unsigned long>(rows), static_cast<unsigned long>(cols));
  for (int frame = 0; frame < count;) {
    if (share.FlagStatus() != CAN_WRITE) continue;
    image.assign(size, static_cast<u_char>(frame % 251));
    frame += share.PutShareBody((u_char*)image.data(), image.size());
  }
  while (share.FlagStatus() != CAN_WRITE) {
  }
  share.SetStatus(3);
  share.DestroyShare();
  std::cout << "sent " << count << '\n';
}
