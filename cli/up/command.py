"""`catalogizer up`: prepare (downloads, demo library, ports), run under the supervisor, end.

The preparation is blocking code, so that Ctrl-C can interrupt it anywhere; then the event loop takes over.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import assert_never

from cli.adopting import adopt_newest
from cli.provisioning.acls import apply_acls
from cli.provisioning.database_roles import ROLES, make_roles
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.settings import Settings
from cli.up import ports, run_file, space, state_version
from cli.up.announcement import Ready, announce, command, typed
from cli.up.embedded import system_user
from cli.up.embedded.java import class_cache
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from cli.up.errors import LogMoved, PortTaken
from cli.up.first_admin import AdminPassword, first_admin
from cli.up.output import SetupOutput
from cli.up.platform import Platform, embedded_broker
from cli.up.secret_file import kept_secret
from cli.up.state import DEMO_LIBRARY, DEMO_ROOTS, StateFolder, owned
from cli.up.supervision.supervisor import Supervisor, run
from cli.up.terminal import own_terminal
from gateway.access.account_admin import ADMIN
from gateway.access.tokens import configured_secret
from gateway.public import public_url
from producer.declared import declared, folder_of
from producer.settings import RootSpec
from runtime import lifecycle
from runtime.kafka import Kafka
from runtime.lifecycle import Stop
from runtime.root_files import RootFiles

KILLED = 130
"""Exit code after a second Ctrl-C, as shells have it."""


def up(settings: Settings, output: SetupOutput) -> int:
    """Run the platform until SIGINT, SIGTERM or SIGHUP; the exit code. When it returns or raises, everything that it started
    has ended. Raises UpError, SettingsError, OSError, and what the set-up raises."""
    with own_terminal(), owned(settings.state_dir) as state:
        run_file.remove(state.folder)
        try:
            with _terminated_as_interrupted():
                platform = _prepare(settings, state, output)
        except KeyboardInterrupt:
            output.print("interrupted before it was started")
            return 0
        running = Running(platform, output)
        try:
            lifecycle.run(running.run)
        finally:
            run_file.remove(state.folder)
        return KILLED if running.killed else 0


class Running:
    """A running platform in the event loop."""

    def __init__(self, platform: Platform, output: SetupOutput) -> None:
        self.killed = False
        self._platform = platform
        self._output = output
        self._ready = False
        self._admin_password = AdminPassword.CHANGED

    async def run(self, stop: Stop) -> None:
        """Run until requested to stop."""
        platform = self._platform
        servers = platform.servers()
        supervisor = Supervisor(
            servers,
            platform.services,
            log=platform.state.log,
            show=self._output.print,
            changed=self._changed,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._interrupted, supervisor, stop)
        self._output.print(
            "starting " + (" and ".join(plan.name for plan in servers) or "on the configured servers")
        )
        await run(supervisor, self._set_up, stop.wait(), lambda: self._announce(supervisor))
        self._output.print("ended")

    def _interrupted(self, supervisor: Supervisor, stop: Stop) -> None:
        if stop.requested:
            self.killed = True
            supervisor.kill()
        else:
            self._output.print("\nending (Ctrl-C again kills)")
            stop.request("SIGINT")

    async def _set_up(self) -> None:
        platform, show = self._platform, self._output.print
        show("setting up topics, tables and the admin user")
        kafka = Kafka(platform.kafka_settings, "up")
        await apply(kafka)
        if platform.kafka is not None:
            await apply_acls(kafka)
        await adopt_newest(kafka)  # all processes here run this version of the program
        if (postgres := platform.postgres) is not None:
            await asyncio.to_thread(make_roles, postgres.url(), postgres.role_passwords(ROLES))
        await asyncio.to_thread(apply_migrations, platform.database_url)
        self._admin_password = await first_admin(
            platform.database_url, platform.settings.admin_password, platform.state.admin_password
        )
        show("starting watch, stream, project and serve")

    def _announce(self, supervisor: Supervisor) -> None:
        self._ready = True
        self._changed(supervisor.pids())
        announce(self._output, self._announcement())
        kafka = self._platform.kafka
        if kafka is not None and not class_cache(kafka.jars).exists():
            supervisor.begin_chore(self._platform.chore())

    def _announcement(self) -> Ready:
        platform = self._platform
        roots = declared(platform.roots, RootFiles(platform.roots_folder).read()).specs.values()
        return Ready(public_url(platform.settings.gateway), self._sign_in(), list(roots), platform.demo, command())

    def _sign_in(self) -> list[str]:
        """How to sign in. The password is shown only on a terminal, and only if it was generated."""
        kept = self._platform.state.admin_password
        match self._admin_password:
            case AdminPassword.CONFIGURED:
                return [f"{ADMIN}, with the password of {AdminPassword.CONFIGURED.value}"]
            case AdminPassword.CHANGED:
                return [f"{ADMIN}, with the password you chose", f"(forgotten: {command()} user password {ADMIN})"]
            case AdminPassword.KEPT if self._output.console.is_terminal:
                return [f"{ADMIN}   {kept_secret(kept)}", f"(kept in {typed(kept)})"]
            case AdminPassword.KEPT:
                return [ADMIN, f"(password in {typed(kept)})"]
            case _:
                assert_never(self._admin_password)

    def _changed(self, pids: Mapping[str, int]) -> None:
        if self._ready:
            run_file.write(self._platform.state.folder, self._platform.run_file(pids))


def _prepare(settings: Settings, state: StateFolder, output: SetupOutput) -> Platform:
    state_version.take_up(state)
    gateway = settings.gateway
    if not ports.is_free(gateway.port, gateway.host):
        raise PortTaken(gateway.port, "CATALOGIZER_GATEWAY__PORT")
    if not settings.kafka.embedded:
        configured_secret(gateway)
    if settings.kafka.embedded or not settings.database.configured:
        space.need(state.folder, space.SERVERS_BYTES, "the platform")
    files = declared(settings.producer.roots, RootFiles(folder_of(settings.producer, state.folder)).read())
    for fault in files.faults:
        output.print(f"! {fault}")
    demo = not files.specs
    roots = _demo(state, output) if demo else settings.producer.roots
    kafka = _kafka(settings, state, output) if settings.kafka.embedded else None
    postgres = None if settings.database.configured else _postgres(state, output)
    return Platform(settings, state, kafka, postgres, roots, demo)


def _demo(state: StateFolder, output: SetupOutput) -> tuple[RootSpec, ...]:
    if not state.demo_marker.exists():
        from cli.up.demo import library as demo  # imports media libraries that other starts do not need

        output.print(f"making a demo library in {state.library}")
        demo.make(state.library)
    return tuple(RootSpec(name=name, library=DEMO_LIBRARY, path=state.library / name) for name in DEMO_ROOTS)


def _kafka(settings: Settings, state: StateFolder, output: SetupOutput) -> EmbeddedKafka:
    if state.moved_log.exists():
        raise LogMoved(state.moved_log, state.moved_log.read_text(errors="replace").strip())
    return embedded_broker(settings, state, output)


def _postgres(state: StateFolder, output: SetupOutput) -> EmbeddedPostgres:
    for sentence in system_user.announced():
        output.print(sentence)
    return EmbeddedPostgres(
        state.postgres, ports.kept_port(state.port("postgres"), None, "CATALOGIZER_DATABASE__URL")
    )


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # one closed terminal may send several
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, interrupt)) for number in lifecycle.stop_signals()]
    try:
        yield
    finally:
        for number, handler in before:
            if signal.getsignal(number) is interrupt:
                signal.signal(number, handler)
