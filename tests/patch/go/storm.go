// Goroutines, channels, selects, timers, mutexes, growing stacks and collections; says how much of each there was.
//
//	storm OPERATIONS GOROUTINES TRUTH
//
// It waits for a line on its standard input before it begins. "NAME COUNT" for what it did itself, as it counted, and for
// how often it waited, as the runtime's own profile of waits has it, goes into the file TRUTH; to standard output goes
// only what is the same in each run.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var created, sends, recvs, closes, selects, made, timers, sleeps int64

func spawn(f func()) {
	atomic.AddInt64(&created, 1)
	go f()
}

//go:noinline
func newChan(n int) chan int {
	atomic.AddInt64(&made, 1)
	return make(chan int, n)
}

func send(c chan int, v int) {
	atomic.AddInt64(&sends, 1)
	c <- v
}

func recv(c chan int) (int, bool) {
	atomic.AddInt64(&recvs, 1)
	v, ok := <-c
	return v, ok
}

func shut(c chan int) {
	atomic.AddInt64(&closes, 1)
	close(c)
}

func nap(d time.Duration) {
	atomic.AddInt64(&sleeps, 1)
	time.Sleep(d)
}

//go:noinline
func deep(n int) int {
	var pad [128]byte
	pad[n%128] = byte(n)
	if n == 0 {
		return int(pad[0])
	}
	return deep(n-1) + int(pad[n%128]&1)
}

func unbuffered(n int) int {
	a, b, done := newChan(0), newChan(0), newChan(0)
	spawn(func() {
		for i := 0; i < n; i++ {
			v, _ := recv(a)
			send(b, v)
		}
		send(done, 1)
	})
	total := 0
	for i := 0; i < n; i++ {
		send(a, i)
		v, _ := recv(b)
		total += v
	}
	recv(done)
	return total
}

func buffered(n int) int {
	c, done := newChan(16), newChan(1)
	spawn(func() {
		total := 0
		for {
			v, ok := recv(c)
			if !ok {
				break
			}
			total += v
		}
		send(done, total)
	})
	for i := 0; i < n; i++ {
		send(c, i)
	}
	shut(c)
	v, _ := recv(done)
	return v
}

func selecting(n int) int {
	a, b, done := newChan(0), newChan(1), newChan(0)
	spawn(func() {
		for i := 0; i < n; i++ {
			atomic.AddInt64(&selects, 1)
			select {
			case a <- i:
			case b <- i:
			}
		}
		shut(done)
	})
	total := 0
	for i := 0; i < n; i++ {
		atomic.AddInt64(&selects, 1)
		select {
		case v := <-a:
			total += v
		case v := <-b:
			total += v
		}
	}
	recv(done)
	return total
}

func timing(n int) int {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		d := time.Duration(i%5) * 50 * time.Microsecond
		spawn(func() {
			defer wg.Done()
			atomic.AddInt64(&timers, 1)
			<-time.After(d + time.Microsecond)
			nap(d + time.Microsecond)
		})
	}
	tick := time.NewTicker(100 * time.Microsecond)
	for i := 0; i < n/10; i++ {
		atomic.AddInt64(&timers, 1)
		<-tick.C
	}
	tick.Stop()
	wg.Add(1)
	atomic.AddInt64(&created, 1) // the function of a timer runs in a goroutine of its own
	time.AfterFunc(time.Millisecond, wg.Done)
	wg.Wait()
	return n
}

func locking(n int) int {
	var mu sync.Mutex
	var rw sync.RWMutex
	var wg sync.WaitGroup
	cond := sync.NewCond(&mu)
	total, ready := 0, false
	for i := 0; i < 8; i++ {
		wg.Add(1)
		spawn(func() {
			defer wg.Done()
			mu.Lock()
			for !ready {
				cond.Wait()
			}
			mu.Unlock()
			for k := 0; k < n; k++ {
				rw.RLock()
				rw.RUnlock()
				mu.Lock()
				total++
				if k%16 == 0 {
					runtime.Gosched()
				}
				mu.Unlock()
				if k%64 == 0 {
					rw.Lock()
					rw.Unlock()
				}
			}
		})
	}
	nap(time.Millisecond)
	mu.Lock()
	ready = true
	mu.Unlock()
	cond.Broadcast()
	wg.Wait()
	return total
}

func many(n int) int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := 0; i < n; i++ {
		wg.Add(1)
		i := i
		spawn(func() {
			defer wg.Done()
			v := deep(i % 300)
			mu.Lock()
			total += v + len(make([]byte, 2000+i%100))
			mu.Unlock()
			if i%50 == 0 {
				nap(time.Duration(1+i%7) * 100 * time.Microsecond)
			}
			if i%11 == 0 {
				runtime.Gosched()
			}
		})
		if i%(n/20+1) == 0 {
			runtime.GC()
		}
	}
	wg.Wait()
	return total
}

func main() {
	n, goroutines := argument(1), argument(2)
	begin()
	fmt.Println("unbuffered", unbuffered(n))
	fmt.Println("buffered", buffered(2*n))
	fmt.Println("selecting", selecting(n))
	fmt.Println("timing", timing(n/4))
	fmt.Println("locking", locking(n/4))
	fmt.Println("many", many(goroutines))
	end(map[string]int64{"created": created, "sends": sends, "recvs": recvs, "closes": closes, "selects": selects,
		"made": made, "timers": timers, "sleeps": sleeps})
}
