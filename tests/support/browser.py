"""A workstation's own Chromium, driven from here: its policies, its certificates, its network, the clerk's account.

chromedriver runs on the workstation, on loopback only, and is reached through SSH.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.wait import WebDriverWait

from inventory import paths
from inventory.register import Register
from inventory.vault import vault
from inventory.workstations import CLERK_ACCOUNT
from tests.support import second_factor
from tests.support.polling import PATIENCE
from tests.support.workstation import Workstation, WorkstationFault

PAGE_SECONDS = 60
WINDOW = (1280, 900)
WAIT = 30 * PATIENCE  # seconds for a part of a page; the first page of a system signs in


class Chromium(webdriver.Remote):
    """A clerk's browser, who answers when an opened page asks for the second factor."""

    def __init__(self, register: Register, username: str, config: ClientConfig, options: webdriver.ChromeOptions):
        super().__init__(command_executor=config.remote_server_addr, options=options, client_config=config)
        self._register, self._username = register, username

    def get(self, url: str) -> None:
        """Open a page, and sign in if it asks."""
        super().get(url)
        for _ in range(2):  # a session that ended meanwhile is asked for once more
            fields = self.find_elements(By.CSS_SELECTOR, "#password-new, #password-confirm, #password")
            if not fields or not second_factor.asks(self._register, self.current_url):
                return
            word = second_factor.password(vault.load(self._register), self._username)
            for field in fields:
                field.send_keys(word)
            go(self, "form [type=submit]")
        raise WorkstationFault(second_factor.refusal(self._username))


@contextlib.contextmanager
def browser(register: Register, name: str, arguments: Sequence[str] = ()) -> Iterator[webdriver.Remote]:
    """Headless Chromium on the workstation `name`, as its clerk (`arguments`: more for Chromium). It leaves nothing."""
    with Workstation(register, name) as station, _chromedriver(station) as port, station.forwarded(port) as local_port:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        options.add_argument("--headless=new")
        for argument in (f"--window-size={WINDOW[0]},{WINDOW[1]}", *arguments):
            options.add_argument(argument)
        direct = Proxy({"proxyType": ProxyType.DIRECT})
        config = ClientConfig(f"http://127.0.0.1:{local_port}", timeout=PAGE_SECONDS + 30, proxy=direct)
        driver = Chromium(register, station.seat.clerk.username, config, options)
        try:
            driver.set_page_load_timeout(PAGE_SECONDS)
            yield driver
        finally:
            driver.quit()


def find(driver: webdriver.Remote, selector: str) -> WebElement:
    """The visible element of a CSS selector, as soon as it is there."""
    return _wait(driver).until(seen.visibility_of_element_located((By.CSS_SELECTOR, selector)))


def go(driver: webdriver.Remote, selector: str, by: str = By.CSS_SELECTOR) -> None:
    """Click what leads to another page, and wait until this page is gone: the next step must not act on it."""
    page = driver.find_element(By.TAG_NAME, "html")
    element = _wait(driver).until(seen.element_to_be_clickable((by, selector)))
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()
    _wait(driver).until(seen.staleness_of(page))


def _wait(driver: webdriver.Remote) -> WebDriverWait:
    """Looks again whatever a look says: while a page makes way for the next, Chromium has faults of its own."""
    return WebDriverWait(driver, WAIT, ignored_exceptions=[WebDriverException])


def screenshot(driver: webdriver.Remote, register: Register, name: str) -> Path:
    """Keep what the clerk sees as `<name>.png` among the environment's test artefacts; its path."""
    folder = paths.environment_dir(register.environment.id) / "artefacts"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.png"
    if not driver.save_screenshot(str(file)):
        raise WorkstationFault(f"{file}: the browser gave no picture")
    return file


@contextlib.contextmanager
def _chromedriver(station: Workstation, limit: float = 60) -> Iterator[int]:
    """chromedriver on the workstation in a session of its own; its port there."""
    # sudo is the session's only ancestor that we started; setsid -w keeps it until chromedriver ends.
    script = 'echo "session $$"; exec chromedriver --port=0 --allowed-ips=127.0.0.1'
    command = f"sudo -n -H -u {CLERK_ACCOUNT} setsid -w sh -c '{script}' 2>&1"
    _, out, _ = station.client.exec_command(command, timeout=limit)
    output, session = "", None
    try:
        while not (ready := re.search(r"started successfully on port (\d+)", output)):
            line = out.readline()
            if not line:
                raise WorkstationFault(f"{station.seat.station.name}: chromedriver did not start: {output}")
            output += line
            if match := re.match(r"session (\d+)", line):
                session = match.group(1)
        yield int(ready.group(1))
    finally:
        if session:
            _end(station, session)


def _end(station: Workstation, session: str, limit: float = 20) -> None:
    """End every process of a session, by id: asked first, then made to."""
    for signal in ("TERM", "KILL"):
        deadline = time.monotonic() + limit / 2
        while pids := station.run("ps", "-o", "pid=", "-s", session, check=False).split():
            if time.monotonic() > deadline:
                break
            station.run("kill", f"-{signal}", *pids, check=False)
        else:
            return
    raise WorkstationFault(f"{station.seat.station.name}: processes {', '.join(pids)} do not end")
