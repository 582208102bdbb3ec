package main

import (
	"crypto/sha512"
	"runtime"
	"sync"
	"time"
)

var anomalies = map[string]func(){
	"send-on-closed":      sendOnClosed,
	"close-of-closed":     closeOfClosed,
	"close-of-nil":        closeOfNil,
	"dead-by-panic":       deadByPanic,
	"goroutine-explosion": explosion,
	"busy-select":         busySelect,
	"gosched-storm":       goschedStorm,
	"timer-storm":         timerStorm,
	"long-runnable":       longRunnable,
	"delayed-unpark":      delayedUnpark,
}

// guarded does f in a goroutine of its own, and recovers.
func guarded(f func()) {
	done := make(chan bool)
	go func() {
		defer func() {
			_ = recover()
			done <- true
		}()
		f()
	}()
	<-done
}

// One send after the close, one that waits while the channel is closed, one of a select. Nearly: the close comes last.
func sendOnClosed() {
	c := make(chan int, 1)
	if *nearly {
		guarded(func() { c <- 1; close(c) })
		guarded(func() { <-c; <-c })
		return
	}
	guarded(func() { close(c) })
	guarded(func() { c <- 1 })
	guarded(func() {
		select {
		case c <- 2:
		case <-time.After(time.Second):
		}
	})
	waits := make(chan int)
	time.AfterFunc(5*time.Millisecond, func() { close(waits) })
	guarded(func() { waits <- 1 })
}

// Nearly: whoever comes second finds that it was done.
func closeOfClosed() {
	c := make(chan int)
	var once sync.Once
	for i := 0; i < 2; i++ {
		if *nearly {
			guarded(func() { once.Do(func() { close(c) }) })
		} else {
			guarded(func() { close(c) })
		}
	}
}

// Nearly: a nil channel is what a select is to pass over.
func closeOfNil() {
	var c chan int
	if *nearly {
		guarded(func() {
			select {
			case <-c:
			default:
			}
		})
		return
	}
	guarded(func() { close(c) })
}

// Nearly: it is recovered from.
func deadByPanic() {
	if *nearly {
		guarded(func() { panic("not the end") })
		time.Sleep(150 * time.Millisecond)
		return
	}
	go func() { panic("the end") }()
	time.Sleep(10 * time.Second)
}

// 1500 goroutines that all wait. Nearly: as many, but never more than 500 of them at a time.
func explosion() {
	most := 1500
	if *nearly {
		most = 500
	}
	for made := 0; made < 1500; made += most {
		hold := make(chan bool)
		var all sync.WaitGroup
		for i := 0; i < most; i++ {
			all.Add(1)
			go func() { <-hold; all.Done() }()
		}
		close(hold)
		all.Wait()
		for runtime.NumGoroutine() > 50 { // they have ended, too
			time.Sleep(time.Millisecond)
		}
	}
}

// Looks 20000 times for what does not come. Nearly: waits a little after each fifty.
func busySelect() {
	c := make(chan int)
	done := make(chan bool)
	go func() {
		for i := 1; i <= 20000; i++ {
			select {
			case <-c:
			default:
			}
			if *nearly && i%50 == 0 {
				time.Sleep(time.Microsecond)
			}
		}
		close(done)
	}()
	<-done
}

// Yields 20000 times in a row. Nearly: 2000 times, each after some work.
func goschedStorm() {
	done := make(chan bool)
	go func() {
		data := make([]byte, 128<<10)
		for i := 0; i < 20000; i++ {
			if *nearly {
				data[0] = sha512.Sum512(data)[0]
				i += 9
			}
			runtime.Gosched()
		}
		close(done)
	}()
	<-done
}

// 1200 goroutines that sleep twenty times for next to nothing. Nearly: 20 of them.
func timerStorm() {
	sleepers := 1200
	if *nearly {
		sleepers = 20
	}
	var all sync.WaitGroup
	for i := 0; i < sleepers; i++ {
		all.Add(1)
		go func() {
			for k := 0; k < 20; k++ {
				time.Sleep(10 * time.Microsecond)
			}
			all.Done()
		}()
		if i%100 == 99 {
			runtime.Gosched()
		}
	}
	all.Wait()
}

// Eight want the one processor for a while, so that each waits for the others. Nearly: one after the other.
func longRunnable() {
	was := runtime.GOMAXPROCS(1)
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			for begin := time.Now(); time.Since(begin) < 20*time.Millisecond; {
			}
			all.Done()
		}()
		if *nearly {
			all.Wait()
		}
	}
	all.Wait()
	runtime.GOMAXPROCS(was)
}

// One is woken; then a pause begins, which has to wait for one that hashes. Nearly: nothing is collected.
func delayedUnpark() {
	runtime.GOMAXPROCS(4)
	var quit sync.WaitGroup
	stop := make(chan bool)
	quit.Add(1)
	go func() {
		defer quit.Done()
		data := make([]byte, 16<<20)
		for {
			select {
			case <-stop:
				return
			default:
				data[0] = sha512.Sum512(data)[0]
			}
		}
	}()
	work := make(chan int)
	for i := 0; i < 8; i++ {
		quit.Add(1)
		go func() {
			defer quit.Done()
			for n := range work {
				if !*nearly && n%25 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	for i := 1; i <= 500; i++ {
		work <- i
	}
	close(work)
	close(stop)
	quit.Wait()
}
