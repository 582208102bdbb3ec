// Ways in which a program ends before its time, each after a known number of sends.
//
//	crash WAY [wait]      wait: for a line on standard input, before anything is sent
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

const sends = 1000

type account struct{ owner string }

type coded int

func (c coded) Error() string { return fmt.Sprint("code ", int(c)) }

//go:noinline
func nilMap() {
	var m map[string]int
	m["x"] = 1
}

//go:noinline
func nilPointer() {
	var a *account
	fmt.Println(a.owner)
}

//go:noinline
func outOfRange() {
	s := make([]int, len(os.Args))
	fmt.Println(s[sends])
}

//go:noinline
func ownText() { panic("the books do not balance") }

//go:noinline
func ownError() { panic(errors.New("the account is closed")) }

//go:noinline
func ownType() { panic(coded(7)) }

//go:noinline
func inGoroutine() {
	go ownText()
	select {} // nothing that a deferred call wakes: main would end with 0, before the panic is fatal
}

//go:noinline
func recovered() {
	for i := 0; i < 3; i++ {
		func() {
			defer func() { recover() }()
			ownText()
		}()
	}
	c := make(chan int)
	close(c)
	runtime.GC()
	time.Sleep(2 * time.Second) // so that what was written is told before the end
}

//go:noinline
func asleep() {
	c := make(chan int)
	c <- 1
}

//go:noinline
func mapWrites() {
	m := map[int]int{}
	for i := 0; i < 4; i++ {
		go func() {
			for k := 0; ; k++ {
				m[k%100] = k
			}
		}()
	}
	select {}
}

//go:noinline
func stackOverflow(n int) int {
	if n < 0 {
		return 0
	}
	return stackOverflow(n+1) + 1
}

//go:noinline
func killed() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

//go:noinline
func hoard() {
	var all [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
		_ = all
	}
}

func work() {
	c := make(chan int, 8)
	done := make(chan bool)
	go func() {
		for range c {
		}
		close(done)
	}()
	for i := 0; i < sends; i++ {
		c <- i
	}
	close(c)
	<-done
}

func main() {
	if len(os.Args) > 2 {
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadString('\n')
	}
	debug.SetMaxStack(1 << 20)
	work()
	map[string]func(){"nilmap": nilMap, "nilpointer": nilPointer, "range": outOfRange, "text": ownText, "error": ownError,
		"type": ownType, "goroutine": inGoroutine, "recovered": recovered, "asleep": asleep, "mapwrites": mapWrites,
		"stack": func() { stackOverflow(0) }, "kill": killed, "hoard": hoard}[os.Args[1]]()
}
