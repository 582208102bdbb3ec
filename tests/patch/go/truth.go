package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

var collected uint32

func argument(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	if err != nil {
		panic(err)
	}
	return n
}

// begin: nothing of what counts has happened before, and no collection goes on when a line on the standard input says
// that whoever wants to watch is there.
func begin() {
	percent := debug.SetGCPercent(-1)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	collected = m.NumGC
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	runtime.SetBlockProfileRate(1)
	debug.SetGCPercent(percent)
}

// waited: how often a goroutine waited in functions of that name, by the runtime's own profile.
func waited() map[string]int64 {
	runtime.SetBlockProfileRate(0)
	records := make([]runtime.BlockProfileRecord, 4096)
	n, ok := runtime.BlockProfile(records)
	if !ok {
		panic("too many places to wait in")
	}
	kinds := []struct{ name, where string }{{"waits-send", "runtime.chansend"}, {"waits-recv", "runtime.chanrecv"},
		{"waits-select", "runtime.selectgo"}, {"waits-cond", "sync.(*Cond).Wait"}, {"waits-lock", "sync.(*"}}
	out := map[string]int64{}
	for _, r := range records[:n] {
		frames := runtime.CallersFrames(r.Stack())
		kind := "waits-other"
		for more := true; more && kind == "waits-other"; {
			var f runtime.Frame
			f, more = frames.Next()
			for _, k := range kinds {
				if strings.HasPrefix(f.Function, k.where) {
					kind = k.name
					break
				}
			}
		}
		out[kind] += r.Count
	}
	return out
}

func end(facts map[string]int64) {
	debug.SetGCPercent(-1) // waits for a collection that goes on
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	facts["gcs"] = int64(m.NumGC - collected)
	for name, n := range waited() {
		facts[name] = n
	}
	f, err := os.Create(os.Args[len(os.Args)-1])
	if err != nil {
		panic(err)
	}
	for name, n := range facts {
		fmt.Fprintln(f, name, n)
	}
	f.Close()
	fmt.Println("done")
}
