// Pipeline is a small order-processing program with something in it for every part of golanes' summary.
//
// Producers make orders and send them to a buffered queue. Workers take orders, do some work that allocates, and hand
// receipts to one ledger over an unbuffered channel, so that somebody is nearly always waiting to send. The garbage
// keeps the collector busy: many of those sends last across one of its stop-the-world pauses, they straddle it. One
// goroutine is left behind on purpose: an audit that waits for an answer which nobody will ever send.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/trace"
	"sync"
	"time"
)

type order struct {
	id    int
	lines [][]byte
}

type receipt struct {
	order int
	sum   uint32
}

// recent keeps some orders alive for a while, so that each collection has live memory to mark.
type recent struct {
	mu     sync.Mutex
	orders [512]*order
}

func (r *recent) remember(o *order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.orders[o.id%len(r.orders)] = o
}

func newOrder(id int) *order {
	o := &order{id: id}
	for i := 0; i < 4+id%13; i++ {
		line := make([]byte, 256+id%7*512)
		line[0] = byte(id + i)
		o.lines = append(o.lines, line)
	}
	return o
}

// produce sends orders until the deadline. The queue is buffered: a send waits only while the workers are behind.
func produce(ctx context.Context, first, step int, queue chan<- *order) {
	for id := first; ctx.Err() == nil; id += step {
		queue <- newOrder(id)
	}
}

// work turns orders into receipts. The ledger channel is unbuffered: every send waits for the ledger to take it.
func work(ctx context.Context, shelf *recent, queue <-chan *order, ledger chan<- receipt) {
	for o := range queue {
		trace.WithRegion(ctx, "checkout", func() {
			var sum uint32
			for _, line := range o.lines {
				for _, b := range append([]byte(nil), line...) {
					sum = sum*31 + uint32(b)
				}
			}
			shelf.remember(o)
			ledger <- receipt{o.id, sum}
		})
	}
}

// keepLedger adds receipts up, and now and then writes a line to its book: the workers pile up behind it.
func keepLedger(book *os.File, ledger <-chan receipt, done chan<- int) {
	count := 0
	var sum uint32
	for r := range ledger {
		count++
		sum ^= r.sum
		if count%100 == 0 {
			fmt.Fprintf(book, "%d orders, checksum %08x\n", count, sum)
		}
	}
	done <- count
}

// audit is the planted leak: nobody keeps the other end of answer, so the receive never returns.
func audit(topic string) {
	answer := make(chan error)
	go func() {
		err := <-answer
		fmt.Fprintln(os.Stderr, topic, err)
	}()
}

func run(ctx context.Context, book *os.File, producers, workers int) int {
	queue := make(chan *order, 64)
	ledger := make(chan receipt)
	done := make(chan int)
	shelf := &recent{}

	go keepLedger(book, ledger, done)
	audit("quarterly audit:")

	var producing, working sync.WaitGroup
	for i := 0; i < producers; i++ {
		producing.Add(1)
		go func(first int) {
			defer producing.Done()
			produce(ctx, first, producers, queue)
		}(i)
	}
	for i := 0; i < workers; i++ {
		working.Add(1)
		go func() {
			defer working.Done()
			work(ctx, shelf, queue, ledger)
		}()
	}

	producing.Wait()
	close(queue)
	working.Wait()
	close(ledger)
	return <-done
}

func shop(traceTo string, last time.Duration, producers, workers int) error {
	book, err := os.CreateTemp("", "pipeline-ledger-*.txt")
	if err != nil {
		return err
	}
	defer os.Remove(book.Name())
	defer book.Close()

	if traceTo != "" {
		f, err := os.Create(traceTo)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := trace.Start(f); err != nil {
			return err
		}
		defer trace.Stop()
	}

	ctx, cancel := context.WithTimeout(context.Background(), last)
	defer cancel()
	ctx, task := trace.NewTask(ctx, "shop")
	defer task.End()
	orders := run(ctx, book, producers, workers)
	fmt.Printf("%d orders processed by %d workers\n", orders, workers)
	return nil
}

func main() {
	traceTo := flag.String("trace", "", "write an execution trace to `file`")
	last := flag.Duration("for", time.Second, "how long to produce orders")
	producers := flag.Int("producers", 4, "goroutines that make orders")
	workers := flag.Int("workers", 16, "goroutines that process them")
	flag.Parse()

	if err := shop(*traceTo, *last, *producers, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}
