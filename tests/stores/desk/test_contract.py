"""What every desk promises, tried on each."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from stores.desk import Desk, kept
from stores.desk.contract import (
    AuditEntry,
    AuditQuery,
    Author,
    Cleared,
    CustomTrail,
    Decision,
    DecisionScope,
    Noun,
    SavedAnswer,
    Triage,
    TriageState,
    Verdict,
)
from stores.desk.rows import ANSWERS_KEPT, AUDIT_KEPT, ENDED_KEPT, LEASE
from tests.stores.desk.conftest import Opener
from trailhound.errors import StoreConflict, StoreError, StoreFull, StoreUnavailable
from trailhound.record import MICROSECONDS
from trailhound.trail import TrailClass, TrailKind

NOW = 1_790_000_000 * MICROSECONDS
HOUR = 3600 * MICROSECONDS
ALICE = Author("alice", "192.0.2.1", NOW)
BOB = Author("bob", "", NOW + HOUR)
HOSTILE = "<script>\u202e\u0000'; DROP TABLE things; --\n\ud83d\ude00".encode("utf-16", "surrogatepass").decode(
    "utf-16"
)


def a_decision(id_: str = "d1", **changes: object) -> Decision:
    made = Decision(id_, Verdict.BLOCK, DecisionScope.ADDRESS, "45.155.205.233", "brute force", "alice", NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


def a_trail(id_: str = "t1", **changes: object) -> CustomTrail:
    made = CustomTrail(
        id_, TrailKind.DOMAIN, "evil.example", "emotet", TrailClass.C2, 90, "", "told by CERT", "alice", NOW
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def actions(desk: Desk, **conditions: str) -> list[str]:
    return [one.action for one in desk.audit(AuditQuery(**conditions)).entries]  # type: ignore[arg-type]


def test_a_threat_of_which_nobody_spoke_is_new(desk: Desk) -> None:
    assert desk.triage("a") == Triage("a", TriageState.NEW)
    assert desk.triages(["a", "b"]) == {}
    assert desk.triages([]) == {}
    assert desk.triaged([TriageState.NEW]) == []


def test_what_is_said_of_a_threat_is_kept_for_all(desk: Desk, opener: Opener) -> None:
    said = Triage("a", TriageState.INVESTIGATING, HOSTILE, ("one", "two"), "carol")
    kept_ = desk.put_triage(said, ALICE)
    assert kept_ == replace(said, by="alice", at=NOW, version=1)
    other = opener()
    assert other.triage("a") == kept_
    assert other.triages(["b", "a"]) == {"a": kept_}
    changed = other.put_triage(replace(kept_, state=TriageState.RESOLVED, tags=()), BOB)
    assert changed.version == 2
    assert desk.triage("a") == replace(said, state=TriageState.RESOLVED, tags=(), by="bob", at=BOB.at, version=2)


def test_threats_are_found_by_their_state(desk: Desk) -> None:
    for number, state in enumerate((TriageState.RESOLVED, TriageState.FALSE_POSITIVE, TriageState.RESOLVED)):
        desk.put_triage(Triage(f"a{number}", state), replace(ALICE, at=NOW + number))
    assert [one.threat for one in desk.triaged([TriageState.RESOLVED])] == ["a2", "a0"]
    assert [one.threat for one in desk.triaged(list(TriageState))] == ["a2", "a1", "a0"]
    assert [one.threat for one in desk.triaged(list(TriageState), limit=1)] == ["a2"]


def test_whoever_saw_an_older_version_changes_nothing(desk: Desk, opener: Opener) -> None:
    first = desk.put_triage(Triage("a"), ALICE)
    desk.put_triage(replace(first, note="mine"), ALICE)
    for stale in (Triage("a", note="theirs"), replace(first, note="theirs"), replace(first, version=9)):
        with pytest.raises(StoreConflict):
            opener().put_triage(stale, BOB)
    assert desk.triage("a").note == "mine"
    assert actions(desk) == ["triage.set", "triage.set"], "what was refused is not in the log"
    with pytest.raises(StoreConflict):
        desk.put_triage(Triage("b", version=1), BOB)


def test_of_many_who_change_at_once_one_wins(opener: Opener) -> None:
    first = opener().put_triage(Triage("a"), ALICE)
    won: list[str] = []

    def change(name: str, desk: Desk) -> None:
        try:
            desk.put_triage(replace(first, note=name), replace(BOB, who=name))
        except StoreConflict:
            return
        won.append(name)

    threads = [threading.Thread(target=change, args=(str(number), opener())) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert opener().triage("a").note == won[0]
    assert [one.who for one in opener().audit(AuditQuery()).entries] == [won[0], "alice"]


def test_a_decision_is_in_force_until_it_ends(desk: Desk) -> None:
    made = desk.add_decision(a_decision(ends=NOW + HOUR), ALICE)
    assert made == a_decision(ends=NOW + HOUR, version=1)
    assert desk.decision("d1") == made
    assert desk.decision("d2") is None
    assert desk.decisions(now=NOW + HOUR - 1) == [made]
    assert desk.decisions(now=NOW + HOUR) == []
    assert desk.decisions(now=NOW + 2 * HOUR, ended_since=NOW) == [made]
    assert desk.decisions(now=NOW + 2 * HOUR, ended_since=NOW + HOUR) == []


def test_a_decision_that_is_lifted_has_ended(desk: Desk) -> None:
    desk.add_decision(a_decision(), ALICE)
    with pytest.raises(StoreConflict):
        desk.lift_decision("d1", 7, BOB)
    lifted = desk.lift_decision("d1", 1, BOB)
    assert lifted == a_decision(ends=BOB.at, lifted_by="bob", version=2)
    assert desk.decisions(now=BOB.at) == []
    assert desk.decisions(now=BOB.at, ended_since=NOW) == [lifted]
    assert desk.lift_decision("d1", 2, BOB) == lifted, "once is enough"
    assert desk.lift_decision("nothing", 1, BOB) is None


def test_decisions_come_the_oldest_first(desk: Desk) -> None:
    for number in (2, 0, 1):
        desk.add_decision(a_decision(f"d{number}"), replace(ALICE, at=NOW + number))
    assert [one.id for one in desk.decisions(now=NOW + 9)] == ["d0", "d1", "d2"]


def test_a_decision_that_changes_keeps_its_id(desk: Desk) -> None:
    made = desk.add_decision(a_decision(), ALICE)
    changed = desk.change_decision(replace(made, ends=NOW + HOUR, reason="less"), BOB)
    assert changed == a_decision(ends=NOW + HOUR, reason="less", version=2)
    assert desk.decisions(now=NOW) == [changed]


def test_what_is_there_already_is_not_added_again(desk: Desk) -> None:
    made = desk.add_decision(a_decision(), ALICE)
    assert desk.add_decision(a_decision(reason="again"), BOB) == made
    trail = desk.add_trail(a_trail(), ALICE)
    assert desk.add_trail(a_trail(info="again"), BOB) == trail
    assert actions(desk) == ["trail.add", "decision.add"]


def test_a_trail_expires_or_is_removed(desk: Desk) -> None:
    lasting = desk.add_trail(a_trail(), ALICE)
    passing = desk.add_trail(a_trail("t2", value="two.example", expires=NOW + HOUR), ALICE)
    assert desk.trails(now=NOW) == [lasting, passing]
    assert desk.trails(now=NOW + HOUR) == [lasting]
    assert desk.trails(now=NOW + 2 * HOUR, expired_since=NOW) == [lasting, passing]
    assert desk.remove_trail("t1", 1, BOB) == replace(lasting, removed_by="bob", version=2)
    assert desk.trails(now=NOW + 2 * HOUR, expired_since=NOW) == [passing]
    assert desk.trail("t1") == replace(lasting, removed_by="bob", version=2)
    assert desk.remove_trail("nothing", 1, BOB) is None


def test_a_host_is_cleared_again_and_forgotten(desk: Desk) -> None:
    first = desk.clear(Cleared("2a02::1", "reinstalled", "", 0), ALICE)
    assert first == Cleared("2a02::1", "reinstalled", "alice", NOW, 1)
    again = desk.clear(replace(first, reason="once more"), BOB)
    assert desk.all_cleared() == [again]
    assert desk.cleared("2a02::1") == again
    with pytest.raises(StoreConflict):
        desk.unclear("2a02::1", 1, BOB)
    assert desk.unclear("2a02::1", 2, BOB) == again
    assert desk.all_cleared() == []
    assert desk.unclear("2a02::1", 2, BOB) is None
    assert actions(desk) == ["cleared.forget", "cleared.set", "cleared.set"]


@pytest.mark.parametrize(
    ("noun", "changes"),
    [
        (
            Noun.DECISION,
            (
                lambda desk: desk.add_decision(a_decision(), ALICE),
                lambda desk: desk.change_decision(a_decision(reason="x", version=1), ALICE),
                lambda desk: desk.lift_decision("d1", 2, ALICE),
            ),
        ),
        (
            Noun.TRAIL,
            (lambda desk: desk.add_trail(a_trail(), ALICE), lambda desk: desk.remove_trail("t1", 1, ALICE)),
        ),
        (
            Noun.CLEARED,
            (
                lambda desk: desk.clear(Cleared("192.0.2.1", "", "", 0), ALICE),
                lambda desk: desk.unclear("192.0.2.1", 1, ALICE),
                lambda desk: desk.clear(Cleared("192.0.2.1", "", "", 0), BOB),
            ),
        ),
    ],
)
def test_a_mark_changes_with_each_change(
    desk: Desk, opener: Opener, noun: Noun, changes: Sequence[Callable[[Desk], object]]
) -> None:
    other = opener()
    marks = [other.mark(noun)]
    for change in changes:
        change(desk)
        assert other.mark(noun) == other.mark(noun)
        marks.append(other.mark(noun))
    assert all(one != next_ for one, next_ in pairwise(marks)), marks
    unmoved = Noun.TRAIL if noun is not Noun.TRAIL else Noun.DECISION
    before = other.mark(unmoved)
    desk.put_triage(Triage("a"), ALICE)
    assert other.mark(unmoved) == before


def test_there_are_only_so_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST", {Noun.DECISION: 1, Noun.TRAIL: 1, Noun.CLEARED: 1})
    desk.add_decision(a_decision(ends=NOW + HOUR), ALICE)
    desk.add_trail(a_trail(), ALICE)
    desk.clear(Cleared("192.0.2.1", "", "", 0), ALICE)
    with pytest.raises(StoreFull, match="1 of the kind 'decision'"):
        desk.add_decision(a_decision("d2"), ALICE)
    with pytest.raises(StoreFull):
        desk.add_trail(a_trail("t2"), ALICE)
    with pytest.raises(StoreFull):
        desk.clear(Cleared("192.0.2.2", "", "", 0), ALICE)
    assert desk.add_decision(a_decision("d2"), BOB).id == "d2", "the first has ended by then"


def test_the_log_says_who_changed_what_and_how(desk: Desk) -> None:
    desk.add_decision(a_decision(), ALICE)
    desk.lift_decision("d1", 1, BOB)
    last, first = desk.audit(AuditQuery()).entries
    assert (first.who, first.address, first.at, first.action) == ("alice", "192.0.2.1", NOW, "decision.add")
    assert (last.who, last.address, last.at, last.action) == ("bob", "", BOB.at, "decision.lift")
    assert first.object == last.object == "decision/d1"
    assert first.before is None
    assert last.before == first.after
    assert first.after is not None
    assert first.after["value"] == "45.155.205.233"
    assert last.after is not None
    assert last.after["lifted_by"] == "bob"


def test_the_log_is_asked_by_who_what_and_when(desk: Desk) -> None:
    for number, who in enumerate(("alice", "bob", "alice")):
        desk.record(AuditEntry(who, "", NOW + number, f"key.{who}", f"key/{number}", None, {"n": number}))
    assert [one.object for one in desk.audit(AuditQuery(who="alice")).entries] == ["key/2", "key/0"]
    assert [one.object for one in desk.audit(AuditQuery(action="key.bob")).entries] == ["key/1"]
    assert [one.object for one in desk.audit(AuditQuery(object="key/0")).entries] == ["key/0"]
    assert [one.object for one in desk.audit(AuditQuery(since=NOW + 1, until=NOW + 2)).entries] == ["key/1"]
    assert desk.audit(AuditQuery(who="' OR 1=1 --")).entries == []


def test_the_log_is_read_page_by_page(desk: Desk) -> None:
    for number in range(5):
        desk.record(AuditEntry("alice", "", NOW, "key.add", f"key/{number}"))
    seen: list[str] = []
    page = desk.audit(AuditQuery(), limit=2)
    while page.next is not None:
        seen += [one.object for one in page.entries]
        page = desk.audit(AuditQuery(), limit=2, cursor=page.next)
    seen += [one.object for one in page.entries]
    assert seen == [f"key/{number}" for number in (4, 3, 2, 1, 0)]
    with pytest.raises(StoreError):
        desk.audit(AuditQuery(), cursor="nonsense")


def test_a_request_that_comes_again_gets_its_answer(desk: Desk, opener: Opener) -> None:
    mine = desk.begin("k", "f", NOW)
    assert (mine.status, mine.is_taken) == (0, False)
    desk.finish("k", replace(mine, status=201, body="{}", headers={"etag": '"1"'}))
    again = opener().begin("k", "other", NOW + 1)
    assert again == SavedAnswer("f", mine.id, 201, "{}", {"etag": '"1"'})
    anew = desk.begin("k", "f", NOW + ANSWERS_KEPT + 1)
    assert anew.status == 0
    assert not anew.is_taken
    assert anew.id != mine.id


def test_a_request_that_is_worked_on_is_taken_for_a_while(desk: Desk, opener: Opener) -> None:
    mine = desk.begin("k", "f", NOW)
    other = opener()
    assert other.begin("k", "f", NOW + 1).is_taken
    later = other.begin("k", "f", NOW + LEASE + 1)
    assert (later.is_taken, later.id, later.status) == (False, mine.id, 0)
    assert desk.begin("k", "f", NOW + LEASE + 2).is_taken
    other.abandon("k")
    assert desk.begin("k", "f", NOW + LEASE + 3) == mine


def test_of_many_same_requests_one_is_worked_on(opener: Opener) -> None:
    leave: list[str] = []

    def begin(desk: Desk) -> None:
        found = desk.begin("k", "f", NOW)
        if not found.is_taken:
            leave.append(found.id)

    threads = [threading.Thread(target=begin, args=(opener(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(leave) == 1


def test_what_nobody_asks_for_any_more_goes(desk: Desk) -> None:
    desk.add_decision(a_decision(ends=NOW + HOUR), ALICE)
    desk.add_decision(a_decision("d2"), ALICE)
    desk.put_triage(Triage("a"), ALICE)
    desk.put_triage(Triage("b"), replace(ALICE, at=NOW + HOUR + ENDED_KEPT + HOUR))
    assert desk.decision("d1") is None
    assert desk.decision("d2") is not None
    assert desk.triage("a").version == 1
    assert len(desk.audit(AuditQuery()).entries) == 4
    desk.put_triage(Triage("c"), replace(ALICE, at=NOW + AUDIT_KEPT + HOUR))
    assert [one.object for one in desk.audit(AuditQuery()).entries] == ["triage/c", "triage/b"]


def test_a_desk_that_is_closed_says_so(desk: Desk) -> None:
    desk.put_triage(Triage("a"), ALICE)
    desk.close()
    with pytest.raises(StoreUnavailable):
        desk.triage("a")


def test_decisions_are_those_of_all_desks_at_every_time(desk: Desk, opener: Opener) -> None:
    other = opener()
    assert desk.decisions(now=NOW) == []
    first = other.add_decision(a_decision(ends=NOW + HOUR), ALICE)
    assert desk.decisions(now=NOW) == [first]
    assert desk.decisions(now=NOW + HOUR) == []
    assert desk.decisions(now=NOW + HOUR, ended_since=NOW) == [first]
    assert desk.decisions(now=NOW) == [first]
    changed = other.change_decision(replace(first, ends=NOW + 3 * HOUR), ALICE)
    assert desk.decisions(now=NOW + 2 * HOUR) == [changed]
    second = other.add_decision(a_decision("d2"), ALICE)
    other.lift_decision("d1", changed.version, BOB)
    assert desk.decisions(now=NOW + 2 * HOUR) == [second]
