"""The commands. Each imports what it needs when it runs, so that the light ones answer at once."""

from __future__ import annotations

import json
import sqlite3
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import bench
from bench import plugins, streams
from bench.discovery import KINDS
from bench.listing import LISTS, entries, in_words, unreadable
from bench.records import BadInput
from bench.settings import nearest

DONE, DOES_NOT_HOLD = 0, 1
RESULTS = Path("results")
STORE_HELP = "a folder with results.sqlite, or packed stores"
PLUGIN_HELP = "a member from outside, its defaults in FILE.yaml; may be given several times"


class Parser(ArgumentParser):
    """An argument parser whose complaints are one line, like everybody's here."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; see: {self.prog} --help")


@dataclass(frozen=True)
class Command:
    summary: str
    add_arguments: Callable[[Parser], None]
    run: Callable[[Namespace], int]


def run(argv: list[str]) -> int:
    """One command; returns the exit code. Raises BadInput."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return DONE
    if argv[0] == "--version":
        print(f"bench {bench.__version__}")
        return DONE
    name, *rest = argv
    if name not in COMMANDS:
        hint = nearest(name, list(COMMANDS))
        raise BadInput(f"{name}: there is no such command{hint}; see: bench --help")
    command = COMMANDS[name]
    parser = Parser(
        prog=f"bench {name}",
        description=command.summary,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this text")
    command.add_arguments(parser)
    parser.add_argument(
        "--plugin", action="append", default=[], type=Path, metavar="FILE.py", help=PLUGIN_HELP
    )
    if name == "run" and {"-m", "--multirun"} & set(rest):
        raise BadInput("-m: a comma or a list is a sweep already; leave it out")
    # Before parsing, since a required argument may be missing.
    if "-h" in rest or "--help" in rest:
        print(_run_help(parser) if name == "run" else parser.format_help())
        return DONE
    options = parser.parse_intermixed_args(rest)
    plugins.name_files(options.plugin)
    return command.run(options)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"bench {bench.__version__}: which mitigation of exploding gradients works where",
            "",
            "usage: bench COMMAND ...",
            "",
            *lines,
            "",
            "Of each: bench COMMAND --help",
        ]
    )


def _run_help(parser: Parser) -> str:
    from bench.planning import describe

    return f"{parser.format_help()}\n{describe.text()}"


def _run_arguments(parser: Parser) -> None:
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="what to run, and how")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and run nothing")
    parser.add_argument("--cfg", choices=["job"], help="print the composed config and run nothing")


def _run(options: Namespace) -> int:
    from bench.planning import plan
    from bench.results.store import check_folder

    planned = plan(options.overrides)
    if options.cfg:
        print(planned.config_text.rstrip())
        return DONE
    check_folder(planned.results)
    if options.dry_run:
        from bench.execution.cores import available_cores

        print(planned.describe(available_cores()))
        return DONE
    from rich.console import Console

    from bench.execution import closing
    from bench.execution.local import execute_in_stages
    from bench.execution.worker import WorkerError
    from bench.results.store import StoreLost

    try:
        summary = execute_in_stages(planned, Console(highlight=False, markup=False))
    except StoreLost as error:
        streams.complain(str(error))
        return DOES_NOT_HOLD
    except (WorkerError, sqlite3.Error) as error:  # the disk is full, for one
        streams.complain(f"results={planned.results}: {error}")
        return DOES_NOT_HOLD
    print(*closing.in_words(summary), sep="\n")
    return closing.exit_code(summary)


def _plan_arguments(parser: Parser) -> None:
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as for bench run")
    parser.add_argument(
        "--rates",
        default="0.5,0.1",
        metavar="A,B",
        help="two rates to tell apart (default 0.5,0.1)",
    )
    parser.add_argument(
        "--power",
        type=float,
        default=0.8,
        help="the wanted probability of finding it (0.8)",
    )


def _plan(options: Namespace) -> int:
    from bench import sizing
    from bench.execution.cores import available_cores
    from bench.planning import plan

    try:
        first, second = map(float, options.rates.split(","))
    except ValueError as error:
        raise BadInput(f"--rates {options.rates}: must be two numbers, as in 0.5,0.1") from error
    planned = plan(options.overrides)
    print(*sizing.in_words(planned, (first, second), options.power, available_cores()), sep="\n")
    return DONE


def _report_arguments(parser: Parser) -> None:
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help=STORE_HELP)


def _report(options: Namespace) -> int:
    from bench.execution.cores import available_cores
    from bench.reporting.screen import print_summary
    from bench.reporting.writing import write_report
    from bench.results.combining import Combined, opened

    with opened(options.folders) as stores:
        combined = Combined(stores)
        alarms = [str(alarm) for alarm in combined.alarms]
        target = options.folders[0] / "report"
        report = write_report(combined.rows(), target, alarms, available_cores())
    print_summary(report)
    return DONE


def _show_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's id, or how it begins")
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="DIR",
        help=f"{STORE_HELP}; without it, all under {RESULTS}/ are searched",
    )


def _show(options: Namespace) -> int:
    from bench.reporting.show import card
    from bench.results.combining import find, opened

    folders = [options.folder] if options.folder else _default_stores()
    with opened(folders) as stores:
        found = find(options.run, stores)
        print(card(found.record, found.record_digest, found.status, found.provenance))
    return DONE


def _explain_arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="of a number; 'pooled.*' lists all that match")
    parser.add_argument(
        "stores",
        nargs="*",
        metavar="DIR",
        help=f"as for scripts/paper.py: {STORE_HELP}, or NAME=DIR; without it, paper/baseline",
    )


def _explain(options: Namespace) -> int:
    from bench.reporting.paper.explain import explained
    from bench.reporting.paper.sources import named, opened_sources

    with opened_sources(named(options.stores)) as found:
        print(*explained(options.name, found.materials), sep="\n")
    return DONE


def _export_arguments(parser: Parser) -> None:
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help=STORE_HELP)


def _export(options: Namespace) -> int:
    from bench.results.combining import opened
    from bench.results.export import export

    with opened(options.folders) as stores:
        print(*export(stores, options.folders[0]), sep="\n")
    return DONE


def _sync_arguments(parser: Parser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help=STORE_HELP)
    parser.add_argument(
        "--mode", metavar="MODE", help="offline or online; without it, online with an account"
    )


def _sync(options: Namespace) -> int:
    from bench.results.mirroring import sync

    report = sync(options.folder, options.mode)
    print(report)
    return DOES_NOT_HOLD if report.missing or report.problem else DONE


def _doctor_arguments(parser: Parser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help=STORE_HELP)


def _doctor(options: Namespace) -> int:
    from bench.execution import doctor

    # The store first: where there is none, nothing else is of interest.
    of_store = list(doctor.examine_store(options.folder)) if options.folder else []
    findings = [*doctor.examine(options.folder or RESULTS), *of_store]
    print(*map(doctor.in_words, findings), sep="\n")
    return DOES_NOT_HOLD if any(finding.is_fatal for finding in findings) else DONE


def _list_arguments(parser: Parser) -> None:
    parser.add_argument("kind", metavar="KIND", help=f"one of {', '.join(LISTS)}")
    parser.add_argument("--json", action="store_true", help="all that is known, for a program")


def _list(options: Namespace) -> int:
    if options.kind not in LISTS:
        hint = nearest(options.kind, list(LISTS))
        raise BadInput(f"bench list {options.kind}: must be one of {', '.join(LISTS)}{hint}")
    found = entries(options.kind)
    if options.json:
        print(json.dumps(found, indent=2, allow_nan=False))
    elif found:
        print(in_words(found))
    else:
        print(f"there are no {options.kind} yet")
    for problem in unreadable(options.kind):
        streams.complain(f"not listed: {problem}")
    return DONE


def _member_arguments(parser: Parser) -> None:
    parser.add_argument("kind", metavar="KIND", help=f"one of {', '.join(KINDS)}")
    parser.add_argument("name", metavar="NAME")


def _kind(options: Namespace, command: str) -> str:
    if options.kind not in KINDS:
        hint = nearest(options.kind, list(KINDS))
        raise BadInput(f"bench {command} {options.kind}: must be one of {', '.join(KINDS)}{hint}")
    kind: str = options.kind
    return kind


def _check(options: Namespace) -> int:
    from bench.acceptance.card import examine, in_words
    from bench.discovery import member

    kind = _kind(options, "check")
    found = member(kind, options.name)
    print(f"{kind} {found.name}: {found.summary}")
    failed = 0
    for finding in examine(kind, options.name):
        print(in_words(finding), flush=True)
        failed += finding.holds is False
    print(f"{failed} checks failed" if failed else f"{found.name} may be compared")
    return DOES_NOT_HOLD if failed else DONE


def _new(options: Namespace) -> int:
    from bench.templates import write

    written = write(_kind(options, "new"), options.name, Path())
    print(*(f"wrote {path}" for path in written), sep="\n")
    print(f"next: bench check {options.kind} {options.name} --plugin {written[0]}")
    return DONE


def _default_stores() -> list[Path]:
    from bench.results.opening import holds_store

    folders = sorted(folder for folder in RESULTS.glob("*") if holds_store(folder))
    if not folders:
        raise BadInput(f"{RESULTS}/ holds no store; name one: bench show RUN DIR")
    return folders


COMMANDS = {
    "run": Command("run what is missing of a grid", _run_arguments, _run),
    "plan": Command("how many seeds a question needs, and what they cost", _plan_arguments, _plan),
    "report": Command("tables, figures and a summary", _report_arguments, _report),
    "show": Command("one run: what it was and how it ended", _show_arguments, _show),
    "explain": Command("the runs behind a number of the paper", _explain_arguments, _explain),
    "list": Command("what there is to choose from", _list_arguments, _list),
    "new": Command("a member of your own to start from", _member_arguments, _new),
    "check": Command("whether a member may be compared", _member_arguments, _check),
    "export": Command("Parquet files for pandas and others", _export_arguments, _export),
    "sync": Command("mirror what is missing to Weights & Biases", _sync_arguments, _sync),
    "doctor": Command("what is installed, and what is missing", _doctor_arguments, _doctor),
}
