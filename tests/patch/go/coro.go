// Iterators that are pulled: each value is a switch to another goroutine and back, past the scheduler.
//
//	coro VALUES TRUTH
package main

import (
	"fmt"
	"iter"
	"runtime"
)

var switches, pulls int64

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

func pull(n int) int {
	next, stop := iter.Pull(count(n))
	pulls++
	total := 0
	for {
		v, ok := next()
		switches++ // to the iterator; back it comes by itself, the last time by its end
		if !ok {
			break
		}
		switches++
		total += v
		if v%1000 == 0 {
			runtime.GC()
		}
	}
	stop()
	return total
}

func main() {
	n := argument(1)
	begin()
	total := 0
	for i := 0; i < 20; i++ {
		total += pull(i + n/20)
	}
	c := make(chan int)
	go func() { c <- pull(n) }()
	fmt.Println("pulled", total, <-c)
	end(map[string]int64{"created": pulls + 1, "switches": switches})
}
