// Gotrace_gen makes a large execution trace of a busy program: some five thousand goroutines in pipelines, worker pools,
// mutex queues, selects with timers, file calls and short-lived helpers, while the garbage collector runs. It stops when
// the trace has reached the wanted size.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"
)

// counter is where the trace goes: it knows how much has been written.
type counter struct {
	to io.Writer
	n  atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// load is the work that goes on until quit is closed.
type load struct {
	quit chan struct{}
	wg   sync.WaitGroup
	kept [1024]atomic.Pointer[parcel]
}

type parcel struct {
	id   int
	body []byte
	next *parcel
}

func (l *load) start(f func()) {
	l.wg.Add(1)
	go func() {
		defer l.wg.Done()
		f()
	}()
}

// newParcel allocates, and keeps some of it alive for the collector to find.
func (l *load) newParcel(id int) *parcel {
	p := &parcel{id: id, body: make([]byte, 64+id%16*96)}
	if id%8 == 0 {
		p.next = l.kept[id/8%len(l.kept)].Load()
		if p.next != nil {
			p.next.next = nil
		}
		l.kept[id/8%len(l.kept)].Store(p)
	}
	return p
}

// belt is a pipeline: a source, stages that pass parcels on, a sink. Every third channel has some room.
func (l *load) belt(stages int) {
	first := make(chan *parcel)
	l.start(func() {
		defer close(first)
		for id := 0; ; id++ {
			select {
			case first <- l.newParcel(id):
			case <-l.quit:
				return
			}
		}
	})
	in := first
	for i := 0; i < stages; i++ {
		from, to := in, make(chan *parcel, i%3*2)
		l.start(func() {
			defer close(to)
			for p := range from {
				p.id++
				to <- p
			}
		})
		in = to
	}
	last := in
	l.start(func() {
		for range last {
		}
	})
}

// pool is a queue with many workers that answer on a channel of the asker's own.
func (l *load) pool(workers, askers int) {
	type question struct {
		p      *parcel
		answer chan int
	}
	queue := make(chan question, workers/4)
	for i := 0; i < workers; i++ {
		l.start(func() {
			for q := range queue {
				sum := 0
				for _, b := range q.p.body {
					sum += int(b)
				}
				q.answer <- sum
			}
		})
	}
	var asking sync.WaitGroup
	for i := 0; i < askers; i++ {
		asking.Add(1)
		l.start(func() {
			defer asking.Done()
			answer := make(chan int)
			for id := 0; ; id++ {
				select {
				case <-l.quit:
					return
				case queue <- question{l.newParcel(id), answer}:
					<-answer
				}
			}
		})
	}
	l.start(func() {
		asking.Wait()
		close(queue)
	})
}

// till is a mutex that a queue of goroutines wants, each holding it for a moment.
func (l *load) till(customers int) {
	var mu sync.Mutex
	total := 0
	for i := 0; i < customers; i++ {
		l.start(func() {
			for !l.over() {
				mu.Lock()
				total++
				if total%64 == 0 {
					runtime.Gosched()
				}
				mu.Unlock()
				time.Sleep(50 * time.Microsecond)
			}
		})
	}
}

// clock waits in a select for a ticker, a peer, or the end.
func (l *load) clock(pairs int) {
	for i := 0; i < pairs; i++ {
		left, right := make(chan int), make(chan int)
		every := time.Duration(1+i%7) * time.Millisecond
		talk := func(in <-chan int, out chan<- int) func() {
			return func() {
				tick := time.NewTicker(every)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						select {
						case out <- 1:
						default:
						}
					case <-in:
					case <-l.quit:
						return
					}
				}
			}
		}
		l.start(talk(left, right))
		l.start(talk(right, left))
	}
}

// clerk writes and reads a file: system calls.
func (l *load) clerk(path string) {
	l.start(func() {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return
		}
		defer f.Close()
		page := make([]byte, 512)
		for n := int64(0); !l.over(); n++ {
			if _, err := f.WriteAt(page, n%64*512); err != nil {
				return
			}
			if _, err := f.ReadAt(page, n%32*512); err != nil {
				return
			}
			time.Sleep(200 * time.Microsecond)
		}
	})
}

// errands makes goroutines that live for one small thing.
func (l *load) errands(senders int) {
	for i := 0; i < senders; i++ {
		l.start(func() {
			for id := 0; !l.over(); id++ {
				done := make(chan *parcel)
				go func() { done <- l.newParcel(id) }()
				<-done
				if id%32 == 0 {
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
	}
}

func (l *load) over() bool {
	select {
	case <-l.quit:
		return true
	default:
		return false
	}
}

func generate(out string, size int64) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "gotrace_gen-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)

	to := &counter{to: f}
	if err := trace.Start(to); err != nil {
		return err
	}
	l := &load{quit: make(chan struct{})}
	for i := 0; i < 150; i++ {
		l.belt(18)
	}
	for i := 0; i < 8; i++ {
		l.pool(96, 48)
	}
	l.till(200)
	l.clock(400)
	for i := 0; i < 16; i++ {
		l.clerk(fmt.Sprintf("%s/%d", folder, i))
	}
	l.errands(40)

	most := 0
	for to.n.Load() < size {
		time.Sleep(20 * time.Millisecond)
		if n := runtime.NumGoroutine(); n > most {
			most = n
		}
	}
	close(l.quit)
	trace.Stop()
	fmt.Println(most)
	return f.Close()
}

func main() {
	out := flag.String("o", "", "write the trace to `file`")
	mb := flag.Int64("mb", 100, "stop when the trace has this many `megabytes`")
	flag.Parse()
	if *out == "" || *mb < 1 || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := generate(*out, *mb<<20); err != nil {
		fmt.Fprintln(os.Stderr, "gotrace_gen:", err)
		os.Exit(1)
	}
}
