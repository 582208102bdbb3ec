// counts N [PROGRAM ARG...]: sends N values over an unbuffered channel, runs the program, and says what it did.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	rest := os.Args[2:]
	if len(rest) > 0 && rest[0] == "sleep" { // counts N sleep MS: goes on for a while
		ms, _ := strconv.Atoi(rest[1])
		time.Sleep(time.Duration(ms) * time.Millisecond)
		rest = rest[2:]
	}
	values := make(chan int)
	go func() {
		for i := 0; i < n; i++ {
			values <- i
		}
		close(values)
	}()
	sum := 0
	for v := range values {
		sum += v
	}
	fmt.Println("counted", n, sum)
	if len(rest) == 0 {
		os.Exit(n % 7)
	}
	if rest[0] == "exec" { // becomes the program
		fmt.Println(syscall.Exec(rest[1], rest[1:], os.Environ()))
		os.Exit(99)
	}
	child := exec.Command(rest[0], rest[1:]...)
	child.Stdout = os.Stdout
	child.Stderr = os.Stderr
	child.Run()
	fmt.Println("ran", child.ProcessState.ExitCode())
}
