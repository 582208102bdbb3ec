// Differs is a program whose runs are alike, and which can be told to get worse in one thing.
//
// Clients ask a server over a channel and wait for its answers; a few helpers share a lock; the collector runs on its own
// and when it is asked to. A goroutine is nearly always inside a hash that cannot be stopped half-way: that is what the
// collector's pauses wait for, so their length follows -chunk.
package main

import (
	"crypto/sha512"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

type request struct {
	n      int
	answer chan int
}

var (
	traceTo  = flag.String("trace", "", "write an execution trace to `file`")
	requests = flag.Int("requests", 300, "by each client")
	chunk    = flag.Int("chunk", 1024, "`KB` that are hashed at a go")
	leak     = flag.Int("leak", 0, "goroutines left behind")
	capacity = flag.Int("cap", 32, "of the server's queue")
)

var sink [][]byte

func hash(quit chan struct{}, done *sync.WaitGroup) {
	defer done.Done()
	data := make([]byte, *chunk<<10)
	for {
		select {
		case <-quit:
			return
		default:
			sum := sha512.Sum512(data)
			data[0] = sum[0]
		}
	}
}

func serve(queue chan request) {
	for r := range queue {
		kept := make([]byte, 4096)
		kept[r.n%4096] = 1
		if r.n%16 == 0 {
			sink = append(sink[:len(sink)%64], kept)
		}
		r.answer <- r.n + 1
	}
}

func ask(queue chan request, lock *sync.Mutex, total *int, done *sync.WaitGroup) {
	defer done.Done()
	answer := make(chan int)
	for i := 0; i < *requests; i++ {
		queue <- request{i, answer}
		n := <-answer
		lock.Lock()
		*total += n
		lock.Unlock()
		if i%50 == 49 {
			time.Sleep(200 * time.Microsecond)
		}
	}
}

func left(c chan int) { <-c }

func main() {
	flag.Parse()
	if *traceTo != "" {
		f, err := os.Create(*traceTo)
		if err == nil {
			err = trace.Start(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "differs:", err)
			os.Exit(1)
		}
		defer f.Close()
		defer trace.Stop()
	}
	queue := make(chan request, *capacity)
	quit, total := make(chan struct{}), 0
	var lock sync.Mutex
	var clients, others sync.WaitGroup
	others.Add(1)
	go hash(quit, &others)
	for i := 0; i < 2; i++ {
		go serve(queue)
	}
	for i := 0; i < 8; i++ {
		clients.Add(1)
		go ask(queue, &lock, &total, &clients)
	}
	for i := 0; i < 25; i++ {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	for i := 0; i < *leak; i++ {
		go left(make(chan int))
	}
	clients.Wait()
	close(queue)
	close(quit)
	others.Wait()
	time.Sleep(time.Millisecond)
	fmt.Println(total)
}
