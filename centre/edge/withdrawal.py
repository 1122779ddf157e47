"""What an operator does to take certificates away (`asp revoke`): whose, why, written down, refused at the edge.

The ledger comes first: a run that dies afterwards is completed by the next one, or by `reapply`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from centre.edge import issuance, revocation, revocation_ledger
from centre.edge.issuance import Issuance
from centre.edge.revocation_ledger import Kind, Reason, Scope
from centre.faults import UsageFault
from centre.identity import sign_in
from centre.ledger import Entry
from centre.reach.keycloak import Keycloak
from centre.reach.runtime import Runtime
from inventory.register import Register
from inventory.vault.vault import Secrets

NOTE_LENGTH = 200  # characters: a case number and a few words


@dataclass(frozen=True)
class Outcome:
    """What happened, or would. `lines`: for people."""

    changed: bool
    lines: list[str]


@dataclass(frozen=True)
class Withdrawals:
    """Revoking in one environment."""

    register: Register
    secrets: Secrets

    def scope(self, kind: str, name: str) -> Scope:
        """A scope whose name is known here. UsageFault naming the known ones otherwise."""
        if kind == Kind.CERTIFICATE:
            try:
                return Scope(Kind.CERTIFICATE, str(revocation.serial_number(name)))
            except ValueError as error:
                raise UsageFault(f"serial {name!r}: wanted decimal, or hex as 0x0a1b or 0a:1b") from error
        if kind == Kind.OFFICE:
            municipality = self.register.municipality(name)
            return Scope(Kind.OFFICE, self.register.office_of(municipality).seat)
        names = self._names(Kind(kind))
        if name not in names:
            choices = ", ".join(sorted(names)[:20]) or "none"
            raise UsageFault(f"{kind} {name!r}: neither in the register nor in its records. Known: {choices}")
        return Scope(Kind(kind), name)

    def _names(self, kind: Kind) -> set[str]:
        """Names of today's register and of what was issued or revoked before: who left may be in the latter only."""
        before = {entry["name"] for entry in self._entries() if entry["kind"] == kind}
        if kind is Kind.CLERK:
            today = {clerk.username for office in self.register.offices.values() for clerk in office.clerks}
            return before | today | {one.clerk for one in issuance.valid(self.register)}
        today = {station.name for _, station in self.register.workstations()}
        return before | today | {one.seat for one in issuance.valid(self.register) if one.seat}

    def certificates(self, scope: Scope) -> list[Issuance]:
        """What is to be revoked: everything of the scope that can still be valid."""
        valid = list(issuance.valid(self.register))
        if scope.kind is Kind.CERTIFICATE:
            return [one for one in valid if one.serial == scope.name] or [self._unrecorded(scope.name)]
        if scope.kind is Kind.CLERK:
            return [one for one in valid if one.clerk == scope.name]
        if scope.kind is Kind.SEAT:
            return [one for one in valid if one.seat == scope.name]
        members = {member.ksh for member in self.register.members(self.register.offices[scope.name])}
        return [one for one in valid if one.municipality in members]

    def _unrecorded(self, serial: str) -> Issuance:
        """A certificate from before serial numbers were written down, or another's: valid as long as any can be."""
        now = dt.datetime.now(dt.UTC)
        until = now + dt.timedelta(days=self.register.environment.pki.client_certificate_days)
        return Issuance(serial, "not recorded", "not recorded", "", "not recorded", until.isoformat(timespec="seconds"))

    def look(self, scope: Scope) -> list[str]:
        """What a revocation would do, a line for each certificate."""
        before = self._serials(self._entries())
        lines = [
            f"{'revoked already' if one.serial in before else 'to be revoked'}: {one}"
            for one in self.certificates(scope)
        ]
        return lines or [f"{scope}: no certificate on record that can still be valid"]

    def revoke(self, scope: Scope, reason: Reason, note: str, runtime: Runtime) -> Outcome:
        """Write it down, revoke, close the sign-in, and see the edge refuse."""
        self._check_note(scope, note)
        entries, certificates = self._entries(), self.certificates(scope)
        new = [one for one in certificates if one.serial not in self._serials(entries)]
        standing = revocation_ledger.bar(entries, scope)
        barring = reason.bars and scope.kind is not Kind.CERTIFICATE
        changed = bool(new) or (barring and (standing is None or standing["reason"] != reason))
        if changed:
            until = max([one.until for one in new], default=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
            serials = [one.serial for one in new]
            revocation_ledger.write_revocation(self.register, self.secrets, scope, reason, note, serials, until)
        codes = {int(one.serial): reason.code for one in certificates}
        self._at_authority(runtime, codes)
        seconds = revocation.await_refusal(self.register, runtime, codes)
        lines = [
            f"{scope}: {len(new)} certificates revoked, {len(certificates) - len(new)} were revoked already; "
            f"the edge refuses all {len(certificates)} (after {seconds:.1f} s)"
        ]
        if scope.kind is Kind.CLERK and reason.bars:
            with Keycloak(runtime, self.secrets) as api:
                closed = sign_in.close(api, scope.name, disable=reason.closes_sign_in)
            lines += closed
            changed = changed or bool(closed)
        return Outcome(changed, [*lines, self._after(scope, reason)])

    def _at_authority(self, runtime: Runtime, codes: dict[int, int]) -> int:
        """Bring step-ca's list to what it should have; how many it lacked."""
        missing = set(codes) - revocation.serials_at_authority(self.register, runtime) if codes else set()
        if missing:
            revocation.revoke_all(self.register, self.secrets, runtime, {number: codes[number] for number in missing})
        return len(missing)

    def _after(self, scope: Scope, reason: Reason) -> str:
        """How a new certificate is obtained."""
        if scope.kind is Kind.CERTIFICATE or not reason.bars:
            return "A new certificate: asp endpoints (the workstation enrols again, with a new one-time token)"
        leaves = scope.kind is Kind.CLERK and reason.closes_sign_in
        return (
            f"No new certificate is issued for {scope} until this is lifted: asp revoke {scope.option} --lift; "
            f"then asp endpoints enrols again.{' Remove the clerk from the register too.' if leaves else ''}"
        )

    def lift(self, scope: Scope, note: str, runtime: Runtime) -> Outcome:
        """Allow new certificates again, and a clerk's sign-in. What was revoked stays revoked."""
        self._check_note(scope, note)
        if revocation_ledger.bar(self._entries(), scope) is None:
            return Outcome(False, [f"{scope}: nothing keeps it from a new certificate"])
        if scope.kind is Kind.CLERK:
            with Keycloak(runtime, self.secrets) as api:
                lines = sign_in.reopen(api, scope.name)
        else:
            lines = []
        revocation_ledger.write_lift(self.register, self.secrets, scope, note)
        return Outcome(True, [*lines, f"{scope}: new certificates are issued again: asp endpoints"])

    def reapply(self, runtime: Runtime) -> Outcome:
        """Bring step-ca's list to what the ledger says, as after the loss of its volume, and see the edge refuse."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        codes = {
            int(serial): Reason(entry["reason"]).code
            for entry in self._entries()
            if entry["act"] == "revoke" and entry["until"] > now
            for serial in entry["serials"]
        }
        if missing := self._at_authority(runtime, codes):
            revocation.await_refusal(self.register, runtime, codes)
        return Outcome(bool(missing), [f"{missing} of {len(codes)} revocations were missing at step-ca"])

    def history(self) -> list[str]:
        """The ledger, a line for each entry, oldest first."""
        return [_line(entry) for entry in self._entries()] or ["nothing was revoked yet"]

    def _entries(self) -> list[Entry]:
        return revocation_ledger.read(self.register, self.secrets)

    @staticmethod
    def _serials(entries: Iterable[Entry]) -> set[str]:
        return {serial for entry in entries for serial in entry.get("serials", ())}

    def _check_note(self, scope: Scope, note: str) -> None:
        """A note stays for good, so it names nobody."""
        people = [clerk for office in self.register.offices.values() for clerk in office.clerks]
        names = [word for clerk in people for word in (clerk.full_name, clerk.username) if word.lower() in note.lower()]
        if names or (scope.kind is Kind.CLERK and scope.name in note.lower()):
            raise UsageFault("note: seen the name of a clerk; wanted a case number or words without personal data")
        if len(note) > NOTE_LENGTH or not note.isprintable():
            raise UsageFault(f"note: seen {len(note)} characters; wanted one line of at most {NOTE_LENGTH}")


def _line(entry: Entry) -> str:
    act = f"revoked, {entry['reason']}, {len(entry['serials'])} certificates" if entry["act"] == "revoke" else "lifted"
    note = f": {entry['note']}" if entry["note"] else ""
    serials = f" [{', '.join(entry['serials'])}]" if entry.get("serials") else ""
    return f"{entry['at']} {entry['operator']}: {entry['kind']} {entry['name']} {act}{note}{serials}"
