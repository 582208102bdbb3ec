// What the tests of runtime_probe/gobin read: a program that tells its own truth.
//
//	-callers  a stack with inlined calls: its return addresses, then what the runtime makes of them; where main.main
//	          begins; types with the addresses of their descriptors
//	-wait     goroutines in several states, until a byte comes on standard input
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

type job struct {
	id   int
	done chan error
}

type queue struct {
	jobs chan *job
	wg   sync.WaitGroup
}

//go:noinline
func where() {
	pcs := make([]uintptr, 32)
	n := runtime.Callers(1, pcs)
	frames := runtime.CallersFrames(pcs[:n])
	// The stack as return addresses, then what the runtime makes of it, inlined calls included.
	for _, pc := range physical() {
		fmt.Printf("pc %x\n", pc)
	}
	for {
		f, more := frames.Next()
		fmt.Printf("frame %s %s:%d\n", f.Function, f.File, f.Line)
		if !more {
			break
		}
	}
}

// The return addresses that really are on the stack: a traceback's list has made-up ones for inlined calls.
func physical() []uintptr {
	var pcs [32]uintptr
	n := runtime.Callers(2, pcs[:])
	return pcs[:n]
}

func inner(n int) int  { where(); return n + 1 }
func middle(n int) int { return inner(n) * 2 }

//go:noinline
func outer(n int) int {
	return middle(n) + 1
}

// The descriptor's address stands in an interface's first word.
func tell(v any) {
	fmt.Printf("type %x %T\n", *(*uintptr)(unsafe.Pointer(&v)), v)
}

func callers() {
	f := runtime.FuncForPC(physical()[0] - 1)
	fmt.Printf("entry %x %s\n", f.Entry(), f.Name())
	tell(make(chan error))
	tell(&job{})
	tell(queue{})
	tell(map[string][]chan<- struct{}{})
	outer(1)
}

func (q *queue) work() {
	defer q.wg.Done()
	for j := range q.jobs {
		select {
		case j.done <- nil:
		case <-time.After(time.Second):
		}
	}
}

func (q *queue) run(n int) {
	q.wg.Add(2)
	go q.work()
	go q.work()
	for i := 0; i < n; i++ {
		j := &job{i, make(chan error, 1)}
		q.jobs <- j
		<-j.done
	}
	close(q.jobs)
	q.wg.Wait()
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-callers" {
		callers()
		return
	}
	q := &queue{jobs: make(chan *job)}
	q.run(100)
	runtime.GC()
	if len(os.Args) > 1 && os.Args[1] == "-wait" {
		fmt.Println("ready")
		hold := make(chan string, 3)
		hold <- "one"
		go func() { hold <- "two"; hold <- "three"; hold <- "four" }()
		go func() {
			for {
				runtime.Gosched()
				time.Sleep(time.Millisecond)
			}
		}()
		var b [1]byte
		os.Stdin.Read(b[:])
	}
	fmt.Println("done")
}
