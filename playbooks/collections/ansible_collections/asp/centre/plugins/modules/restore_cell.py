#!/usr/bin/python
"""Documentation of the action asp.centre.restore_cell: a cell's database cluster as it was at a moment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_cell
short_description: A cell's database cluster as it was at a moment
description:
  - Stops the nodes, restores the cluster beside what the first one's volume holds, gives it the cluster's name once it
    has opened, starts the nodes and proves that they archive. The former cluster stays on each volume until C(forget).
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  cell: {type: str, required: true, description: Id of the cell.}
  step: {type: str, choices: [restore, forget], required: true, description: What is done.}
  target_time: {type: str, description: "Moment, Budapest time or with an offset; without it the end of the archive."}
  repository: {type: int, choices: [1, 2], default: 1, description: Repository that is read; 2 is the encrypted one.}
  kept: {type: str, description: The former cluster's folder for C(forget).}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Restore a cell as far as its archive reaches
  asp.centre.restore_cell:
    asp_environment: dev
    cell: baz1
    step: restore
"""

RETURN = r"""
kept: {type: str, returned: after restore, description: "Folder of the former cluster on the volume, if there was one."}
down_seconds: {type: float, returned: after restore, description: Until every node served again.}
"""
