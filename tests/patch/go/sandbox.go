// A program that puts a seccomp filter on itself and works on.
//
//	sandbox NUMBER ACTION      system call NUMBER is answered with ACTION (0x80000000: the process is killed)
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

type program struct {
	n uint16
	_ [6]byte
	f *instruction
}

func main() {
	number, _ := strconv.ParseUint(os.Args[1], 0, 32)
	action, _ := strconv.ParseUint(os.Args[2], 0, 32)
	f := []instruction{{0x20, 0, 0, 0}, {0x15, 0, 1, uint32(number)}, {0x06, 0, 0, uint32(action)}, {0x06, 0, 0, 0x7fff0000}}
	p := program{n: uint16(len(f)), f: &f[0]}
	runtime.LockOSThread()
	syscall.RawSyscall6(syscall.SYS_PRCTL, 38, 1, 0, 0, 0, 0)
	const setMode, synchronise = 1, 1
	if _, _, e := syscall.RawSyscall(317, setMode, synchronise, uintptr(unsafe.Pointer(&p))); e != 0 {
		fmt.Println("no filter:", e)
		os.Exit(3)
	}
	runtime.UnlockOSThread()
	fmt.Println("ready")
	c := make(chan int)
	go func() {
		for i := 0; ; i++ {
			c <- i
			time.Sleep(time.Millisecond)
		}
	}()
	go func() {
		b := make([]byte, 1)
		syscall.Read(0, b)
		fmt.Println("done")
		os.Exit(0)
	}()
	for range c {
	}
}
