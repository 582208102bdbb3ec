// Works for a while, in every way that attaching could disturb: channels, a mutex, timers, collections, a profile at a
// high rate, children. Ends with 0 and "done" if nothing went wrong: after the time, or when its standard input, where
// that is a pipe, is closed.
//
//	busy TIME all|quiet
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

func worker(in, out chan int, mu *sync.Mutex, m map[int]int) {
	for v := range in {
		b := make([]byte, 1000+v%5000)
		mu.Lock()
		m[v%10] += len(b)
		mu.Unlock()
		out <- v
	}
}

func children(until time.Time) {
	for time.Now().Before(until) {
		o, err := exec.Command("/bin/echo", "hi").Output()
		if err != nil || string(o) != "hi\n" {
			fmt.Println("a child failed:", err, string(o))
			os.Exit(3)
		}
	}
}

func watchInput(stop chan bool) {
	if st, err := os.Stdin.Stat(); err == nil && st.Mode()&os.ModeNamedPipe != 0 {
		io.Copy(io.Discard, os.Stdin)
		close(stop)
	}
}

func main() {
	d, _ := time.ParseDuration(os.Args[1])
	stop := make(chan bool)
	go watchInput(stop)
	until := time.Now().Add(d)
	if len(os.Args) > 2 && os.Args[2] != "quiet" {
		runtime.SetCPUProfileRate(2000)
		pprof.StartCPUProfile(io.Discard)
		go children(until)
	}
	in, out := make(chan int), make(chan int, 16)
	var mu sync.Mutex
	m := map[int]int{}
	for i := 0; i < 6; i++ {
		go worker(in, out, &mu, m)
	}
	go func() {
		for range time.NewTicker(2 * time.Millisecond).C {
			runtime.Gosched()
		}
	}()
	fmt.Println("ready")
	sent, got := 0, 0
	for running := true; running && time.Now().Before(until); {
		select {
		case in <- sent:
			sent++
		case <-out:
			got++
		case <-stop:
			running = false
		}
		if sent%64 == 0 {
			time.Sleep(200 * time.Microsecond)
		}
	}
	for got < sent {
		<-out
		got++
	}
	fmt.Println("done")
}
