"""Verbs, flags and resource options, each seen on the daemon and in the state."""

from __future__ import annotations

import json
import stat

from tests.engine import image
from tests.engine.harness import Sandbox, client, volume


def test_stack_verbs(sandbox):
    sandbox.write(volume("a") + "pulumi.export('name', a.name)\npulumi.export('pin', pulumi.Output.secret('1234'))\n")
    sandbox.up()
    assert json.loads(sandbox.run("stack", "ls", "--json"))[0]["resourceCount"] == 3
    sandbox.run("stack", "select", "--create", "other")
    assert "other*" in sandbox.run("stack", "ls")
    assert "no stack named 'none'" in sandbox.run("stack", "select", "none", status=6)
    assert "already exists" in sandbox.run("stack", "init", "dev", status=1)
    sandbox.run("stack", "select", "dev")
    assert sandbox.run("stack", "output", "name").strip() == f"{sandbox.prefix}-a"
    assert sandbox.run("stack", "output", "pin").strip() == "[secret]"
    assert sandbox.run("stack", "output", "pin", "--show-secrets").strip() == "1234"
    assert json.loads(sandbox.run("stack", "output", "--json")) == {"name": f"{sandbox.prefix}-a", "pin": "[secret]"}
    assert "pin=1234" in sandbox.run("stack", "output", "--shell", "--show-secrets")
    assert "it has: name, pin" in sandbox.run("stack", "output", "none", status=1)
    assert "still has resources (1" in sandbox.run("stack", "rm", "dev", "--yes", status=1)
    sandbox.run("destroy", "--yes")
    sandbox.run("stack", "rm", "dev", "--yes")
    assert not sandbox.checkpoint.exists() and not (sandbox.project / "Pulumi.dev.yaml").exists()


def test_rename_keeps_the_resources(sandbox):
    sandbox.write(volume("a"))
    sandbox.up()
    sandbox.run("stack", "rename", "prod", "-s", "dev")
    assert json.loads(sandbox.run("stack", "ls", "--json"))[0]["name"] == "prod"
    assert "2 unchanged" in sandbox.run("preview", "-s", "prod", "--expect-no-changes")
    assert "urn:pulumi:prod::sandbox::" in sandbox.run("stack", "export", "-s", "prod")
    sandbox.run("destroy", "-s", "prod", "--yes")
    assert sandbox.volumes() == []


def test_export_and_import_hand_a_stack_over(sandbox, tmp_path):
    sandbox.write(volume("a", "labels=[{'label': 'k', 'value': pulumi.Output.secret('v')}]"))
    sandbox.up()
    file = tmp_path / "stack.json"
    sandbox.run("stack", "export", "-s", "dev", "--file", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    twin = Sandbox(tmp_path / "twin")
    twin.environment["PREFIX"] = sandbox.prefix
    (twin.project / "__main__.py").write_bytes((sandbox.project / "__main__.py").read_bytes())
    (twin.project / "Pulumi.dev.yaml").write_bytes((sandbox.project / "Pulumi.dev.yaml").read_bytes())
    twin.run("stack", "init", "dev")
    twin.run("stack", "import", "-s", "dev", "--file", str(file))
    twin.run("preview", "-s", "dev", "--expect-no-changes")
    twin.run("destroy", "-s", "dev", "--yes")
    assert sandbox.volumes() == []
    assert "not JSON" in twin.run("stack", "import", "-s", "dev", "--file", "/dev/null", status=1)
    file.write_text(file.read_text(encoding="utf-8").replace("sandbox", "another"), encoding="utf-8")
    assert "is not of stack dev" in twin.run("stack", "import", "-s", "dev", "--file", str(file), status=1)


def test_a_plain_export_shows_secrets_only_when_asked(sandbox):
    sandbox.write("pulumi.export('pin', pulumi.Output.secret('hunter2'))\n")
    output = sandbox.up()
    files = b"".join(path.read_bytes() for path in sandbox.state.rglob("*") if path.is_file())
    assert "hunter2" not in output and b"hunter2" not in files
    assert "hunter2" not in sandbox.run("stack", "export", "-s", "dev")
    assert '"\\"hunter2\\""' in sandbox.run("stack", "export", "-s", "dev", "--show-secrets")
    assert "hunter2" not in sandbox.run("preview", "-s", "dev", "--json", "--diff")
    assert "hunter2" in sandbox.up("--show-secrets", "--skip-preview")


def test_config_verbs(sandbox):
    run = sandbox.run
    run("config", "set", "count", "2", "-s", "dev")
    run("config", "set", "--secret", "token", "geheim", "-s", "dev")
    run("config", "set", "--path", "cells[0].name", "borsod", "-s", "dev")
    run("config", "set", "--path", "cells[0].capacity", "256", "-s", "dev")
    run("config", "set", "--path", "--secret", "cells[0].key", "titok", "-s", "dev")
    text = (sandbox.project / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    assert "geheim" not in text and "titok" not in text and "secure: v1:" in text
    assert run("config", "get", "token", "-s", "dev").strip() == "geheim"
    assert run("config", "get", "--path", "cells[0].capacity", "-s", "dev").strip() == "256"
    listing = run("config", "-s", "dev")
    assert "token                           [secret]" in listing and "geheim" not in listing
    assert "geheim" in run("config", "--show-secrets", "-s", "dev")
    sandbox.write(
        "c = pulumi.Config()\npulumi.export('n', c.require_int('count'))\n"
        "pulumi.export('t', c.require_secret('token'))\npulumi.export('c', c.require_secret_object('cells'))\n"
    )
    sandbox.up()
    values = json.loads(run("stack", "output", "-s", "dev", "--json", "--show-secrets"))
    assert values == {"n": 2, "t": "geheim", "c": [{"name": "borsod", "capacity": 256, "key": "titok"}]}
    run("config", "rm", "count", "-s", "dev")
    run("config", "rm", "--path", "cells[0].name", "-s", "dev")
    assert "configuration key 'count' not found" in run("config", "get", "count", "-s", "dev", status=1)
    assert "not found" in run("config", "get", "--path", "cells[0].name", "-s", "dev", status=1)


def test_expected_changes_and_json(sandbox):
    sandbox.write(volume("a"))
    preview = json.loads(sandbox.run("preview", "-s", "dev", "--json"))
    assert preview["changeSummary"] == {"create": 2}
    assert [step["op"] for step in preview["steps"]] == ["create"] * 3
    assert "changes were proposed: 2 to create" in sandbox.run("preview", "-s", "dev", "--expect-no-changes", status=7)
    assert "changes were proposed" in sandbox.up("--expect-no-changes", status=7)
    assert sandbox.volumes() == []
    assert json.loads(sandbox.up("--json"))["changeSummary"] == {"create": 2}
    assert json.loads(sandbox.up("--json"))["changeSummary"] == {"same": 2}


def test_diff_shows_values_and_hides_secrets(sandbox):
    body = "docker.Volume('a', name=f'{P}-a', driver_opts={'type': 'tmpfs', 'device': 'tmpfs', 'o': %s})\n"
    sandbox.write(body % "'size=1m'")
    sandbox.up()
    sandbox.write(body % "pulumi.Output.secret('size=2m')")
    output = sandbox.run("preview", "-s", "dev", "--diff")
    assert "[diff: ~driverOpts]" in output and "size=1m" in output and "replace" in output
    assert '"size=1m" => "[secret]"' in output and "size=2m" not in output


def test_refresh_sees_what_is_gone_and_up_mends_it(sandbox):
    sandbox.write(volume("a") + volume("b"))
    sandbox.up()
    client().remove_volume(f"{sandbox.prefix}-a")
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    assert "a: gone" in sandbox.run("refresh", "-s", "dev", "--yes")
    assert "a" not in sandbox.resources()
    assert "a create" in sandbox.run("preview", "-s", "dev")
    sandbox.up()
    client().remove_volume(f"{sandbox.prefix}-b")
    sandbox.up("--refresh")
    assert sandbox.volumes() == ["a", "b"]


def test_targets(sandbox):
    sandbox.write(volume("a") + volume("b", "opts=pulumi.ResourceOptions(depends_on=[a])"))
    target = "urn:pulumi:dev::sandbox::docker:index/volume:Volume::a"
    sandbox.up("--target", target)
    assert sandbox.volumes() == ["a"]
    sandbox.up()
    output = sandbox.run("destroy", "-s", "dev", "--yes", "--target", target, status=1)
    assert "these depend on them" in output and "::b" in output
    sandbox.run("destroy", "-s", "dev", "--yes", "--target", "*::b")
    assert sandbox.volumes() == ["a"]


def test_protected_resources(sandbox):
    sandbox.write(volume("a", "opts=pulumi.ResourceOptions(protect=True)"))
    sandbox.up()
    urn = "urn:pulumi:dev::sandbox::docker:index/volume:Volume::a"
    output = sandbox.run("destroy", "-s", "dev", "--yes", status=1)
    assert f'"{urn}" cannot be deleted' in output and "because it is protected" in output
    assert "is protected; use --force" in sandbox.run("state", "delete", urn, "-s", "dev", "--yes", status=1)
    assert "No such resource 'x'" in sandbox.run("state", "unprotect", "x", "-s", "dev", status=1)
    sandbox.run("state", "unprotect", urn, "-s", "dev", "--yes")
    sandbox.run("state", "delete", urn, "-s", "dev", "--yes")
    assert "a" not in sandbox.resources() and sandbox.volumes() == ["a"]


def test_automatic_names_are_replaced_without_a_gap(sandbox):
    sandbox.write("docker.Volume(f'{P}-auto', labels=[{'label': 'v', 'value': '1'}])\n")
    sandbox.up()
    first = sandbox.volumes()
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    sandbox.write("docker.Volume(f'{P}-auto', labels=[{'label': 'v', 'value': '2'}])\n")
    output = sandbox.up("--skip-preview")
    assert output.index("created replacement") < output.index("deleting original")
    assert len(first) == len(sandbox.volumes()) == 1
    assert sandbox.volumes() != first
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")


def test_transforms_of_resource_and_stack(sandbox):
    sandbox.write(
        """
def label(args):
    if args.type_ == "docker:index/volume:Volume":
        args.props["labels"] = [{"label": "by", "value": "transform"}]
        return pulumi.ResourceTransformResult(args.props, args.opts)
pulumi.runtime.register_resource_transform(label)
def protect(args):
    args.opts.retain_on_delete = True
    return pulumi.ResourceTransformResult(args.props, args.opts)
"""
        + volume("a", "opts=pulumi.ResourceOptions(transforms=[protect])")
        + volume("b")
    )
    sandbox.up()
    resources = sandbox.resources()
    labels = [{"label": "by", "value": "transform"}]
    assert resources["a"]["outputs"]["labels"] == labels and resources["b"]["outputs"]["labels"] == labels
    assert resources["a"]["retainOnDelete"] is True and "retainOnDelete" not in resources["b"]
    sandbox.run("destroy", "-s", "dev", "--yes")
    assert sandbox.volumes() == ["a"]


def test_existing_objects_can_be_read(sandbox):
    client().create_volume(f"{sandbox.prefix}-there", labels={"k": "v"})
    sandbox.write(
        "v = docker.Volume.get('there', f'{P}-there')\npulumi.export('driver', v.driver)\n"
        "pulumi.export('net', docker.get_network(name='bridge').driver)\n"
    )
    sandbox.up()
    assert json.loads(sandbox.run("stack", "output", "-s", "dev", "--json")) == {"driver": "local", "net": "bridge"}
    assert sandbox.resources()["there"]["external"] is True
    sandbox.run("destroy", "-s", "dev", "--yes")
    assert sandbox.volumes() == ["there"]
    sandbox.write("docker.Volume.get('gone', f'{P}-gone')\n")
    assert "does not exist" in sandbox.up(status=1)


def test_an_explicit_provider(sandbox):
    sandbox.write(
        "far = docker.Provider('far', host='unix:///nonexistent.sock')\n"
        + volume("a", "opts=pulumi.ResourceOptions(provider=far)")
    )
    assert "Cannot connect to the Docker daemon at unix:///nonexistent.sock" in sandbox.up(status=1)
    sandbox.write(
        "far = docker.Provider('far', host='unix:///var/run/docker.sock')\n"
        + volume("a", "opts=pulumi.ResourceOptions(provider=far, custom_timeouts=pulumi.CustomTimeouts(create='30s'))")
    )
    sandbox.up()
    resources = sandbox.resources()
    assert resources["a"]["provider"].startswith("urn:pulumi:dev::sandbox::pulumi:providers:docker::far::")
    assert resources["a"]["customTimeouts"] == {"create": 30}
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")


def test_components_change_in_place_and_nest(sandbox):
    body = """
class Cell(pulumi.ComponentResource):
    def __init__(self, name, size, opts=None):
        super().__init__("t:i:Cell", name, {"size": size}, opts)
        self.volume = docker.Volume(f"{name}-v", name=f"{P}-{name}", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({"volume": self.volume.name, "itself": self.volume})
outer = Cell("outer", %d)
inner = Cell("inner", 1, pulumi.ResourceOptions(parent=outer))
pulumi.export("cell", outer.volume.name)
"""
    sandbox.write(body % 1)
    sandbox.up()
    assert sandbox.resources()["inner-v"]["urn"].split("::")[2] == "t:i:Cell$t:i:Cell$docker:index/volume:Volume"
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    sandbox.write(body % 2)
    output = sandbox.up("--skip-preview")
    assert "t:i:Cell outer updated" in output and "~ 1 updated" in output


def test_two_stacks_at_once(tmp_path):
    one, two = Sandbox(tmp_path, "one").init(), Sandbox(tmp_path, "two").init()
    try:
        for sandbox in (one, two):
            sandbox.write("".join(volume(f"v{i}") for i in range(5)))
        running = [sandbox.start("up", "-s", "dev", "--yes") for sandbox in (one, two)]
        for process in running:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, out + err
        assert len(one.volumes()) == len(two.volumes()) == 5
        output = [sandbox.run("destroy", "-s", "dev", "--yes", "--remove") for sandbox in (one, two)]
        assert all("has been removed" in text for text in output)
    finally:
        one.close()
        two.close()


def test_a_program_that_acts_only_in_a_real_run_still_acts_when_nothing_changes(sandbox):
    sandbox.write(volume("a") + "if not pulumi.runtime.is_dry_run():\n    open(os.environ['MARK'], 'a').write('x')\n")
    mark = sandbox.project / "mark"
    for count in (1, 2):
        sandbox.up(MARK=str(mark))
        assert mark.read_text(encoding="utf-8") == "x" * count


def test_help_and_version(sandbox):
    output = sandbox.run("--help")
    for verb in ("preview", "up", "refresh", "destroy", "stack", "config", "state", "cancel"):
        assert verb in output
    assert sandbox.run("version").strip() == "v3.260.0"
    assert "the following arguments are required" in sandbox.run(status=2)


def test_functions_of_the_provider(sandbox):
    image.ensure()
    sandbox.write(
        "box = docker.Container('box', name=f'{P}-box', image='conformance/base:1', command=['sh', '-c', 'echo one; "
        "echo two; sleep 60'], restart='no', network_mode='bridge')\n"
        "logs = docker.get_logs_output(name=box.name)\npulumi.export('logs', logs.logs_list_strings)\n"
        "pulumi.export('image', docker.get_remote_image(name='conformance/base:1').id)\n"
    )
    sandbox.up("--skip-preview")
    sandbox.up("--skip-preview")
    values = json.loads(sandbox.run("stack", "output", "-s", "dev", "--json"))
    assert values == {"logs": ["one", "two"], "image": image.ensure()}
    sandbox.write("docker.get_registry_image(name='127.0.0.1:1/eng-none:1')\n")
    assert "Got error when attempting to fetch image 127.0.0.1:1/eng-none:1" in sandbox.up(status=1)
    sandbox.write("docker.get_remote_image(name='eng-none:1')\n")
    assert "did not find docker image 'eng-none:1' on this host" in sandbox.up(status=1)


def test_a_push_is_refused_when_it_would_delete_remotely(sandbox):
    sandbox.write("docker.RegistryImage('i', name='127.0.0.1:1/eng:1')\n")
    assert "has a problem: must be true: the embedded engine does not delete images from registries" in sandbox.up(
        status=1
    )
    sandbox.write("docker.RegistryImage('i', name='127.0.0.1:1/eng:1', keep_remotely=True)\n")
    assert "Error pushing docker image: An image does not exist locally" in sandbox.up(status=1)
