"""The command blocks of the documents.

documented_commands.py check REPOSITORY           each block says how it is tested; each query is PromQL
documented_commands.py run REPOSITORY BINARY      runs those that no other script runs, in a network namespace of its own
documented_commands.py examples REPOSITORY FOLDER the files of other programs that pages show, for manifests.sh
documented_commands.py traffic                    the connections that they show, until SIGTERM

A block of commands is fenced as `sh`, one with its output as `console`. It is run here, unless the line before it is a mark:

  <!-- not run: REASON -->              a script that the reason names must exist
  <!-- run by SCRIPT -->                SCRIPT has each command literally; for a query, it names the page, whose blocks it reads
  <!-- run by SCRIPT as `LINE`, ... --> SCRIPT has a line for each command that it does not have literally, or one for the block

documented_queries.py runs the blocks fenced as `promql`, with the same marks. The first configuration of a page is the file
that its commands name.
"""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LANGUAGES = {"sh", "console", "text", "yaml", "yaml mistaken", "json", "promql", "ss"}
MARK = re.compile(r"<!-- (?:run by (?P<script>\S+?)(?: as (?P<equivalents>`.*`))?|not run: (?P<reason>\S.*)) -->")
# The paths of scripts in a reason.
SCRIPTS = re.compile(r"(?:tests|deploy|\.ci)/[\w./-]*\w")
# What serves in place of an exporter that runs: the program with flags that neither print nor end.
SERVES = re.compile(r"prometheus_ss_exporter( --(config|web\.[\w.-]+)([ =]\S+)?)*( +#.*)?")
# `serve` ends the exporter that runs, starts another, and waits until it answers.
PREAMBLE = """
set -euo pipefail
sudo() { "$@"; }
curl() { command curl --fail --silent --show-error "$@"; }
serve() {
    if [ -s exporter.pid ]; then kill "$(cat exporter.pid)"; while kill -0 "$(cat exporter.pid)" 2>/dev/null; do sleep 0.1; done; fi
    "$@" </dev/null 2>>exporter.log &
    echo $! >exporter.pid
    for _ in $(seq 100); do "$@" --healthcheck 2>/dev/null && return; sleep 0.1; done
    cat exporter.log >&2
    return 1
}
end() { kill "$(cat exporter.pid)"; }
trap end EXIT
serve prometheus_ss_exporter
# Owners of listeners are known, and rates need two snapshots.
curl localhost:8020/metrics >/dev/null
"""


class Block:
    """A fenced block: its place, language, mark, and lines without the margin of a list."""

    def __init__(self, place, margin, language, mark, lines):
        self.place, self.language, self.mark = place, language, mark
        self.lines = [line.removeprefix(margin) for line in lines]

    @property
    def commands(self):
        return self.language in ("sh", "console")

    @property
    def whole_commands(self):
        """The commands without comments, each on one line; those that only change the folder or set a variable are none."""
        joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(self.lines))
        commands = (re.sub(r"\s+#.*", "", line).strip() for line in joined.splitlines())
        return [command for command in commands if command and not re.match(r"cd |\w+=\S+$", command)]

    @property
    def run_here(self):
        return self.commands and not self.mark


def documents(repository):
    paths = [repository / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    return [*paths, *sorted(repository.glob("docs/**/*.md"))]


def blocks(path, repository):
    """Every fenced block of a document."""
    before, lines = "", iter(enumerate(path.read_text().splitlines(), 1))
    for number, line in lines:
        fence = re.match(r"(\s*)```(.*)", line)
        if fence:
            body = []
            for _, line in lines:
                if line.strip() == "```":
                    break
                body.append(line)
            place = f"{path.relative_to(repository)}:{number}"
            yield Block(place, fence[1], fence[2], MARK.fullmatch(before.strip()), body)
        before = line


def faults(repository):
    for path in documents(repository):
        for block in blocks(path, repository):
            if block.language not in LANGUAGES:
                yield f"{block.place}: the block is {block.language!r}, none of {sorted(LANGUAGES)}"
            elif block.mark and not block.commands and block.language != "promql":
                yield f"{block.place}: a mark before what is neither command nor query"
            elif block.mark:
                yield from (f"{block.place}: {fault}" for fault in faults_of_mark(block, repository))


def faults_of_mark(block, repository):
    """What a mark claims and is not so."""
    if block.mark["reason"]:
        yield from (f"there is no {path}" for path in SCRIPTS.findall(block.mark["reason"]) if not (repository / path).exists())
        return
    path = repository / block.mark["script"]
    if not path.exists():
        yield f"there is no {block.mark['script']}"
        return
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith(("#", "//"))]
    script = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    if not block.commands:
        if block.place.split(":")[0] not in script:
            yield f"{block.mark['script']} does not name the page"
        return
    missing = [command for command in block.whole_commands if command not in script]
    equivalents = re.findall("`([^`]+)`", block.mark["equivalents"] or "")
    yield from (f"{block.mark['script']} has no line {line!r}" for line in equivalents if line not in script)
    if len(equivalents) not in (len(missing), min(1, len(missing))):
        yield f"{block.mark['script']} does not have {missing}, and the mark has {len(equivalents)} lines in their place"


def queries(repository):
    """Recording rules with every query, for promtool."""
    every = (block for path in documents(repository) for block in blocks(path, repository))
    found = [block for block in every if block.language == "promql"]
    rules = [{"record": f"query:{number}", "expr": "\n".join(block.lines)} for number, block in enumerate(found)]
    return {"groups": [{"name": "documents", "rules": rules}]}


def check(repository):
    repository = pathlib.Path(repository)
    wrong = list(faults(repository))
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(queries(repository), file)  # JSON is YAML.
        file.flush()
        done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    if done.returncode:
        wrong.append(done.stdout + done.stderr)
    sys.exit("\n".join(wrong) or None)


# How the files of other programs begin, and what is begun so. `tests/schema` loads all other blocks of YAML.
EXAMPLES = {
    "apiVersion": "kubernetes", "patches": "patches", "services": "compose", "scrape_configs": "prometheus", "tls_server_config": "web"
}


def examples(repository, folder):
    repository, folder = pathlib.Path(repository), pathlib.Path(folder)
    folder.mkdir()
    counts = dict.fromkeys(EXAMPLES.values(), 0)
    for path in documents(repository):
        for block in blocks(path, repository):
            kind = EXAMPLES.get(block.lines[0].split(":")[0]) if block.language == "yaml" else None
            if kind:
                counts[kind] += 1
                (folder / f"{kind}-{counts[kind]}.yml").write_text("\n".join(block.lines) + "\n")
    print(counts)
    sys.exit(0 if all(counts.values()) else f"a kind has no example: {counts}")


def script(block):
    """The block as Bash: what serves is started in the background, and output that is shown is demanded."""
    if block.language == "sh":
        return "\n".join(f"serve {line}" if SERVES.fullmatch(line) else line for line in block.lines)
    lines = []
    for step in "\n".join(block.lines).split("$ ")[1:]:
        command, output = step.split("\n", 1)
        # A shown error is an answer as well.
        lines += [f"same <(command {command} 2>&1) <<'SHOWN'", output.rstrip("\n"), "SHOWN"]
    return "\n".join(lines)


# Numbers, and the width of columns that depends on them, differ from run to run.
SAME = r"""
plain() { sed -E 's/[0-9]+/0/g; s/ +/ /g; s/established.*/established/'; }
same() { diff <(plain <"$1") <(plain); }
"""


def run_page(path, repository, binary):
    """Runs the blocks of a page, one after another, in a folder with what they name."""
    page = list(blocks(path, repository))
    if not any(block.run_here for block in page):
        return
    text = "\n".join(script(block) for block in page if block.run_here)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "bin").mkdir()
        shutil.copy(binary, folder / "bin/prometheus_ss_exporter")
        shutil.copytree(repository / "deploy", folder / "deploy")
        examples = [block for block in page if block.language == "yaml" and block.lines[0] in ("views:", "networks:", "collect:")]
        configuration = "\n".join(examples[0].lines) if examples else "views: {tcp: }"
        for name in ("ss.yml", "config.yml"):
            if f"--create-config {name}" not in text:
                (folder / name).write_text(configuration + "\n")
        whole = f'PATH="{folder}/bin:$PATH"\n{PREAMBLE}{SAME}{text}\n'
        done = subprocess.run(
            ["bash", "-c", whole], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{path.relative_to(repository)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        print(f"{path.relative_to(repository)}: {sum(block.run_here for block in page)} blocks run")


def run(repository, binary):
    repository = pathlib.Path(repository).resolve()
    for path in documents(repository):
        run_page(path, repository, binary)


def serve(port, answer):
    """Accepts on a port, and answers on each connection for as long as there are requests."""

    def connection(peer):
        with peer:
            while peer.recv(65536):
                peer.sendall(answer)

    def accept(server):
        while True:
            threading.Thread(target=connection, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, args=(socket.create_server(("127.0.0.1", port)),), daemon=True).start()


def traffic():
    """A service on 443, one connection on 7001, and one that is always busy on 7002."""
    for port in (443, 7001, 7002):
        serve(port, b"x" * 500)
    held = socket.create_connection(("127.0.0.1", 7001))
    client = socket.create_connection(("127.0.0.1", 443))
    busy = socket.create_connection(("127.0.0.1", 7002))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    while held:
        for one in (client, busy):
            one.sendall(b"x" * 1000)
            one.recv(65536)
        time.sleep(0.05)


if __name__ == "__main__":
    {"check": check, "run": run, "examples": examples, "traffic": traffic}[sys.argv[1]](*sys.argv[2:])
