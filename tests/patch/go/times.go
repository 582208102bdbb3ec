// Operations on channels, with the program's own stamps around each.
//
//	times COUNT
//
// A line for each operation: kind, channel, what it does (send, receive), and the monotonic clock before and after it. The
// kinds: "unbuffered" and "buffered" hand values over, "free" and "held" are sends that can't go on and do not wait, on a
// channel whose lock is free, or looks held.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"
)

type stamps struct{ before, after int64 }

// now asks the system: a stamp of package time tells nothing of when the clock began.
func now() int64 {
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

// work takes so long that a time taken before it can't be taken for one after it.
func work(i int) {
	if i%8 != 0 {
		return
	}
	for until := now() + 1000000; now() < until; {
	}
}

func handOver(kind string, capacity, n int) {
	c, done := make(chan int, capacity), make(chan bool)
	sent, received := make([]stamps, n), make([]stamps, n)
	go func() {
		for i := range received {
			work(i + 4)
			received[i].before = now()
			<-c
			received[i].after = now()
		}
		done <- true
	}()
	for i := range sent {
		work(i)
		sent[i].before = now()
		c <- i
		sent[i].after = now()
	}
	<-done
	for i := range sent {
		fmt.Printf("%s %p send %d %d\n", kind, c, sent[i].before, sent[i].after)
		fmt.Printf("%s %p receive %d %d\n", kind, c, received[i].before, received[i].after)
	}
}

// lockOf is the last word of a channel's header, the key of its lock.
func lockOf(c chan int) *uintptr {
	minor, _ := strconv.Atoi(strings.Split(runtime.Version(), ".")[1])
	offset := uintptr(104)
	if minor < 23 {
		offset = 88
	} else if minor < 25 {
		offset = 96
	}
	return (*uintptr)(unsafe.Pointer(*(*uintptr)(unsafe.Pointer(&c)) + offset))
}

// refused: whoever does not want to wait looks first, and does not take the lock where there is nobody.
func refused(kind string, held uintptr, n int) {
	c := make(chan int)
	tried := make([]stamps, n)
	for i := range tried {
		atomic.StoreUintptr(lockOf(c), held)
		tried[i].before = now()
		select {
		case c <- i:
			panic("nobody receives")
		default:
		}
		tried[i].after = now()
		atomic.StoreUintptr(lockOf(c), 0)
	}
	for _, s := range tried {
		fmt.Printf("%s %p send %d %d\n", kind, c, s.before, s.after)
	}
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	handOver("unbuffered", 0, n)
	handOver("buffered", 16, n)
	refused("free", 0, n)
	refused("held", 1, n)
}
