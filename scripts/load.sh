#!/usr/bin/env bash
# Run the tap into a target, from the last state that the target wrote: load.sh [FOLDER]
#
# FOLDER (by default the current one) holds config.json and target.json, and catalog.json
# to select streams. The script writes states.jsonl, load.log, the lock, and complete.log:
# the time of the last run that read everything. It prints nothing unless a run fails.
# Only its user can read what it, the tap and the target write. These variables change what it runs:
#
#   TAP, TARGET   commands or paths (tap-gorgias, target-duckdb), also found in .venv/bin
#                 and .venv-target/bin of FOLDER, and in ~/.local/bin
#   CATALOG       file of the catalog (catalog.json)
#   MAX_HOURS     how long a run may hold the lock before later ones fail (24)
#   WAIT_SECONDS  how long to wait for the lock (0)
set -uo pipefail
umask 077

fail() {
  echo "load.sh: $2" >&2
  exit "$1"
}

# The lines of a log that tell a cause, or else all. Targets add rows to their errors: a row
# goes on until the next record of the log.
causes() {
  awk '
    /^([0-9-]+ [0-9:,]+ \||time=|Traceback )/ { row = 0 }
    /^(DETAIL|CONTEXT|QUERY|LINE [0-9]+):|^[[{]/ { row = 1 }
    row { next }
    { sub(/(DETAIL|parameters): .*/, ""); others = others $0 "\n" }
    /^([0-9-]+ [0-9:,]+ \| |time=.* level=)?(ERROR|CRITICAL|FATAL) / ||
    /^[A-Za-z0-9_.]*(Error|Exception)(:|$)/ ||
    trace && /^[^ ]/ { errors = errors $0 "\n"; trace = 0 }
    /^Traceback / { trace = 1 }
    END { printf "%s", errors ? errors : others }
  '
}

cd "${1:-.}" || exit 1
home=~
PATH="$PWD/.venv/bin:$PWD/.venv-target/bin:$home/.local/bin:$PATH"
tap=${TAP:-tap-gorgias} target=${TARGET:-target-duckdb} catalog=${CATALOG:-catalog.json}
for command in "$tap" "$target" awk flock python3; do
  command -v "$command" > /dev/null || fail 127 "$command was not found."
done

exec 9>> lock
if ! flock --timeout "${WAIT_SECONDS:-0}" 9; then
  hours=$((($(date +%s) - $(stat --format %Y lock)) / 3600))
  ((hours < ${MAX_HOURS:-24})) || fail 1 "a run has held $PWD/lock for $hours hours."
  exit 0
fi
touch lock

# A power cut can leave a line unfinished. Keep the last 1,000 states that are whole.
python3 - << 'END' || fail 1 "states.jsonl and state.json cannot be written."
import json, os

def whole(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False

states = []
if os.path.exists("states.jsonl"):
    with open("states.jsonl", "rb") as file:
        states = [line.strip() + b"\n" for line in file if whole(line)]
states = states[-1000:] or [b"{}\n"]
for name, lines in ("states.jsonl", states), ("state.json", states[-1:]):
    with open(name + ".new", "wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name + ".new", name)
END
if [[ -e load.log ]]; then
  tail -n 10000 load.log > load.log.new && mv load.log.new load.log
fi
before=$(cat load.log 2> /dev/null | wc -l)

arguments=(--config config.json --state state.json)
[[ -e $catalog ]] && arguments+=(--catalog "$catalog")
"$tap" "${arguments[@]}" 2>> load.log \
  | "$target" --config target.json 2>> load.log >> states.jsonl
codes=("${PIPESTATUS[@]}")
# A target that fails makes the tap fail, too.
code=$((codes[1] ? codes[1] : codes[0]))
if ((code)); then
  tail -n +$((before + 1)) load.log | causes | tail -n 10 >&2
  fail "$code" "$tap exited with ${codes[0]}, $target with ${codes[1]}: see $PWD/load.log."
fi
date --utc +%FT%TZ > complete.log
