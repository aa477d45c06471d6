#!/usr/bin/env bash
# The command top in real terminals of tmux: sizes, keys, every way out, names that would act on a terminal, another host.
#   top.sh BINARY [FOLDER]   with FOLDER, the screen of 80 x 24 and of 120 x 40 is written there as text with its colours
set -euo pipefail
binary=$(realpath "$1")
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
own_netns "$@"
# An address of this host that is not loopback.
outside=192.0.2.1
ip address add "$outside/32" dev lo
export TERM=xterm-256color LC_ALL=C.UTF-8
unset NO_COLOR
chmod 755 "$scratch"
echo "PS1='shell> '" >"$scratch/rc"
install -m 755 "$binary" "$scratch/exporter"

terminals=0
terminal=(tmux -L "top.$$" -f /dev/null)
trap '"${terminal[@]}" kill-server 2>/dev/null || true; end_all' EXIT

# shell COLUMNS LINES: a shell in a terminal of that size.
shell() {
    "${terminal[@]}" kill-server 2>/dev/null || true
    # A server that ends would take the session of the next with it.
    terminal=(tmux -L "top.$$.$((++terminals))" -f /dev/null)
    "${terminal[@]}" new-session -d -x "$1" -y "$2" "exec bash --noprofile --rcfile $scratch/rc -i"
    demand 'shell>'
    "${terminal[@]}" send-keys -l "cd $scratch; stty -g >before"
    keys Enter
    eventually 5 test -s "$scratch/before" || fail "no shell"
}

# keys KEY...: by their names in tmux, or text after -l.
keys() {
    "${terminal[@]}" send-keys "$@"
}

screen() {
    "${terminal[@]}" capture-pane -p "$@"
}

shows() {
    screen | grep -qF -- "$1"
}

# demand TEXT: the terminal shows it within 20 s.
demand() {
    eventually 20 shows "$1" || { screen >&2; fail "not on the terminal: $1"; }
}

hides() {
    ! shows "$1"
}

# demand_gone TEXT: the terminal does not show it any longer.
demand_gone() {
    eventually 20 hides "$1" || { screen >&2; fail "still on the terminal: $1"; }
}

# command_line TEXT: the shell runs it.
command_line() {
    keys -l "$1"
    keys Enter
}

# top ARGUMENTS: starts it, and waits for its table.
top() {
    command_line "clear; ./exporter top $*"
    demand "every 2 s"
    demand "Send/s"
    eventually 5 in_full_screen || fail "no alternate screen"
}

in_full_screen() {
    [ "$("${terminal[@]}" display-message -p '#{alternate_on}')" = 1 ]
}

# the process of top, the child of the shell.
process() {
    pgrep -P "$("${terminal[@]}" display-message -p '#{pane_pid}')" -x exporter
}

# demand_shell: the terminal is as it was before top: modes, cursor, screen, and the shell reads lines.
demand_shell() {
    rm -f "$scratch/after"
    eventually 10 sh -c "! pgrep -P $("${terminal[@]}" display-message -p '#{pane_pid}') -x exporter" || fail "top does not end: $1"
    command_line 'stty -g >after; echo "it is $((6 * 7))"'
    demand "it is 42"
    cmp "$scratch/before" "$scratch/after" || fail "the modes of the terminal have changed: $1"
    [ "$("${terminal[@]}" display-message -p '#{alternate_on} #{cursor_flag} #{wrap_flag}')" = "0 1 1" ] ||
        fail "the screen or the cursor is not given back: $1"
    echo "the terminal is usable after: $1"
}

hold_connections
traffic "moving" send 'busy one'
hostile=$(printf 'a\033[2J\033]0;b\007c')
traffic "hostile" send "$hostile"
start_ready "path" python3 -c '
import socket, sys, time
held = socket.socket(socket.AF_UNIX)
held.bind(sys.argv[1] + "/\x1b[31mred\n\u202e")
held.listen()
print("ready", flush=True)
time.sleep(3600)' "$scratch"

echo "-- 80 x 24"
shell 80 24
top
demand "busy one"
demand "Bottleneck"
demand "F1Help"
screen -e | grep -qP '\x1b\[([0-9;]*;)?7m' || fail "no line of titles"
[ "$(screen | wc -l)" = 24 ] || fail "not 24 lines"
! screen | grep -qP '[\x00-\x08\x0b-\x1f]' || fail "a control character"
[ "$("${terminal[@]}" display-message -p '#{pane_title}')" != b ] || fail "a name has set the title"
[ -z "${2:-}" ] || screen -e >"$2/top-80x24.ansi"
keys F6
demand "Sort by"
keys Escape
# Together with the next key it would be another one.
demand_gone "Sort by"
keys g Down Enter
demand "Sockets "
demand "busy one"
keys Enter
demand 'process = '
keys Escape
demand "all sockets"
keys g Home Enter
keys / 
demand "Filter:"
keys -l 'dprt = 3'
keys Enter
demand "found"
demand "^"
keys C-u
keys -l 'process = "busy one"'
keys Enter
demand 'process = "busy one"'
# Two samples later the busiest comes first.
demand "MB/s"
keys Enter
demand "received per second"
# Of these, only the details know the user.
demand "  user  "
keys End
demand "congestion_window"
keys Escape
demand_gone "congestion_window"
keys Escape
demand "all sockets"
keys h
demand "invert the order"
keys q
keys p
demand "PAUSED"
keys p q
demand_shell "q"

echo "-- resizing"
top
"${terminal[@]}" resize-window -x 200 -y 50
demand "Container"
"${terminal[@]}" resize-window -x 40 -y 8
demand "The terminal has 40"
"${terminal[@]}" resize-window -x 120 -y 40
demand "Recv-Q"
[ -z "${2:-}" ] || screen -e >"$2/top-120x40.ansi"
keys q
demand_shell "resizing"

echo "-- every way out"
for signal in TERM HUP INT; do
    top
    kill "-$signal" "$(process)"
    demand_shell "SIG$signal"
done
top
keys C-c
demand_shell "Ctrl-C"
top
keys C-z
demand "Stopped"
eventually 5 sh -c '! '"$(printf '%q ' "${terminal[@]}")"' display-message -p "#{alternate_on}" | grep -q 1' || fail "Ctrl-Z keeps the screen"
command_line "fg"
demand "Send/s"
kill -TSTP "$(process)"
demand "Stopped"
command_line "fg"
demand "Send/s"
keys q
demand_shell "Ctrl-Z and SIGTSTP"

echo "-- names that would act on the terminal"
shell 200 50
top -x
# The label `path` has control characters as escapes.
demand '\x1b[31mred\x0a�'
keys q
demand_shell "hostile names"

echo "-- no terminal, no colour"
command_line "clear; ./exporter top | cat; echo status \${PIPESTATUS[0]}"
demand "sockets"
demand "status 2"
command_line "clear; TERM=dumb ./exporter top; echo status \$?"
demand "status 2"
command_line "export NO_COLOR=1"
top
! screen -e | grep -P '\x1b\[([0-9;]*;)?(3[0-7]|38|9[0-7]|4[0-8])[;:m]' || fail "colours in spite of NO_COLOR"
keys q
demand_shell "NO_COLOR"

echo "-- an unprivileged user"
command_line "clear; setpriv --reuid 65534 --regid 65534 --clear-groups ./exporter top"
demand "Without CAP_"
demand "ESTAB"
keys Down
demand "F1Help"
keys q
demand_shell "an unprivileged user"

echo "-- a running exporter"
exporter
top "--url http://127.0.0.1:$port"
demand "127.0.0.1:$port"
demand "busy one"
keys /
keys -l 'dprt = 3'
keys Enter
demand "Filter: dprt = 3"
demand "found"
keys Escape
demand "all sockets"
keys q
demand_shell "--url"
listen=0.0.0.0 exporter
top "--url http://$outside:$port"
demand "--web.enable-sockets-api"
keys q
demand_shell "403"
top "--url http://127.0.0.1:1"
demand "does not answer"
keys q
demand_shell "no exporter"
kill -0 "$holder"
