"""axe's rules on the page that a browser shows."""

from __future__ import annotations

import importlib.resources

from selenium import webdriver

AXE = (importlib.resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(
  found => done(found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).slice(0, 3).join(' | '))),
  fault => done(['axe failed: ' + fault]));
"""


def faults(driver: webdriver.Remote) -> list[str]:
    """What breaks WCAG 2.1 AA or axe's best practices on this page, each with its address."""
    driver.execute_script(AXE)
    return [f"{driver.current_url}: {fault}" for fault in driver.execute_async_script(RUN)]
