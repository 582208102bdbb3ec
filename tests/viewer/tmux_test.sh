#!/bin/sh
# The viewer on a real terminal (tmux): it starts, answers keys, follows a resize down to a plain word, and gives the
# terminal back on every way out. GOLANES is the program.
set -eu
command -v tmux >/dev/null 2>&1 || { echo "SKIP: tmux is not installed"; exit 77; }
here=$(dirname "$0")
corpus=${GOLANES_CORPUS:-$here/../../../shared/corpus}
trace=$corpus/programs/pipeline-go1.26.trace.zst
[ -r "$trace" ] || trace=$(find "$here/../corpus" -name '*.trace*' 2>/dev/null | head -n 1)
[ -n "$trace" ] || { echo "SKIP: no trace to look at"; exit 77; }
work=$(mktemp -d)
export TMUX_TMPDIR="$work"
# The viewer keeps bookmarks beside the trace, and reads a configuration: both from here.
export HOME="$work/home" XDG_CONFIG_HOME="$work/config" XDG_STATE_HOME="$work/state"
mkdir -p "$HOME" "$work/traces" "$XDG_CONFIG_HOME/golanes"
cp "$trace" "$work/traces/"
trace=$work/traces/$(basename "$trace")
unset TMUX
# Each start has a server of its own: one that is just leaving takes no new session.
n=0
t() { tmux -L "s$n" "$@"; }
end() { t kill-server 2>/dev/null || true; rm -rf "$work"; }
trap end EXIT

screen() { t capture-pane -p -t v; }
# Waits until the screen shows (or with "no" does not show) a text.
await() {
    i=0
    while [ $i -lt 100 ]; do
        if [ "$1" = no ]; then screen | grep -qF -e "$2" || return 0; else screen | grep -qF -e "$1" && return 0; fi
        i=$((i + 1))
        sleep 0.1
    done
    echo "the screen does not come to: $*"; screen; exit 1
}
start() {
    t kill-server 2>/dev/null || true
    n=$((n + 1))
    t -f /dev/null new-session -d -s v -x 100 -y 30 \
        "stty -g >'$work/before'; env -u NO_COLOR LC_ALL=C.UTF-8 '$GOLANES' view '$trace' 2>'$work/err'; echo \"LEFT \$?\" | tee '$work/code'; stty -g >'$work/after'; sleep 60"
    await "? keys"
}
# The terminal must be as it was, and nothing of the screen left.
left() {
    await "LEFT $1"
    i=0
    while [ ! -s "$work/after" ] && [ $i -lt 50 ]; do i=$((i + 1)); sleep 0.1; done
    cmp "$work/before" "$work/after" || { echo "the terminal's modes differ after: $2"; exit 1; }
    screen | grep -qF "? keys" && { echo "the screen is still there after: $2"; screen; exit 1; }
    rm -f "$work/after" "$work/code"
}
pid_of_viewer() { pgrep -P "$(t display-message -p -t v '#{pane_pid}')" -f ' view '; }

start
t send-keys -t v 6; await "reason"
t send-keys -t v 1; await "s/S straddle"
t send-keys -t v '?'; await "legend and keys"
t send-keys -t v Escape; await "s/S straddle"
t send-keys -t v '/'; t send-keys -t v 'GCSTW' Enter; await "found"
t resize-window -t v -x 19 -y 4; await "too small"
t resize-window -t v -x 20 -y 5; await no "too small"
t resize-window -t v -x 150 -y 45; await "row "
t send-keys -t v q; left 0 "q"
[ -s "$work/err" ] && { cat "$work/err"; exit 1; }

for signal in TERM HUP INT; do
    start
    kill -"$signal" "$(pid_of_viewer)"
    case $signal in TERM) left 143 "SIGTERM";; HUP) left 129 "SIGHUP";; INT) left 130 "SIGINT";; esac
done

start
kill -ABRT "$(pid_of_viewer)"
left 134 "a crash"

# A bookmark is there again the next time: beside the trace, or in the state folder where nothing can be written there.
start
t send-keys -t v p m a; await "bookmark a is here"
t send-keys -t v q; left 0 "q after a bookmark"
kept=$work/traces/.$(basename "$trace").golanes
grep -q '^a = [0-9]' "$kept" || { echo "the bookmark is not beside the trace"; exit 1; }
start
t send-keys -t v "'" a; await "bookmark a"
t send-keys -t v q; left 0 "q"
if [ "$(id -u)" != 0 ]; then
    rm -f "$kept"; chmod a-w "$work/traces"
    start
    t send-keys -t v m b; await "bookmark b is here"
    t send-keys -t v q; left 0 "q"
    chmod u+w "$work/traces"
    grep -q '^b = ' "$work/state/golanes/"* || { echo "the bookmark is not in the state folder"; exit 1; }
fi

# The editor gets the terminal and gives it back; the configuration gives keys, and says where sources are.
cat >"$work/editor" <<EDITOR
#!/bin/sh
echo "\$@" >'$work/edited'
echo "IN THE EDITOR"
sleep 1
EDITOR
chmod +x "$work/editor"
to_a_wait() { t send-keys -t v /; t send-keys -t v 'chan (send|receive)' Enter; await "found"; t send-keys -t v n "$1" Enter; }
start
to_a_wait .
t send-keys -t v Enter; await "is not here"
source=$(screen | grep -o '[^ ]*\.go is not here')
source=${source% is not here}
folder=$(screen | sed -n 's/.* can map \(\/[^ ]*\) *$/\1/p')
t send-keys -t v q; left 0 "q"
mkdir -p "$work/src"
echo "package main" >"$work/src/$source"
printf '[view]\neditor = %s\n[keys]\nnext-change = W\n[source]\n%s = %s\n' "$work/editor" "$folder" "$work/src" >"$XDG_CONFIG_HOME/golanes/config"
start
to_a_wait W
t send-keys -t v Enter; await "IN THE EDITOR"; await "? keys"
grep -q "^+[0-9]* $work/src/.*\.go" "$work/edited" || { echo "the editor was called with: $(cat "$work/edited")"; exit 1; }
t send-keys -t v q; left 0 "q after the editor"
printf '[keys]\nno-such-command = W\n' >"$XDG_CONFIG_HOME/golanes/config"
LC_ALL=C.UTF-8 TERM=xterm "$GOLANES" view "$trace" 2>"$work/err" </dev/null && { echo "a wrong configuration was taken"; exit 1; }
grep -q 'config: line 2: there is no command no-such-command' "$work/err" || { cat "$work/err"; exit 1; }
rm -f "$XDG_CONFIG_HOME/golanes/config"

# A terminal that goes away ends the viewer too.
start
pid=$(pid_of_viewer)
t kill-server
i=0
while kill -0 "$pid" 2>/dev/null && [ $i -lt 50 ]; do i=$((i + 1)); sleep 0.1; done
kill -0 "$pid" 2>/dev/null && { echo "the viewer goes on without its terminal"; kill -9 "$pid"; exit 1; }
echo "every way out gives the terminal back"
