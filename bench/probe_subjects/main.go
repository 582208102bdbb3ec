// What bench/probe records: small programs that do one thing, and say what CPU time it took them.
//
//	probe_subjects [-trace FILE] pingpong|pipeline|loop COUNT
//	probe_subjects [-trace FILE] http COUNT     serves COUNT requests, at the address it prints first
//	probe_subjects load ADDRESS COUNT           asks for them, over 8 connections
//	probe_subjects threads COUNT                COUNT threads at work until standard input ends
//
// The last line of output: operations, CPU nanoseconds of this process for them, CPU nanoseconds of all its life.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func cpu() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// Warm operations come before those that are counted: the memory of the rings is touched for the first time then.
var warm = flag.Int("warm", 100000, "operations in advance")

// inBursts does n operations, so many at a time and a rest after each, so that a recorder that is slower than the
// program still gets them all. It returns the CPU time of the bursts.
func inBursts(n, burst int, do func(n int)) int64 {
	var took int64
	for i := -*warm; i < n; i += burst {
		before := cpu()
		do(burst)
		if i >= 0 {
			took += cpu() - before
		}
		time.Sleep(15 * time.Millisecond)
	}
	return took
}

// pingpong is all waiting: each of two goroutines does nothing but wait for the other.
func pingpong(n int) int64 {
	a, b := make(chan int), make(chan int)
	go func() {
		for {
			b <- <-a
		}
	}()
	return inBursts(n, 2000, func(n int) {
		for i := 0; i < n; i++ {
			a <- i
			<-b
		}
	})
}

func pipeline(n int) int64 {
	c, done := make(chan int, 128), make(chan bool)
	go func() {
		for v := range c {
			if v == 0 {
				done <- true
			}
		}
	}()
	return inBursts(n, 8000, func(n int) {
		for i := n - 1; i >= 0; i-- {
			c <- i
		}
		<-done
	})
}

// loop never waits, and never leaves its thread.
func loop(n int) int64 {
	runtime.LockOSThread()
	c := make(chan int, 128)
	return inBursts(n, 8000, func(n int) {
		for i := 0; i < n; i++ {
			c <- i
			<-c
		}
	})
}

func serve(n int) int64 {
	before := cpu()
	var served int64
	done := make(chan bool)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	body := strings.Repeat("0123456789abcdef", 64)
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, body)
		if atomic.AddInt64(&served, 1) == int64(n) {
			close(done)
		}
	}))
	<-done
	return cpu() - before
}

func load(address string, n int) {
	const connections = 8
	var all sync.WaitGroup
	for i := 0; i < connections; i++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			client := &http.Client{Transport: &http.Transport{}}
			for k := 0; k < n; k++ {
				r, err := client.Get("http://" + address + "/")
				if err != nil {
					return // it has served what it was to serve
				}
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		}(n / connections)
	}
	all.Wait()
}

// threads is a program to attach to: goroutines that hold a thread each, half of them at work.
func threads(n int) int64 {
	runtime.GOMAXPROCS(runtime.NumCPU())
	for i := 0; i < n; i++ {
		c := make(chan int, 1)
		go func(works bool) {
			runtime.LockOSThread()
			for i := 0; ; i++ {
				c <- i
				<-c
				if i%1000 == 0 || !works {
					syscall.Select(0, nil, nil, nil, &syscall.Timeval{Usec: 1000})
				}
			}
		}(i%2 == 0)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return cpu()
}

func main() {
	file := flag.String("trace", "", "write Go's own trace to this file")
	flag.Parse()
	what, last := flag.Arg(0), flag.Arg(flag.NArg()-1)
	n, err := strconv.Atoi(last)
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe_subjects: a number is missing")
		os.Exit(2)
	}
	if what == "load" {
		load(flag.Arg(1), n)
		return
	}
	if *file != "" {
		f, err := os.Create(*file)
		if err != nil || trace.Start(f) != nil {
			fmt.Fprintln(os.Stderr, "probe_subjects: no trace can be written")
			os.Exit(1)
		}
	}
	took := map[string]func(int) int64{"pingpong": pingpong, "pipeline": pipeline, "loop": loop, "http": serve, "threads": threads}[what](n)
	if *file != "" {
		trace.Stop()
	}
	fmt.Println(n, took, cpu())
}
