// A receiving port's side of one link: what can be taken, what is held, and the sender's memory.
//
// Under the port's mutex. If the sender dies, what it had sent stays readable here to its end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memlane/checksum/sample_checksum.hpp"
#include "memlane/endpoint/peer.hpp"
#include "memlane/options.hpp"
#include "memlane/platform/bell.hpp"
#include "memlane/platform/fault_point.hpp"
#include "memlane/port/half_memory.hpp"
#include "memlane/ring/receiver_ring.hpp"

namespace memlane::detail {

/// A taken descriptor, checked, with the memory it points into.
struct TakenSample {
  std::shared_ptr<const platform::Mapping> memory;
  Descriptor descriptor;
  std::uint64_t position;
  Shape shape;
  MetaBlock meta;  // zeros if the sample has none

  [[nodiscard]] const std::byte* payload() const noexcept { return memory->data() + descriptor.offset; }

  /// Whether it is what was sent, on a link that has checksums. Reads all of the payload.
  [[nodiscard]] bool matches_checksum() const noexcept {
    return sample_checksum(descriptor, payload_checksum(descriptor, payload(), meta)) == descriptor.checksum;
  }
};

class ReceiverLink {
 public:
  ReceiverLink(PortAddress address, std::shared_ptr<Peer> peer, std::uint32_t depth, bool drop_oldest)
      : address_(address),
        peer_(std::move(peer)),
        depth_(depth),
        drop_oldest_(drop_oldest),
        link_share_(peer_->allowance()->take(Allowance::Of::links, 1)),
        half_share_(peer_->allowance()->take(Allowance::Of::half_bytes, receiver_half_bytes(depth))),
        own_half_(make_receiver_half(depth)) {}
  ReceiverLink(const ReceiverLink&) = delete;
  ReceiverLink& operator=(const ReceiverLink&) = delete;

  [[nodiscard]] const PortAddress& address() const noexcept { return address_; }
  [[nodiscard]] const Peer& peer() const noexcept { return *peer_; }
  [[nodiscard]] const std::string& label() const noexcept { return label_; }
  [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }
  [[nodiscard]] const platform::OwnedMemory& own_half() const noexcept { return own_half_; }
  void close_half_handle() noexcept { own_half_.handle.reset(); }

  [[nodiscard]] bool is_up() const noexcept { return ring_.has_value(); }
  /// The sender's half has come. Throws Corruption or Error.
  void complete(const HalfBody& half, const platform::Handle& memory, platform::Handle bell) {
    if (is_up()) throw Corruption("a second half for one link");
    if (half.port.checksum > static_cast<std::uint8_t>(Checksum::crc32c))
      throw Corruption("a half with impossible options");
    peer_half_ = map_half(memory, half.bytes, sender_half_magic, ring_capacity(depth_), sender_half_bytes(depth_));
    fault_point("answer.mapped");
    bell_ = platform::ForeignBell(std::move(bell));
    pid_ = half.port.pid;
    label_ = get_text(half.port.label);
    checksum_ = static_cast<Checksum>(half.port.checksum);
    ring_.emplace(own_half_.mapping, peer_half_, ring_capacity(depth_), returns_capacity(depth_), drop_oldest_);
    was_waited_for_ = false;
    takes_ = true;
    fault_point("link.up");
  }

  /// Whether each sample is to be checked before it is shown to anybody.
  [[nodiscard]] bool has_checksums() const noexcept { return checksum_ != Checksum::none; }

  /// Nothing more is taken, since the sender's memory cannot be trusted. What is held still goes back.
  void give_up() noexcept { takes_ = false; }
  [[nodiscard]] bool takes() const noexcept { return takes_; }
  [[nodiscard]] bool was_given_up() const noexcept { return is_up() && !takes_; }
  /// Why it was given up, for the sender's program, which hears it when the link ends.
  void say_at_its_end(const GoneBody& reason) noexcept { last_words_ = reason; }
  [[nodiscard]] const std::optional<GoneBody>& last_words() const noexcept { return last_words_; }

  /// The sender has left or died: nothing comes any more, but what is there can be taken.
  void sender_left() noexcept { left_ = true; }
  /// The same, by the end of its process or of the connection, and not by a word: memory that it still kept for us in a queue
  /// of its own, since we were slow to read, has gone with it.
  void sender_died() noexcept { left_ = died_ = true; }
  [[nodiscard]] bool has_left() const noexcept { return left_; }

  /// Maps a segment. Throws Corruption or Error.
  void add_segment(const SegmentBody& segment, const platform::Handle& memory, platform::View view) {
    if (segments_.contains(segment.id)) throw Corruption("a segment was announced twice");
    Allowance& allowance = *peer_->allowance();
    auto added = std::make_shared<ForeignSegment>();
    added->share = allowance.take(Allowance::Of::segments, 1);
    added->mapping = platform::map_foreign_memory(memory, segment.bytes, view);
    fault_point("segment.mapped");
    // Reading in ahead is cheaper than faulting page by page; a very large segment would hold the service up.
    if (segment.bytes <= largest_populated)
      added->populated = allowance.try_take(Allowance::Of::populated, segment.bytes);
    if (added->populated) platform::populate(added->mapping);
    segments_.emplace(segment.id, std::shared_ptr<const platform::Mapping>(added, &added->mapping));
    awaits_segment_ = false;
    was_waited_for_ = false;
    fault_point("segment.known");
  }
  /// Samples that are held keep their mapping.
  void drop_segment(std::uint32_t id) {
    segments_.erase(id);
    fault_point("segment.forgotten");
  }

  /// Whether the queue is not empty. Throws Corruption.
  [[nodiscard]] bool anything_waits() { return takes_ && ring_->anything_waits(); }
  /// Whether it is worth calling take(): what waits may lie in memory that is still on the way. Throws Corruption.
  [[nodiscard]] bool can_take() { return anything_waits() && (!awaits_segment_ || left_); }
  /// Whether something may have been sent already that cannot be taken yet, since the sender's half, or the handle of a
  /// sample's memory, is still in the connection.
  [[nodiscard]] bool is_on_the_way() const noexcept { return (awaits_segment_ || !is_up()) && !left_; }
  /// How many nanoseconds, up to `moment`, a take that is not to wait may wait for that: once for each half and segment, and as
  /// long as its process has patience left, so that a sender who never hands it over, or late each time, holds nobody up for
  /// long. stop_waiting() gives back what was not needed; a link that is gone by then has used all.
  [[nodiscard]] std::int64_t wait_for_it(std::int64_t moment, std::int64_t now) noexcept {
    if (!is_on_the_way() || std::exchange(was_waited_for_, true)) return 0;
    return patience_ = peer_->allowance()->patience().take(moment, now);
  }
  void stop_waiting(std::int64_t waited) noexcept {
    if (const std::int64_t taken = std::exchange(patience_, 0); taken > waited)
      peer_->allowance()->patience().give_back(taken - waited);
  }
  [[nodiscard]] std::uint64_t waiting() { return takes_ ? ring_->waiting() : 0; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return is_up() ? ring_->dropped() + lost_with_sender_ : 0; }
  [[nodiscard]] std::uint64_t held() const noexcept { return held_; }

  /// The next sample, if there is one and its memory has arrived. Throws Corruption.
  [[nodiscard]] std::optional<TakenSample> take(std::uint64_t from_port) {
    if (!takes_) return std::nullopt;
    struct TellOfYields {
      ReceiverLink& link;
      bool any = false;
      // What was yielded is a return like any other: a sender that sleeps until everything is back must hear of it.
      ~TellOfYields() {
        if (any) link.ring_if_asleep();
      }
    } yields{*this};
    const auto yield = [&](std::uint64_t position) {
      give_back_as(position, 0, true, from_port);
      fault_point("yield.given");
      yields.any = true;
    };
    while (const auto look = ring_->look(yield)) {
      const auto segment = segments_.find(look->descriptor.segment);
      if (segment == segments_.end()) {
        if (!ring_->still_waits(look->position)) continue;  // taken back meanwhile: the copy may have been torn
        // Its handle is on the way: the service thread wakes us when it is here.
        awaits_segment_ = true;
        if (!left_) return std::nullopt;
        if (!died_) throw Corruption("a sample lies in memory that was never handed over");
        if (ring_->take() && ++lost_with_sender_ > ring_capacity(depth_))
          throw Corruption("a sender that is gone goes on sending");
        continue;
      }
      if (!ring_->take()) {
        yield(look->position);
        continue;
      }
      const platform::Mapping& memory = *segment->second;
      const auto shape = validated_shape(look->descriptor, memory.size());
      if (!shape) throw Corruption("a sample's description makes no sense");
      TakenSample sample{segment->second, look->descriptor, look->position, *shape,
                         read_meta(look->descriptor, memory)};
      ++held_;  // last: what makes no sense is not held, and never comes back
      return sample;
    }
    return std::nullopt;
  }

  /// The sample is read no more. Throws Corruption.
  void give_back(std::uint64_t position, std::uint32_t ticket, std::uint64_t from_port) {
    --held_;
    if (left_) return;
    give_back_as(position, ticket, false, from_port);
  }

  void arm(std::uint64_t sleep) noexcept {
    if (is_up()) ring_->arm(sleep);
  }

  /// Wakes the sender if it sleeps, once for each sleep. Fences itself: to be called after a take or a return.
  void ring_if_asleep() noexcept {
    if (!is_up() || left_) return;
    store_then_look_fence();  // [SYNC sleep]
    const std::uint64_t sleep = ring_->peer_sleep();
    if (sleep == 0 || sleep == last_rung_) return;
    last_rung_ = sleep;
    bell_.ring();
  }

 private:
  friend struct TestAccess;

  static constexpr std::uint64_t largest_populated = std::uint64_t{64} << 20U;  // bytes: some 5 ms

  /// The sender's memory; it stays as long as one of its samples is held.
  struct ForeignSegment {
    Allowance::Share share;
    Allowance::Share populated;
    platform::Mapping mapping;
  };

  void give_back_as(std::uint64_t position, std::uint32_t ticket, bool yielded, std::uint64_t from_port) {
    if (ring_->give_back(position, ticket, yielded)) return;
    // The sender has not looked for a long time. A message does not need it to.
    const ReturnsBody body{position, ticket | (yielded ? return_yielded : 0)};
    peer_->send(compose(MessageType::returns, from_port, address_.port, body));
    fault_point("return.sent");
  }

  static MetaBlock read_meta(const Descriptor& descriptor, const platform::Mapping& memory) {
    MetaBlock meta{};
    if ((descriptor.flags & has_meta) == 0) return meta;
    std::memcpy(&meta, memory.data() + meta_offset(descriptor.offset, descriptor.length), sizeof meta);
    if (meta.encoding_length > max_encoding || meta.user_length > max_user_header ||
        !is_text({meta.encoding, meta.encoding_length})) {
      throw Corruption("a sample's header makes no sense");
    }
    return meta;
  }

  PortAddress address_;
  std::shared_ptr<Peer> peer_;
  std::uint32_t depth_;
  bool drop_oldest_;
  Allowance::Share link_share_;
  Allowance::Share half_share_;
  platform::OwnedMemory own_half_;
  platform::Mapping peer_half_;
  platform::ForeignBell bell_;
  std::optional<ReceiverRing> ring_;  // once both halves are here
  std::map<std::uint32_t, std::shared_ptr<const platform::Mapping>> segments_;
  std::int64_t pid_ = 0;
  std::string label_;
  Checksum checksum_ = Checksum::none;
  std::uint64_t held_ = 0;
  std::uint64_t last_rung_ = 0;
  bool awaits_segment_ = false;  // the next sample lies in memory whose handle has not arrived
  bool was_waited_for_ = false;  // a take that does not wait has given it a moment to arrive
  std::int64_t patience_ = 0;    // nanoseconds that this take may still be waiting for it
  bool takes_ = false;           // up, and not given up
  std::optional<GoneBody> last_words_;
  bool left_ = false;
  bool died_ = false;
  std::uint64_t lost_with_sender_ = 0;  // samples whose memory it could not hand over before it died
};

}  // namespace memlane::detail
