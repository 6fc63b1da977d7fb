"""One combination from beginning to end, and all that must hold afterwards."""

import shutil
import time
from collections import Counter

from form import Form

from .company import Company
from .ensemble import VictimOver
from .ledger import Broken
from .places import LARGE
from .process import PATIENCE, PeerGone, PeerSilent, eventually


class NotReached(Broken):
    """The victim did not get as far as in the run without a fault."""


class Stage(Company):
    """Plays one situation, with or without harm, and checks what must hold."""

    def run(self) -> None:
        """Play, and check. Broken: a promise was not kept."""
        clean = False
        try:
            self.victim.ask("reset")
            before = self.victim.descriptors()
            self.harm.attach(self.victim)
            try:
                self.situation.play(self)
                self.leave(before)
            except VictimOver:
                pass
            self.see_how_it_ended()
            self.go_on()
            self.everybody_leaves()
            clean = True
        except (PeerGone, PeerSilent, KeyError) as error:
            raise Broken(f"{type(error).__name__}: {error}") from error
        finally:
            self.clear_away(clean)

    def leave(self, before: Counter[str]) -> None:
        """The victim closes what is open, and has then open what it had before; or it ends as programs end."""
        if self.situation.returns:
            self.victim.start("exit", how="return")
            self.await_end()
            return
        self.victim_step("reset")
        if not eventually(lambda: self.watch() or self.is_doomed() or not self.victim.descriptors() - before):
            raise Broken(f"the victim has kept {self.victim.descriptors() - before}")
        self.victim_is_fine()

    def await_end(self) -> None:
        """Wait for the victim's own end, and deal with what happens meanwhile."""
        if not eventually(lambda: self.watch() or self.victim.has_ended()):
            raise Broken("the victim does not end")
        self.over = True

    # ---- what must hold ----

    def see_how_it_ended(self) -> None:
        """The fault fired, and the victim ended as it had to."""
        for name in sorted(self.pending):
            self.settle(name)
        self.understudy_plays = False
        self.step("U", "reset")
        if self.harm.action and not eventually(lambda: self.watch() or self.fired, 5):
            raise NotReached
        if self.harm.is_an_end:
            wanted = self.harm.exit_code
            if wanted is None:
                self.watch()
                if not self.over:
                    raise Broken("the victim did not become another program")
            elif (code := self.victim.wait()) != wanted:
                raise Broken(f"the victim ended with {code}, not {wanted}")
            self.over = True

    def settle(self, name: str) -> None:
        """What somebody waits for must come now that the victim is gone."""
        do = Form(self.survivor(name).peer.steps[-1]).text("do")
        if do == "send":
            self.end_send(name)
            return
        if do == "take":
            self.pattern.feed(self, name)
        answer = self.finish(name)
        if do == "take":
            self.note(name, answer, None)

    def go_on(self) -> None:
        """The others go on, with nothing lost and nothing kept; a new one takes the victim's place."""
        self.open_survivors()
        self.pattern.exchange(self)
        if self.is_doomed():
            self.recovery = time.monotonic() - self.died_at
        for name in sorted(self.holding):
            self.release(name)
        self.nothing_is_lost()
        self.links_are_gone()
        self.names_are_gone()
        self.understudy()
        self.links_are_gone()
        if self.harm.action == "clone-die":
            # What it was connected to by chance, it keeps connected, without a word, for as long as the clone lives.
            self.end_what_lives_on()
        self.nothing_is_kept()
        self.memory_is_back()

    def nothing_is_lost(self) -> None:
        """Every sample whose send has returned arrives, once, in order, unchanged."""
        for name in self.pattern.receivers:
            self.take_until(name, lambda: not self.lacks(name))  # noqa: B023  # called at once
            self.drain(name)  # nothing that was never sent, and nothing twice
        if not self.over and (lost := self.lacks("V")):
            raise Broken(f"V has not got {lost}")

    def lacks(self, receiver: str) -> dict[str, list[int]]:
        """The samples, by sender, that somebody is owed and has not got."""
        arrivals = self.ledger.arrivals
        owed = self.pattern.owed(self, receiver)
        return {
            sender: lost for sender in owed if (lost := sorted(owed[sender].difference(arrivals[receiver, sender])))
        }

    def links_are_gone(self) -> None:
        """Only the survivors' own link is left, and nothing waits in it."""
        for name in self.pattern.survivors:
            answer = self.step(name, "await-stats", peers=1, waiting=0, timeout=PATIENCE * 500)
            if (answer.text("peers"), answer.text("waiting")) != ("1", "0"):
                raise Broken(f"{name} still has {answer.fields}")

    def names_are_gone(self) -> None:
        """Those who were linked with the victim have heard its death, and have taken its names away."""
        if not (self.is_doomed() and self.was_linked) or self.harm.action == "clone-die":
            return
        expected = len(self.opened) + len(self.corpses)

        def doors() -> list[str]:
            return [name for name in self.names() if name.startswith("door-")]

        if not eventually(lambda: len(doors()) <= expected):
            raise Broken(f"nobody has removed the victim's names: {self.names()}")

    def nothing_is_kept(self) -> None:
        """The survivors have nothing open and nothing mapped but what belongs to their own link."""
        for survivor in map(self.survivor, self.pattern.survivors):
            if not eventually(lambda: not survivor.kept()):  # noqa: B023  # called at once
                raise Broken(f"{survivor.peer.name} has kept {survivor.kept()}")

    def end_what_lives_on(self) -> None:
        """End the victim's child, or the program that took its place."""
        if not self.harm.let_go():
            raise Broken("the victim's child does not end")

    def memory_is_back(self) -> None:
        """All of the survivors' memory can be lent at once, but for what the pattern lets them keep."""
        for name, loan in sorted(self.loaned):
            self.step(name, "give-up", loan=loan)
        for name, loans in self.pattern.loans(self.situation).items():
            for i in range(loans):
                self.step(name, "loan", loan=f"all-{i}", bytes=LARGE)
            for i in range(loans):
                self.step(name, "give-up", loan=f"all-{i}")

    def everybody_leaves(self) -> None:
        """Nothing is left: no name, no descriptor, no mapping, no process."""
        for name in sorted(self.opened | {"U"}):
            self.survivor(name).rest()
        if self.harm.action == "clone-die":
            # It kept the door open as well. Now nobody answers there, and whoever comes next clears it away.
            self.step("U", self.situation.role.opens, **self.where("U"))
            self.survivor("U").rest()
        self.directory_is_empty()
        self.end_what_lives_on()
        if not self.over:
            self.harm.close()
            self.victim.end()
            if self.victim.wait() != 0:
                raise Broken(f"the victim ended with {self.victim.wait()}")

    def directory_is_empty(self) -> None:
        """No name is left in the lane directory."""
        if not eventually(lambda: not self.names()):
            raise Broken(f"left in the lane directory: {self.names()}")

    def clear_away(self, clean: bool) -> None:
        """End what this combination has started."""
        self.harm.close()
        for peer in (self.victim, *self.corpses):
            peer.end()
        if not clean:
            self.troupe.dismiss()
        shutil.rmtree(self.around, ignore_errors=True)
