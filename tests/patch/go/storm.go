// Goroutines, channels, selects, timers, mutexes, growing stacks and collections; says how much of each there was:
// "truth NAME COUNT" for what main itself did and had done.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var created, sends, recvs, closes, selects, made int64

func spawn(f func()) {
	atomic.AddInt64(&created, 1)
	go f()
}

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

//go:noinline
func deep(n int) int {
	var pad [128]byte
	pad[n%128] = byte(n)
	if n == 0 {
		return int(pad[0])
	}
	return deep(n-1) + int(pad[n%128]&1)
}

func unbuffered(n int) {
	a, b, done := newChan(0), newChan(0), newChan(0)
	spawn(func() {
		for i := 0; i < n; i++ {
			v, _ := recv(a)
			send(b, v)
		}
		send(done, 1)
	})
	for i := 0; i < n; i++ {
		send(a, i)
		recv(b)
	}
	recv(done)
}

func buffered(n int) {
	c, done := newChan(16), newChan(1)
	spawn(func() {
		for {
			if _, ok := recv(c); !ok {
				break
			}
		}
		send(done, 1)
	})
	for i := 0; i < n; i++ {
		send(c, i)
	}
	shut(c)
	recv(done)
}

func selecting(n int) {
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
	for i := 0; i < n; i++ {
		atomic.AddInt64(&selects, 1)
		select {
		case <-a:
		case <-b:
		}
	}
	recv(done)
}

func many(n int) {
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
				time.Sleep(time.Duration(i%7) * 100 * time.Microsecond)
			}
			if i%11 == 0 {
				runtime.Gosched()
			}
		})
		if i%500 == 0 {
			runtime.GC()
		}
	}
	wg.Wait()
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	unbuffered(n)
	buffered(2 * n)
	selecting(n)
	many(2 * n)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("truth created", created)
	fmt.Println("truth sends", sends)
	fmt.Println("truth recvs", recvs)
	fmt.Println("truth closes", closes)
	fmt.Println("truth selects", selects)
	fmt.Println("truth made", made)
	fmt.Println("truth gcs", m.NumGC)
}
