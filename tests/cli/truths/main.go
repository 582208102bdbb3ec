// Truths is a program that does one thing that golanes reports, or what nearly is that and must not be reported.
//
// truths [-trace FILE] [-nearly] WHAT...: each WHAT is one of the tables, done one after the other.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"time"
)

var (
	traceTo = flag.String("trace", "", "write an execution trace to `file`")
	nearly  = flag.Bool("nearly", false, "do what is nearly that, and right")
)

var others = map[string]func(){"procs": changeProcs}

// As many Ps as this says, in this order.
func changeProcs() {
	for _, n := range []int{1, 3, 2, 2, 5} {
		runtime.GOMAXPROCS(n)
		time.Sleep(20 * time.Millisecond)
	}
}

func find(what string) func() {
	for _, table := range []map[string]func(){anomalies, waits, others} {
		if f := table[what]; f != nil {
			return f
		}
	}
	return nil
}

func main() {
	flag.Parse()
	debug.SetGCPercent(-1) // it collects when it is told to
	if *traceTo != "" {
		f, err := os.Create(*traceTo)
		if err == nil {
			err = trace.Start(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer trace.Stop()
	}
	for _, what := range flag.Args() {
		f := find(what)
		if f == nil {
			fmt.Fprintln(os.Stderr, "there is no", what)
			os.Exit(2)
		}
		f()
	}
	time.Sleep(2 * time.Millisecond) // the last waits are in the trace
}
