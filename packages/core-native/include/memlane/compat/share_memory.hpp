// The class of the older C++ and Python shared-memory library, for programs that were written for it: the same calls over
// memlane's lanes. What is different: it shares memory of any size, leaves nothing behind when a process is killed, prints
// nothing, and no body is overwritten while somebody looks at it. docs/how-to/come-from-cpp_python_share_memory.md has more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "memlane/compat/shared_block.hpp"

namespace memlane::compat {

/// What GetShareBody() copies out: the body and what was said with it. The memory is the object's own.
struct ShareData {
  unsigned long rows = 0;
  unsigned long cols = 0;
  int flag = can_write;
  unsigned long data_size = 0;  ///< bytes
  char* data_body = nullptr;    ///< `data_size` bytes, until the next GetShareBody() into this object

 private:
  friend class ShareMemory;
  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
};

/// One block for each key, seen by every process of the user that opens the key. Any of them may put a body when the flag
/// is `can_write`; that sets it to `can_read`. Who reads the body sets it to `can_write` again, and so lets the next one
/// come. Used by one thread at a time; several objects, also of one key, are fine. Not for use in the child of a fork.
///
/// Every call may throw memlane::Error: `closed` after DestroyShare(), `out_of_memory` and the like where memory is short.
class ShareMemory {
 public:
  explicit ShareMemory(std::int64_t key) : block_(std::make_unique<detail::SharedBlock>(key)) {}

  /// 0: can be written; 1: can be read; 2: being processed; 3: finished. A program that asks again and again, and finds
  /// no change, waits in here a little.
  int FlagStatus() const {
    block_->look_calmly();
    return block_->flag();
  }

  /// Sets the flag, for the body that this object saw last. Returns 1.
  int SetStatus(int status) const {
    block_->set_flag(status);
    return 1;
  }

  /// Says the height and width of the bodies that follow. Returns 1.
  int SetShareHead(unsigned long rows, unsigned long cols) const {
    block_->set_head(rows, cols);
    return 1;
  }

  /// Copies `size` bytes into the block and sets the flag to `can_read`. Returns 1; or 0 if `data` is null or the flag is
  /// not `can_write`, which is to say that the last body was not read yet: ask again.
  int PutShareBody(const unsigned char* data, unsigned long size) const {
    if (data == nullptr) return 0;
    return block_->put(std::as_bytes(std::span(data, static_cast<std::size_t>(size)))) ? 1 : 0;
  }

  /// The bytes of the body, or 0 if the flag is not `can_read`.
  unsigned long GetShareBodySize() const {
    const Sample* const body = readable();
    return body == nullptr ? 0 : static_cast<unsigned long>(body->size());
  }

  /// Where the body lies, or null if the flag is not `can_read`. To be read; what is written there no other process sees.
  /// Valid until this object finds the next body in one of its calls, and so past SetStatus(can_write).
  unsigned char* GetShareBodyAddress() const {
    const Sample* const body = readable();
    if (body == nullptr) return nullptr;
    return reinterpret_cast<unsigned char*>(const_cast<std::byte*>(body->data()));
  }

  /// Copies the body out and sets the flag to `can_write`. Returns 1; or 0 if `to` is null or the flag is not `can_read`.
  int GetShareBody(ShareData* to) const {
    const Sample* const body = readable();
    if (to == nullptr || body == nullptr) return 0;
    const auto size = static_cast<std::size_t>(body->size());
    if (size > to->capacity_) {
      to->memory_.reset();  // first, since both may not fit
      to->memory_ = std::make_unique_for_overwrite<char[]>(size);
      to->capacity_ = size;
    }
    if (size != 0) std::memcpy(to->memory_.get(), body->data(), size);
    to->rows = static_cast<unsigned long>(block_->rows());
    to->cols = static_cast<unsigned long>(block_->cols());
    to->flag = block_->flag();
    to->data_size = static_cast<unsigned long>(size);
    to->data_body = to->memory_.get();
    block_->set_flag(can_write);
    return 1;
  }

  /// Leaves the block; also done by the destructor. The others keep what was put. Returns 1.
  int DestroyShare() const {
    block_->close();
    return 1;
  }

 private:
  /// What was seen as readable stays so until the flag is set, so that size and address are of the same body.
  const Sample* readable() const {
    if (block_->body() == nullptr) block_->look();
    return block_->body();
  }

  std::unique_ptr<detail::SharedBlock>
      block_;  // the calls are const, as they were: they change the block, not the object
};

}  // namespace memlane::compat
