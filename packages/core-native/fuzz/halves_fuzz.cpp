// Both ends of a link, each against a half that says anything, in any order of operations. Whatever the half says: no
// look outside a mapping, no wait, and in the end everything that was lent to the link is back.
#include <fcntl.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "far_end.hpp"
#include "hostile_half.hpp"
#include "input.hpp"
#include "insist.hpp"
#include "memlane/port/receiver_link.hpp"
#include "memlane/port/sender_link.hpp"
#include "second_reads.hpp"

namespace memlane::fuzz {
namespace {

using detail::Corruption;
using detail::platform::Handle;

constexpr std::array<std::uint32_t, 6> depths{1, 2, 3, 7, 16, 120};
constexpr int most_operations = 400;

Handle duplicate(int descriptor) {
  return Handle(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
}

FarEnd& far_end() {
  static FarEnd only;
  return only;
}

HostileHalf& hostile_half(std::uint32_t depth, bool of_sender) {
  static std::map<std::pair<std::uint32_t, bool>, std::unique_ptr<HostileHalf>> made;
  auto& half = made[{depth, of_sender}];
  if (!half) {
    half =
        std::make_unique<HostileHalf>(of_sender ? detail::make_sender_half(depth) : detail::make_receiver_half(depth));
  }
  half->start_again();
  return *half;
}

Handle some_bell() {
  static const detail::platform::Bell bell;
  bell.clear();
  return duplicate(bell.write_handle());
}

// ---- an honest sender, a receiver that lies ----

class SenderVictim {
 public:
  SenderVictim() {
    const auto plan = pool_.plan(payload, 64);
    pool_.add(plan, detail::platform::create_memory("fuzz", plan.bytes));
    free_ = pool_.free_slots(payload);
  }

  void meet(Input& input) {
    const std::uint32_t depth = depths[input.choice(depths.size())];
    detail::PortBody receiver{};
    receiver.depth = depth;
    receiver.overflow = static_cast<std::uint8_t>(input.choice(4));
    HostileHalf& half = hostile_half(depth, false);
    if (input.choice(8) == 7) half.lie(input.choice(8) * 8, input);  // its header
    std::uint64_t claimed = half.size();
    if (input.choice(8) == 7) claimed = input.lie_about(claimed);
    std::optional<detail::SenderLink> link;
    try {
      link.emplace(detail::PortAddress{far_end().peer()->id(), 1}, far_end().peer(), receiver,
                   detail::map_half(half.handle(), claimed, detail::receiver_half_magic,
                                    detail::returns_capacity(depth), detail::receiver_half_bytes(depth)),
                   detail::platform::ForeignBell(some_bell()), static_cast<std::uint32_t>(input.choice(4)));
      for (int i = 0; i < most_operations && !input.empty(); ++i) {
        SecondReads::answer(0);
        lie_or_work(input, *link, half, depth);
      }
    } catch (const Corruption&) {
      // Found out: the link ends.
    } catch (const Error&) {
      // The half was refused.
    }
    SecondReads::answer(0);
    if (link) {
      link->take_all_back(pool_);
      insist(link->outstanding() == 0, "nothing is out when everything was taken back");
    }
    insist(pool_.free_slots(payload) == free_, "every slot that was lent is free again");
  }

 private:
  static constexpr std::uint64_t payload = 100;

  void lie_or_work(Input& input, detail::SenderLink& link, HostileHalf& half, std::uint32_t depth) {
    const std::size_t what = input.choice(16);
    if (what >= 8 && input.choice(4) == 3) SecondReads::answer(input.lie_about(0));
    switch (what) {
      case 0: half.lie(offsetof(detail::ReceiverHalf, head), input); break;
      case 1: half.lie(offsetof(detail::ReceiverHalf, returns_tail), input); break;
      case 2: half.lie(offsetof(detail::ReceiverHalf, armed), input); break;
      case 3: half.lie_anywhere(input); break;
      case 4:
      case 5: {  // a return, more or less as it should be
        const std::uint64_t at = half.word(offsetof(detail::ReceiverHalf, returns_tail));
        const std::size_t place =
            sizeof(detail::ReceiverHalf) + at % detail::returns_capacity(depth) * sizeof(detail::ReturnEntry);
        const std::uint64_t head = half.word(offsetof(detail::ReceiverHalf, head));
        half.word(place) = what == 4 ? returned_++ : input.lie_about(head);
        half.word(place + 8) = what == 4 ? ticket_++ % depth : input.lie_about(detail::return_yielded);
        half.word(offsetof(detail::ReceiverHalf, returns_tail)) = at + 1;
        break;
      }
      case 6: half.word(offsetof(detail::ReceiverHalf, head)).fetch_add(1); break;
      case 7: returned_ = ticket_ = input.byte(); break;
      case 8:
      case 9:
      case 10:
      case 11: send(link); break;
      case 12: link.collect_returns(pool_); break;
      case 13: link.accept_message({input.lie_about(returned_), input.lie_about(ticket_)}, pool_); break;
      case 14:
        link.ring_if_asleep();
        link.arm(input.byte());
        break;
      default:
        if (input.choice(8) == 7) link.receiver_is_closing(pool_);
        break;
    }
    insist(link.outstanding() <= free_, "no more is out than was lent");
  }

  void send(detail::SenderLink& link) {
    if (link.closing()) return;
    detail::Slot* const slot = pool_.try_allocate(payload);
    if (slot == nullptr) return;
    const struct GiveUp {
      detail::SegmentPool& pool;
      detail::Slot& lent;
      ~GiveUp() { pool.release(lent); }
    } give_up{pool_, *slot};
    if (!link.has_room(pool_)) {
      if (link.overflow() != Overflow::drop_oldest) return;
      if (!link.drop_oldest(pool_) && link.holds_all_it_may(pool_)) return;
    }
    link.prepare(*slot->segment, 1);
    detail::Descriptor descriptor{};
    descriptor.length = payload;
    link.push(descriptor, *slot);
  }

  detail::SegmentPool pool_{0};
  std::size_t free_ = 0;
  std::uint64_t returned_ = 0;
  std::uint64_t ticket_ = 0;
};

// ---- an honest receiver, a sender that lies ----

class ReceiverVictim {
 public:
  void meet(Input& input) {
    const std::uint32_t depth = depths[input.choice(depths.size())];
    HostileHalf& half = hostile_half(depth, true);
    if (input.choice(8) == 7) half.lie(input.choice(8) * 8, input);
    detail::HalfBody body{};
    body.bytes = input.choice(8) == 7 ? input.lie_about(half.size()) : half.size();
    input.fill(std::as_writable_bytes(std::span(body.port.label)).first(8));
    const auto checksum = static_cast<std::uint8_t>(body.port.label[0]);
    body.port.checksum = checksum < 240 ? checksum % 2 : checksum;  // seldom one that nobody knows
    detail::ReceiverLink link({far_end().peer()->id(), 1}, far_end().peer(), depth, input.coin());
    std::deque<detail::TakenSample> held;
    try {
      link.complete(body, half.handle(), some_bell());
      for (int i = 0; i < most_operations && !input.empty(); ++i) {
        SecondReads::answer(0);
        lie_or_work(input, link, half, depth, held);
      }
    } catch (const Corruption&) {
      // Found out: the link ends.
    } catch (const Error&) {
      // The half was refused.
    }
    SecondReads::answer(0);
    for (const auto& sample : held) look_at(sample);  // its memory stays, whatever became of the link
  }

 private:
  static constexpr std::size_t places = 4096;

  void lie_or_work(Input& input, detail::ReceiverLink& link, HostileHalf& half, std::uint32_t depth,
                   std::deque<detail::TakenSample>& held) {
    const std::size_t what = input.choice(16);
    if (what >= 8 && input.choice(4) == 3) SecondReads::answer(input.lie_about(0));
    switch (what) {
      case 0: half.lie(offsetof(detail::SenderHalf, tail), input); break;
      case 1: half.lie(offsetof(detail::SenderHalf, floor), input); break;
      case 2: half.lie(offsetof(detail::SenderHalf, returns_head), input); break;
      case 3: half.lie_anywhere(input); break;
      case 4:
      case 5:
      case 6: push(input, half, depth); break;
      case 7: input.fill({segment().mapping.data() + input.choice(16) * 256, 16}); break;
      case 8:
      case 9:
      case 10:
      case 11:
        if (auto sample = link.take(1)) {
          look_at(*sample);
          // As a port does: the link is given up, and what is held of it goes back.
          if (link.has_checksums() && !sample->matches_checksum()) link.give_up();
          insist(link.takes() || !link.can_take(), "nothing more is taken from a link that was given up");
          held.push_back(std::move(*sample));
        }
        break;
      case 12:
        if (!held.empty()) {
          link.give_back(held.front().position, held.front().descriptor.ticket, 1);
          held.pop_front();
        }
        break;
      case 13: {
        detail::SegmentBody body{static_cast<std::uint32_t>(input.choice(4)), 0, segment().mapping.size()};
        if (input.choice(8) == 7) body.bytes = input.lie_about(body.bytes);
        const auto view = input.coin() ? detail::platform::View::scribble : detail::platform::View::read_only;
        link.add_segment(body, input.choice(8) == 7 ? half.handle() : segment().handle, view);
        break;
      }
      case 14: link.drop_segment(static_cast<std::uint32_t>(input.choice(4))); break;
      default:
        static_cast<void>(link.waiting());
        static_cast<void>(link.dropped());
        static_cast<void>(link.can_take());
        link.arm(input.byte());
        link.ring_if_asleep();
        if (input.choice(16) == 15) link.sender_left();
        break;
    }
  }

  /// What the receiver must find, if it gets to look.
  static std::uint32_t right_checksum(const detail::Descriptor& descriptor) {
    const auto& memory = segment().mapping;
    if (!detail::validated_shape(descriptor, memory.size())) return 0;
    detail::MetaBlock meta{};
    if ((descriptor.flags & detail::has_meta) != 0)
      std::memcpy(&meta, memory.data() + detail::meta_offset(descriptor.offset, descriptor.length), sizeof meta);
    return detail::sample_checksum(descriptor,
                                   detail::payload_checksum(descriptor, memory.data() + descriptor.offset, meta));
  }

  /// A description that is right but for what the input changes in it.
  static void push(Input& input, HostileHalf& half, std::uint32_t depth) {
    detail::Descriptor descriptor{};
    descriptor.length = descriptor.shape[0] = input.byte();
    descriptor.ndim = 1;
    descriptor.segment = static_cast<std::uint32_t>(input.choice(4));
    descriptor.offset = input.choice(16) * 256;
    descriptor.flags = input.coin() ? detail::has_meta : 0;
    for (std::size_t changes = input.choice(4); changes != 0; --changes) {
      std::array<std::uint64_t, sizeof descriptor / 8> words;
      std::memcpy(words.data(), &descriptor, sizeof descriptor);
      std::uint64_t& word = words[input.choice(words.size())];
      word = input.lie_about(word);
      std::memcpy(&descriptor, words.data(), sizeof descriptor);
    }
    if (descriptor.length % 8 != 0) descriptor.checksum = right_checksum(descriptor);
    detail::SharedWord& tail = half.word(offsetof(detail::SenderHalf, tail));
    half.overwrite(sizeof(detail::SenderHalf) + tail % detail::ring_capacity(depth) * sizeof descriptor,
                   std::as_bytes(std::span(&descriptor, 1)));
    tail.fetch_add(1);
  }

  static void look_at(const detail::TakenSample& sample) {
    const detail::Descriptor& d = sample.descriptor;
    insist(d.offset <= sample.memory->size() && d.length <= sample.memory->size() - d.offset,
           "a sample lies inside its memory");
    insist(sample.shape.byte_count(item_size(static_cast<DType>(d.dtype))) == d.length, "a shape fits its sample");
    insist(sample.meta.encoding_length <= detail::max_encoding && sample.meta.user_length <= detail::max_user_header,
           "a header's parts have the lengths that they can have");
    if (d.length == 0) return;
    const auto* const bytes = static_cast<const volatile std::byte*>(sample.memory->data());
    static_cast<void>(bytes[d.offset]);  // a fault if it is not there
    static_cast<void>(bytes[d.offset + d.length - 1]);
  }

  static detail::platform::OwnedMemory& segment() {
    static detail::platform::OwnedMemory only = detail::platform::create_memory("fuzz", places);
    return only;
  }
};

}  // namespace
}  // namespace memlane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static memlane::fuzz::SenderVictim sender;
  static memlane::fuzz::ReceiverVictim receiver;
  memlane::fuzz::Input input(data, size);
  if (input.coin()) {
    sender.meet(input);
  } else {
    receiver.meet(input);
  }
  memlane::fuzz::far_end().listen();
  return 0;
}
