"""The centre's root in a workstation's stores: trusted to vouch for servers, the right one, and read back."""

import contextlib
import importlib
import os
import subprocess
from types import SimpleNamespace

import pytest

from inventory.vault import certificates
from tests.support.modules import endpoint_module

trust = endpoint_module("trust")
account_module = importlib.import_module(trust.Account.__module__)
ROOT, OTHER = certificates.root("unit").certificate, certificates.root("other").certificate
NAME = "ASP unit root CA"


class Store:
    """A browser's store with one entry or none."""

    def __init__(self, folder, flags="", pem="", exists=True):
        self.folder, self.flags, self.pem, self.exists = folder, flags, pem, exists

    def create(self):
        self.exists = True

    def entries(self):
        return {NAME: self.flags} if self.flags else {}

    def holds(self, nickname):
        return trust.fingerprints(self.pem)

    def trust(self, nickname, pem):
        self.flags, self.pem = "CT,C,", pem


def browsers(monkeypatch, *stores, check=False, firefox=False):
    monkeypatch.setattr(trust, "Account", lambda name: None)
    monkeypatch.setattr(trust, "stores", lambda *_: list(stores))
    monkeypatch.setattr(trust.shutil, "which", lambda name: "/usr/bin/firefox-esr" if firefox else None)
    params = {"account": "clerk", "chromium": "c", "firefox": "f", "nickname": NAME, "root": ROOT}
    return trust.browsers(params, check)


@pytest.mark.parametrize(
    ("store", "steps"),
    [
        (("CT,C,", ROOT), []),
        (("Cc,C,", ROOT), []),
        (("", ""), [f"{NAME} in c"]),
        ((",C,", ROOT), [f"{NAME} in c"]),  # trusted for mail and not for servers
        (("c,,", ROOT), [f"{NAME} in c"]),
        (("CT,C,", OTHER), [f"{NAME} in c"]),
        (("CT,C,", ROOT + OTHER), [f"{NAME} in c"]),
    ],
)
def test_a_store_holds_the_root_alone_and_trusts_it_for_servers(monkeypatch, store, steps):
    chromium = Store("c", *store)
    assert browsers(monkeypatch, chromium, Store("f", "CT,C,", ROOT)) == steps
    assert browsers(monkeypatch, chromium, Store("f", "CT,C,", ROOT)) == []


def test_a_look_changes_nothing(monkeypatch):
    store = Store("c", exists=False)
    assert browsers(monkeypatch, store, Store("f", "", ""), check=True) == ["c made", f"{NAME} in f"]
    assert not store.exists


def test_a_browser_that_makes_no_profile_is_a_fault(monkeypatch):
    monkeypatch.setattr(trust, "first_start", lambda account: None)
    with pytest.raises(trust.EndpointFault, match="Firefox made no profile"):
        browsers(monkeypatch, Store("c"), firefox=True)


@pytest.fixture
def system(monkeypatch, tmp_path):
    """The operating system's store; `works`: whether its command takes the file in."""
    bundle, file = tmp_path / "bundle.crt", tmp_path / "local" / "asp.crt"
    bundle.write_text(OTHER, encoding="utf-8")
    params = {"root": ROOT, "file": str(file), "bundle": str(bundle)}
    place = SimpleNamespace(works=True, runs=0, file=file, bundle=bundle)

    def run(argv, **_):
        place.runs += 1
        if place.works:
            bundle.write_text(OTHER + file.read_text(encoding="utf-8"), encoding="utf-8")
        return subprocess.CompletedProcess(argv, 0, "", "nothing to do")

    monkeypatch.setattr(trust.subprocess, "run", run)
    place.settle = lambda check=False: len(trust.system(params, check))
    return place


def test_the_systems_store_is_made_again_until_the_root_is_in_it(system):
    assert system.settle() == 2 and system.runs == 1
    assert system.settle() == 0 and system.runs == 1
    system.bundle.write_text(OTHER, encoding="utf-8")
    assert system.settle() == 1 and system.runs == 2
    system.file.write_text(OTHER, encoding="utf-8")
    assert system.settle() == 2 and system.file.stat().st_mode & 0o777 == 0o644


def test_a_command_that_took_nothing_in_is_a_fault(system):
    system.works = False
    with pytest.raises(trust.EndpointFault, match="the root is not in it"):
        system.settle()


def test_a_look_at_the_systems_store_changes_nothing(system):
    assert system.settle(check=True) == 2
    assert system.runs == 0 and not system.file.exists()


class Account(account_module.Account):
    """An account of whoever runs the tests. `entries`: nickname → flags in its store; `fails`: a command that ends."""

    def __init__(self, home):
        self.home, self.entries, self.calls, self.fails = home, {}, [], None

    @contextlib.contextmanager
    def acting(self):
        yield

    def run(self, argv, stdin=None, limit=30, accept=(0,)):
        self.calls.append(argv)
        if argv[0] == self.fails:
            raise account_module.EndpointFault(f"{argv[0]}: exited with 1")
        if argv[:2] == ["certutil", "-L"]:
            return 0, "".join(f"{name}   {flags}\n" for name, flags in self.entries.items()), ""
        if argv[1] in ("-F", "-D"):
            self.entries.pop(argv[-1])
        return 0, "", ""


@pytest.mark.parametrize(("flags", "verb"), [("u,u,u", "-F"), ("CT,C,", "-D")])
def test_a_certificate_goes_with_its_key_and_an_authority_without(tmp_path, flags, verb):
    account = Account(str(tmp_path))
    account.entries = {NAME: flags, "Bank": "u,u,u"}
    account_module.Store(account, "nss").forget(NAME)
    assert [argv[1] for argv in account.calls if argv[1] != "-L"] == [verb] and list(account.entries) == ["Bank"]


def test_what_cannot_be_removed_is_a_fault(tmp_path):
    account = Account(str(tmp_path))
    account.entries = {NAME: "u,u,u"}
    account.run = lambda argv, *_, **__: (0, f"{NAME}   u,u,u\n", "")
    with pytest.raises(account_module.EndpointFault, match="cannot be removed"):
        account_module.Store(account, "nss").forget(NAME)


@pytest.mark.parametrize("fails", [None, "openssl", "pk12util"])
def test_a_key_on_its_way_into_a_store_leaves_nothing_behind(tmp_path, fails):
    account = Account(str(tmp_path))
    account.fails = fails
    with contextlib.suppress(account_module.EndpointFault):
        account_module.Store(account, "nss").take_in(NAME, str(tmp_path / "c.crt"), str(tmp_path / "c.key"))
    assert os.listdir(tmp_path) == [] and len(account.calls) == (1 if fails == "openssl" else 2)


def test_the_stores_are_chromiums_and_those_of_profiles_that_have_one(tmp_path):
    for profile, file in (("a.default", "cert9.db"), ("b.old", "prefs.js")):
        (tmp_path / profile).mkdir()
        (tmp_path / profile / file).touch()
    result = account_module.stores(Account(str(tmp_path)), "c", str(tmp_path))
    assert [store.folder for store in result] == ["c", str(tmp_path / "a.default")]
