"""The victim does either."""

from signal import SIGCONT, SIGKILL

from ...company import Company
from ...places import LANE
from .moves import survivor_takes_all, victim_takes_all
from .roles import PUBLISHER, ROLES
from .situation import situation

SIDE = "kill/side"  # a lane of the victim's own


@situation(*ROLES)
def alone(stage: Company) -> None:
    """First and last in its lane: it takes the lane's folder along."""
    stage.open_victim()
    stage.victim_step("close")
    stage.victim_step("reset")


@situation(*ROLES)
def clears_up(stage: Company) -> None:
    """Four were killed: two with ports open, one before a file was in place, one before its door was shown."""
    mortals = [stage.mortal(LANE, "publisher", "subscriber"), stage.mortal(SIDE, "publisher")]
    stage.dies_at("file.written:1", "subscriber", "kill/hidden")
    stage.dies_at("door.bound:1", "publisher", LANE)
    for mortal in mortals:
        mortal.signal(SIGKILL)
    for mortal in mortals:
        mortal.wait()
    stage.open_victim()
    if "S" not in stage.opened:  # by a freeze
        stage.until_one_is_left("door-", "lane-")  # before the others come, and clear up too
    stage.open_survivors()
    stage.meet()
    if stage.situation.role is PUBLISHER:
        stage.send("V", 100)
        survivor_takes_all(stage)
    else:
        stage.send("P", 100)
        victim_takes_all(stage)


@situation(*ROLES)
def mourns(stage: Company) -> None:
    """The victim is linked, in a lane of their own, with somebody who is killed."""
    role = stage.situation.role
    stage.open_survivors()
    stage.open_victim()
    stage.victim_step(role.opens, **{**stage.where("V2"), "lane": SIDE, "as": "side"})
    other = stage.mortal(SIDE, role.meets)
    other.signal(SIGKILL)
    other.wait()
    stage.victim_step("await-stats", port="side", peers=0, timeout=10000)
    stage.until_one_is_left("sub-" if role is PUBLISHER else "pub-")


@situation(*ROLES, prelude=("lane.file-removed:1:stop",), only=("lane.file-put-back",))
def leaves_as_others_come(stage: Company) -> None:
    """The freeze that belongs to the situation lets the others in."""
    stage.open_victim()
    stage.victim_step("close")
    stage.victim_step("reset")


@situation(*ROLES, only=("message.queued", "message.flushed"))
def writes_to_a_frozen_peer(stage: Company) -> None:
    """Each port that is opened calls the one who does not read."""
    role = stage.situation.role
    stage.open_survivors()
    stage.open_victim()
    other = stage.mortal(SIDE, role.meets)
    other.freeze()
    try:
        for i in range(300):  # more than a connection holds
            fields = {**stage.where("V2"), "lane": SIDE, "as": f"q{i}", "join-timeout": 0}
            stage.victim_step(role.opens, **fields)
        other.signal(SIGCONT)
        stage.victim_step(role.meets_by, port="q299", n=1, timeout=20000)
        stage.victim_step("reset")
    finally:
        other.signal(SIGCONT)
        other.ask("reset")


@situation(*ROLES, prelude=("lane.looked-at:1:stop",), only=("dead.called",))
def calls_one_who_has_just_died(stage: Company) -> None:
    """The freeze that belongs to the situation is the moment of his death."""
    other = stage.mortal(LANE, stage.situation.role.meets)

    def kill() -> None:
        other.signal(SIGKILL)
        other.wait()

    stage.at_first_freeze = kill
    stage.open_victim()


@situation(*ROLES, only=("gone.sent",))
def is_called_when_it_has_gone(stage: Company) -> None:
    """The caller has seen the announcement, and is frozen until the port is closed."""
    role = stage.situation.role
    stage.open_victim()
    stage.victim_step(role.opens, **{**stage.where("V2"), "lane": SIDE, "as": "side"})
    stage.late_caller(role.meets, lambda: stage.victim_step("close"))
