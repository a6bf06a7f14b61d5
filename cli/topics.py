"""`catalogizer topics`: lists the declared topics, plans and applies what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, print_table, run_async
from cli.options import AsJson
from schemas.topics import ALL_TOPICS

if TYPE_CHECKING:
    from cli.provisioning.topics import ProvisionStep

app = typer.Typer(no_args_is_help=True, help="The topics of the log: what is declared, what is missing.")


@app.command("plan")
def plan_command(as_json: AsJson = False) -> None:
    """Show what `topics apply` would do. Changes nothing.

    \b
    catalogizer topics plan
    catalogizer topics plan --json | jq -r .[].topic
    """
    from cli.installation import find, tool_kafka
    from cli.provisioning.topics import plan

    kafka = tool_kafka(find(), "topics")
    _show(run_async(lambda: plan(kafka)), "to do", as_json)


@app.command("apply")
def apply_command(
    as_json: AsJson = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
) -> None:
    """Create all topics, their configuration and their epochs as declared.

    Can be repeated at any time, and run by several at once. Fails if a topic has another number of partitions.

    \b
    catalogizer topics apply
    CATALOGIZER_KAFKA__REPLICATION_FACTOR=1 catalogizer topics apply
    """
    from cli.installation import find, tool_kafka
    from cli.provisioning.topics import apply, plan

    kafka = tool_kafka(find(), "topics")
    done = run_async(lambda: plan(kafka) if dry_run else apply(kafka))
    _show(done, "to do" if dry_run else "done", as_json)


@app.command("acls")
def acls_command(
    as_json: AsJson = False,
    apply_: Annotated[bool, typer.Option("--apply", help="Add to the brokers what they do not have yet.")] = False,
) -> None:
    """Print the permissions that each component's principal needs in Kafka: the least that it can work with.

    With --apply missing ones are added; that requires a principal that may alter the cluster.

    \b
    catalogizer topics acls
    catalogizer topics acls --json
    catalogizer topics acls --apply
    """
    from cli.settings import Settings
    from runtime.configuration import load
    from schemas.acls import acls

    if apply_:
        from cli.installation import find, tool_kafka
        from cli.provisioning.acls import apply_acls

        kafka = tool_kafka(find(), "topics")
        shown, title = run_async(lambda: apply_acls(kafka)), "added"
    else:
        shown, title = acls(load(Settings).kafka.topic_prefix), "Permissions"
    if as_json:
        print_json(shown)
    elif not shown:
        print("nothing to do: every permission is there")
    else:
        rows = [(acl.principal, acl.operation, acl.resource, acl.name, acl.pattern) for acl in shown]
        print_table(title, ("principal", "operation", "resource", "name", "pattern"), rows)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the topics as declared: key, writer, readers, retention."""
    if as_json:
        print_json(
            [
                {
                    "topic": topic.name,
                    "key": topic.key,
                    "partitions": "L" if topic.partitions is None else topic.partitions,
                    "config": topic.config(),
                    "writer": topic.writer,
                    "readers": topic.readers,
                    "purpose": topic.purpose,
                }
                for topic in ALL_TOPICS
            ]
        )
        return
    rows = [(topic.name, topic.key, topic.writer, topic.readers, topic.purpose) for topic in ALL_TOPICS]
    print_table("Topics", ("topic", "key", "writer", "readers", "purpose"), rows)


def _show(steps: list[ProvisionStep], title: str, as_json: bool) -> None:
    if as_json:
        print_json(steps)
    elif not steps:
        print("nothing to do: every topic is as declared")
    else:
        print_table(title, ("step", "topic", "detail"), [(s.action, s.topic, s.detail) for s in steps])
