// Differs is a program whose runs are alike, and which can be told to get worse in one thing.
//
// Clients ask a server over a channel and wait for its answers; a few helpers share a lock; the collector runs when it is
// asked to. Meanwhile a goroutine hashes, in pieces that cannot be stopped half-way: the collector's pauses wait for the
// end of one, so their length follows -hold, and nothing else does.
package main

import (
	"crypto/sha512"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

type request struct {
	n      int
	answer chan int
}

var (
	traceTo  = flag.String("trace", "", "write an execution trace to `file`")
	requests = flag.Int("requests", 300, "by each client")
	rounds   = flag.Int("rounds", 90, "of the collector")
	hold     = flag.Int("hold", 2048, "`KB` that are hashed at a go while the collector runs")
	leak     = flag.Int("leak", 0, "goroutines left behind")
	capacity = flag.Int("cap", 32, "of the server's queue")
)

var sink [][]byte

// From each round that it is told of until that is over.
func hash(round chan int32, over *atomic.Int32, done *sync.WaitGroup) {
	defer done.Done()
	data := make([]byte, *hold<<10)
	for r := range round {
		for over.Load() < r {
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
	round, total := make(chan int32), 0
	var over atomic.Int32
	var lock sync.Mutex
	var clients, others sync.WaitGroup
	others.Add(1)
	go hash(round, &over, &others)
	for i := 0; i < 2; i++ {
		go serve(queue)
	}
	for i := 0; i < 8; i++ {
		clients.Add(1)
		go ask(queue, &lock, &total, &clients)
	}
	for i := 1; i <= *rounds; i++ {
		round <- int32(i)
		runtime.GC()
		over.Store(int32(i))
		time.Sleep(time.Millisecond)
	}
	for i := 0; i < *leak; i++ {
		go left(make(chan int))
	}
	clients.Wait()
	close(queue)
	close(round)
	others.Wait()
	time.Sleep(time.Millisecond)
	fmt.Println(total)
}
