// Sends that wait over a collection, and sends that do not, with the program's own stamps around them.
//
//	straddle ROUNDS
//
// A line for each send: kind (unbuffered, buffered), channel, whether a collection took place meanwhile, how long the send
// took, and how long the world stood still, as the runtime has it, in nanoseconds. Then "total", collections and
// nanoseconds of all.
package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"
)

type turn struct {
	c           chan int
	start, take chan bool
	took        chan time.Duration
	under       int32
}

//go:noinline
func sendInTime(t *turn) {
	for range t.start {
		began := time.Now()
		atomic.StoreInt32(&t.under, 1)
		t.c <- 1
		t.took <- time.Since(began)
	}
}

//go:noinline
func receiveLate(t *turn) {
	for range t.take {
		<-t.c
	}
}

var waits = regexp.MustCompile(`\[chan send[^\n]*\]:\nmain\.sendInTime`)

func stacks() []byte {
	b := make([]byte, 1<<20)
	return b[:runtime.Stack(b, true)]
}

func paused() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.PauseTotalNs
}

var garbage []byte

// One collection, because of what was allocated: runtime.GC would yield in a loop until all is swept, hundreds of thousands
// of times.
func collect() {
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	debug.SetGCPercent(100)
	for now.NumGC <= before.NumGC {
		for i := 0; i < 16; i++ {
			garbage = make([]byte, 1<<16)
		}
		runtime.ReadMemStats(&now)
	}
	debug.SetGCPercent(-1)
}

func rounds(kind string, capacity, n int) {
	t := &turn{make(chan int, capacity), make(chan bool), make(chan bool), make(chan time.Duration), 0}
	for i := 0; i < capacity; i++ {
		t.c <- 0
	}
	go sendInTime(t)
	go receiveLate(t)
	for i := 0; i < n; i++ {
		before := paused()
		atomic.StoreInt32(&t.under, 0)
		t.start <- true
		for atomic.LoadInt32(&t.under) == 0 {
			time.Sleep(time.Millisecond)
		}
		for !waits.Match(stacks()) { // on a busy machine it may be long in coming
			time.Sleep(10 * time.Millisecond)
		}
		if i%2 == 0 {
			collect()
		}
		t.take <- true
		took := <-t.took
		fmt.Printf("%s %p %v %d %d\n", kind, t.c, i%2 == 0, took.Nanoseconds(), paused()-before)
	}
}

var kept [][]byte

//go:noinline
func press() {
	c := make(chan []byte, 4)
	done := make(chan bool)
	go func() {
		for b := range c {
			kept = append(kept, b)
			if len(kept) > 2000 {
				kept = kept[1000:]
			}
		}
		done <- true
	}()
	for i := 0; i < 20000; i++ {
		c <- make([]byte, 4096)
	}
	close(c)
	<-done
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	debug.SetGCPercent(-1)
	rounds("unbuffered", 0, n)
	rounds("buffered", 4, n)
	debug.SetGCPercent(20)
	press()
	debug.SetGCPercent(-1)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("total", m.NumGC, m.PauseTotalNs)
}
