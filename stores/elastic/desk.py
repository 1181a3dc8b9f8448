"""Rows of a desk in Elasticsearch: one document each, in the index of threats, for all consoles and sensors."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from stores.clean import clean_json
from stores.desk import Desk
from stores.desk.contract import AuditEntry, AuditQuery, Noun, SavedAnswer
from stores.desk.kept import KeptDesk
from stores.desk.rows import ANSWERS_KEPT, AUDIT_KEPT, ENDED_KEPT, LEASE, Row
from stores.elastic.asking import Asker, asking
from stores.elastic.names import Names
from trailhound.errors import StoreConflict, StoreDamaged, StoreUnavailable

_AT_ONCE = 1000
_FOREVER = 2**63 - 1
_AUDIT = "audit"
_ANSWER = "answer"
# An entry for a change that was refused after all.
_VOID = "void"
_Body = dict[str, Any]


def open_elastic_desk(client: Elasticsearch, names: Names) -> Desk:
    """Open the desk of a namespace; `trailhound es setup` has made its index. It closes the client."""
    return KeptDesk(ElasticRows(client, names))


class ElasticRows:
    """`stores.desk.rows.Rows` in one index. What is written can be found when the call returns."""

    def __init__(self, client: Elasticsearch, names: Names) -> None:
        self._client = client
        self._index = names.threats
        self._asker = Asker(client, self._index)
        self._is_there = False

    def get(self, noun: Noun, ids: Collection[str]) -> Sequence[Row]:
        found: list[Row] = []
        asked = list(dict.fromkeys(ids))
        for begin in range(0, len(asked), _AT_ONCE):
            names = [_name(noun, id_) for id_ in asked[begin : begin + _AT_ONCE]]
            with asking("the desk cannot be read"):
                try:
                    documents = self._client.mget(index=self._index, ids=names).body["docs"]
                except NotFoundError:
                    continue
            found += [_row(one["_source"]) for one in documents if one.get("found")]
        return found

    def find(
        self, noun: Noun, *, limit: int, labels: Collection[str] = (), ends_after: int | None = None
    ) -> Sequence[Row]:
        conditions: list[_Body] = [{"term": {"noun": noun.value}}]
        if labels:
            conditions.append({"terms": {"label": [str(label) for label in labels]}})
        if ends_after is not None:
            conditions.append({"range": {"ends": {"gt": ends_after}}})
        sort = [{"changed": "desc"}, {"name": "asc"}]
        return [_row(hit["_source"]) for hit in self._hits({"bool": {"filter": conditions}}, sort, limit)]

    def count(self, noun: Noun, ends_after: int) -> int:
        conditions = [{"term": {"noun": noun.value}}, {"range": {"ends": {"gt": ends_after}}}]
        return self._asker.count({"bool": {"filter": conditions}})

    def put(self, row: Row, entry: AuditEntry) -> None:
        document = {
            "name": row.id,
            "version": row.version,
            "label": row.label,
            "changed": row.changed,
            "ends": _FOREVER if row.ends is None else row.ends,
            **_facts(row),
        }
        name = _name(row.noun, row.id)
        if row.version == 1:
            action: _Body = {"create": {"_id": name}}
        else:
            action = {"index": {"_id": name, **self._seen(row)}}
        self._change(row, [action, {"noun": row.noun.value, **document}], entry)

    def drop(self, row: Row, entry: AuditEntry) -> None:
        self._change(row, [{"delete": {"_id": _name(row.noun, row.id), **self._seen(row)}}], entry)

    def mark(self, noun: Noun) -> str:
        sums = {"versions": {"sum": {"field": "version"}}, "latest": {"max": {"field": "changed"}}}
        query = {"bool": {"filter": [{"term": {"noun": noun.value}}]}}
        found = self._asker.search(query, aggregations=sums, track_total_hits=True)
        if "aggregations" not in found:
            return ""
        total, sums = found["hits"]["total"]["value"], found["aggregations"]
        return f"{total} {sums['versions']['value']} {sums['latest']['value']}"

    def record(self, entry: AuditEntry) -> None:
        self._bulk([{"create": {"_id": _name(_AUDIT, entry.id)}}, _document(entry)])

    def audit(self, query: AuditQuery, *, limit: int, before: str | None) -> Sequence[AuditEntry]:
        terms = {"noun": _AUDIT, "who": query.who, "action": query.action, "object": query.object}
        conditions: list[_Body] = [{"term": {name: value}} for name, value in terms.items() if value is not None]
        span = {name: at for name, at in (("gte", query.since), ("lt", query.until)) if at is not None}
        if span:
            conditions.append({"range": {"changed": span}})
        if before is not None:
            conditions.append({"range": {"name": {"lt": before}}})
        hits = self._hits({"bool": {"filter": conditions}}, [{"name": "desc"}], limit)
        return [_entry(hit["_source"]) for hit in hits]

    def begin(self, key: str, fingerprint: str, now: int) -> SavedAnswer:
        mine = SavedAnswer(fingerprint, secrets.token_hex(8))
        if self._wrote({"op_type": "create"}, key, mine, made=now, leased=now + LEASE):
            return mine
        with asking("the desk cannot be read"):
            try:
                there = self._client.get(index=self._index, id=_name(_ANSWER, key)).body
            except NotFoundError:
                return SavedAnswer(fingerprint, mine.id, is_taken=True)
        source = there["_source"]
        known = SavedAnswer(**source["body"])
        seen = {"if_seq_no": there["_seq_no"], "if_primary_term": there["_primary_term"]}
        if source["changed"] < now - ANSWERS_KEPT:
            taken = not self._wrote(seen, key, mine, made=now, leased=now + LEASE)
            return SavedAnswer(fingerprint, mine.id, is_taken=taken)
        if known.status or known.fingerprint != fingerprint:
            return known
        is_mine = source["ends"] < now and self._wrote(seen, key, known, made=source["changed"], leased=now + LEASE)
        return SavedAnswer(fingerprint, known.id, is_taken=not is_mine)

    def finish(self, key: str, answer: SavedAnswer) -> None:
        body = _body_of(answer)
        with asking("the desk cannot be written"):
            self._client.update(index=self._index, id=_name(_ANSWER, key), doc={"body": body}, refresh=True)

    def abandon(self, key: str) -> None:
        with asking("the desk cannot be written"):
            self._client.update(index=self._index, id=_name(_ANSWER, key), doc={"ends": 0}, refresh=True)

    def sweep(self, now: int) -> None:
        ended = {
            "bool": {
                "must_not": [{"terms": {"noun": [_AUDIT, _ANSWER]}}],
                "filter": [_before("ends", now - ENDED_KEPT)],
            }
        }
        answered = {"bool": {"filter": [{"term": {"noun": _ANSWER}}, _before("changed", now - ANSWERS_KEPT)]}}
        logged = {"bool": {"filter": [{"term": {"noun": _AUDIT}}, _before("changed", now - AUDIT_KEPT)]}}
        for query in (ended, answered, logged):
            hits = self._hits(query, [{"changed": "asc"}, {"name": "asc"}], _AT_ONCE)
            if hits:
                with asking("the desk cannot be swept"):
                    operations = [{"delete": {"_id": hit["_id"]}} for hit in hits]
                    self._client.bulk(index=self._index, operations=operations, refresh=True)

    def close(self) -> None:
        self._client.close()

    def _hits(self, query: _Body, sort: Sequence[Mapping[str, str]], limit: int) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        with self._asker.pinned() as asker:
            after: _Body = {}
            while len(found) < limit:
                hits = asker.hits(query, size=min(_AT_ONCE, limit - len(found)), sort=sort, **after)
                found += hits
                if len(hits) < _AT_ONCE:
                    break
                after = {"search_after": hits[-1]["sort"]}
        return found

    def _seen(self, row: Row) -> Mapping[str, int]:
        """Give what makes the server refuse unless the document is still the version before. Raises `StoreConflict`."""
        with asking("the desk cannot be read"):
            try:
                there = self._client.get(index=self._index, id=_name(row.noun, row.id)).body
            except NotFoundError:
                raise _conflict(row) from None
        if there["_source"].get("version") != row.version - 1:
            raise _conflict(row)
        return {"if_seq_no": there["_seq_no"], "if_primary_term": there["_primary_term"]}

    def _change(self, row: Row, operations: list[_Body], entry: AuditEntry) -> None:
        """Change a document and note it in one request; a note of what was refused is made void."""
        noted = {"create": {"_id": _name(_AUDIT, entry.id)}}
        first = self._bulk([*operations, noted, _document(entry)])
        if first.get("status") == 409:
            void = {"doc": {"noun": _VOID}}
            self._bulk([{"update": {"_id": _name(_AUDIT, entry.id)}}, void])
            raise _conflict(row)

    def _bulk(self, operations: list[_Body]) -> Mapping[str, Any]:
        """Do all, and give how the first went. Raises `StoreUnavailable` for whatever is no conflict."""
        self._expect_index()
        with asking("the desk cannot be written"):
            items = self._client.bulk(index=self._index, operations=operations, refresh=True).body["items"]
        told = [next(iter(item.values())) for item in items]
        for one in told:
            if "error" in one and one["status"] != 409:
                raise StoreUnavailable(f"{self._index}: the desk cannot be written: {one['error'].get('reason')}")
        return dict(told[0])

    def _wrote(self, how: Mapping[str, Any], key: str, answer: SavedAnswer, *, made: int, leased: int) -> bool:
        self._expect_index()
        document = {"noun": _ANSWER, "name": key, "changed": made, "ends": leased, "body": _body_of(answer)}
        with asking("the desk cannot be written"):
            try:
                self._client.index(index=self._index, id=_name(_ANSWER, key), document=document, refresh=True, **how)
            except ConflictError:
                return False
        return True

    def _expect_index(self) -> None:
        """Never have an index made by the first document: it would not have our mapping."""
        if self._is_there:
            return
        with asking("the index of the desk cannot be looked at"):
            self._is_there = bool(self._client.indices.exists(index=self._index))
        if not self._is_there:
            raise StoreUnavailable(f"{self._index} is not there: run `trailhound es setup`")


def _name(noun: str, id_: str) -> str:
    return f"{noun}:{id_}"


def _before(field: str, time: int) -> _Body:
    return {"range": {field: {"lt": time}}}


def _conflict(row: Row) -> StoreConflict:
    return StoreConflict(f"{row.noun.value} {row.id}: somebody else has changed it; look at it again")


def _facts(row: Row) -> _Body:
    """Give the body and, of triage, the fields that dashboards show."""
    body = clean_json(dict(row.body))
    if row.noun is not Noun.TRIAGE:
        return {"body": body}
    shown = dict(_shown(body))
    return {"body": body, **shown, "threat_id": row.id, "updated": row.changed, "updated_by": body.get("by", "")}


def _shown(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("state", "assignee", "tags", "note"):
        if name in body:
            yield name, body[name]


def _row(source: Mapping[str, Any]) -> Row:
    try:
        ends = source["ends"]
        return Row(
            Noun(source["noun"]),
            source["name"],
            source["version"],
            source["label"],
            source["changed"],
            None if ends == _FOREVER else ends,
            source["body"],
        )
    except (KeyError, ValueError) as error:
        raise StoreDamaged(f"desk: a document cannot be read: {error!r}") from error


def _document(entry: AuditEntry) -> _Body:
    return {
        "noun": _AUDIT,
        "name": entry.id,
        "changed": entry.at,
        "who": entry.who,
        "action": entry.action,
        "object": entry.object,
        "body": clean_json({"address": entry.address, "before": entry.before, "after": entry.after}),
    }


def _entry(source: Mapping[str, Any]) -> AuditEntry:
    body = source["body"]
    return AuditEntry(
        source["who"],
        body["address"],
        source["changed"],
        source["action"],
        source["object"],
        body["before"],
        body["after"],
        source["name"],
    )


def _body_of(answer: SavedAnswer) -> _Body:
    return {
        "fingerprint": answer.fingerprint,
        "id": answer.id,
        "status": answer.status,
        "body": answer.body,
        "headers": dict(answer.headers),
    }
